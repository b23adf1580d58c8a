using System.Text.Json.Nodes;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook backtest</c>: what a changed runbook would have made of past nights.</summary>
public sealed class BacktestTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task ChangedRunbook_TellsWhichNightsGoOtherwiseAndHow()
    {
        await using var host = await RunningHost.StartAsync();
        var unneeded = await EndedAsync(host, "llm-b-1", "notNeeded");
        var approved = await EndedAsync(host, "llm-b-0", "resolved", "approve");
        string[] client = ["--url", host.Client.Http.BaseAddress!.ToString(), "--data", host.DataFolder];
        var incidents = Path.Combine(_home, "incidents");

        var (code, output, error) = await ProgramRun.RunAsync(["backtest", "--since", "2026-11-01", "--save", incidents, "--strict", .. client]);
        code.ShouldBe(0, output + error);
        output.ShouldBe("2 incidents go as before.\n");

        using var changed = new RunbookCopy(text => text.Replace("required: 1", "required: 2", StringComparison.Ordinal));
        (code, output, _) = await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", changed.Path, "--strict");
        code.ShouldBe(1);
        output.ShouldBe($"""
            {approved}  hanged-gpu on b/inference/llm-b-0
                was: resolved; recycle (kubernetes.recyclePod): done, ticket (note): done
                is:  expired; no step ran
            Of 2 incidents, 1 goes otherwise.

            """.ReplaceLineEndings("\n"));

        (_, output, _) = await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", changed.Path, "--base", Path.Combine(AppContext.BaseDirectory, "runbooks"), "--format", "markdown");
        output.ShouldContain($"| {approved} | hanged-gpu | resolved; recycle (kubernetes.recyclePod): done, ticket (note): done | expired; no step ran |");

        var json = JsonNode.Parse((await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", changed.Path, "--format", "json")).Output)!;
        json["incidents"]!.AsArray().Single(one => one!["id"]!.ToString() == unneeded)!["otherwise"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Fact]
    public async Task WhatEndedSince_IsPlayedWheneverItOpened()
    {
        await using var real = await RunningHost.StartAsync();
        var ended = (await real.Client.GetAsync($"api/incidents/{await EndedAsync(real, "llm-b-1", "notNeeded")}")).ToJsonString();
        var byHand = JsonNode.Parse(ended)!;
        byHand["timeline"]!.AsArray().Single(line => line!["kind"]!.ToString() == "closed")!["at"] = "2026-10-31T00:30:00+00:00";
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents"] = """
                { "incidents": [
                  { "id": "long", "openedAt": "2026-10-31T03:00:00+00:00", "closedAt": "2026-11-01T01:00:00+00:00" },
                  { "id": "gone", "openedAt": "2026-10-31T02:00:00+00:00", "closedAt": "2026-11-01T02:00:00+00:00" },
                  { "id": "before", "openedAt": "2026-10-31T01:00:00+00:00", "closedAt": "2026-10-31T23:00:00+00:00" },
                  { "id": "closed-by-hand", "openedAt": "2026-10-31T00:00:00+00:00", "closedAt": "2026-11-02T23:00:00+00:00" },
                  { "id": "old", "openedAt": "2026-08-01T01:00:00+00:00", "closedAt": "2026-11-02T23:00:00+00:00" }], "next": "more" }
                """,
            ["GET /api/incidents/long"] = ended,
            ["GET /api/incidents/closed-by-hand"] = byHand.ToJsonString(),
        });

        var (code, output, error) = await ProgramRun.RunAsync("backtest", "--since", "2026-11-01", "--url", host.Address, "--key", "any");

        (code, output).ShouldBe((0, "1 incident goes as before.\n"), error);
        host.Asked.ShouldBe(["GET /api/incidents", "GET /api/incidents/long", "GET /api/incidents/gone", "GET /api/incidents/closed-by-hand"]);
    }

    [Fact]
    public async Task RehearsalThatBecomesReal_GoesOtherwise()
    {
        using var rehearsed = new RunbookCopy(text => $"{text}\nmode: dryRun\n");
        using var real = new RunbookCopy(text => text);
        var incidents = await RecordedAsync(rehearsed);
        var id = Path.GetFileNameWithoutExtension(Directory.GetFiles(incidents).Single());

        (await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", real.Path, "--base", rehearsed.Path)).Output.ShouldBe($"""
            {id}  hanged-gpu on b/inference/llm-b-0
                was: resolved; recycle (kubernetes.recyclePod): dryRun, ticket (note): dryRun
                is:  failed; recycle (kubernetes.recyclePod): done; it was a rehearsal, so what the checks say after a real step is not known, and taken as before it
            Of 1 incident, 1 goes otherwise.

            """.ReplaceLineEndings("\n"));

        (await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", real.Path)).Output.ShouldBe(
            "1 incident goes as before. 1 was played in the stricter mode of the record (dryRun or approveAll): what the runbook does without it is not known.\n");
    }

    [Fact]
    public async Task OtherRunbooksThatTakeTheAlert_AreNamed()
    {
        using var before = new RunbookCopy(text => text);
        var incidents = await RecordedAsync(before);
        const string Went = "resolved; recycle (kubernetes.recyclePod): done, ticket (note): done";

        using var renamed = new RunbookCopy(text => text);
        renamed.Write(RunbookCopy.Shipped.Replace("id: hanged-gpu", "id: gpu-hung", StringComparison.Ordinal), "gpu-hung.yaml");
        (await IsAsync(renamed)).ShouldBe($"{Went}; 'gpu-hung' takes it too");

        File.Delete(Path.Combine(renamed.Path, RunbookCopy.Name));
        (await IsAsync(renamed)).ShouldBe($"'gpu-hung' takes it in place of 'hanged-gpu': {Went}");

        renamed.Write(RunbookCopy.Shipped.Replace("alert: InferenceRequestsStuck", "alert: Another", StringComparison.Ordinal));
        File.Delete(Path.Combine(renamed.Path, "gpu-hung.yaml"));
        (await IsAsync(renamed)).ShouldBe("no runbook takes it: No runbook is triggered by 'InferenceRequestsStuck' from alertmanager. Loaded: hanged-gpu.");

        async Task<string> IsAsync(RunbookCopy now)
        {
            var (_, output, error) = await ProgramRun.RunAsync("backtest", "--incidents", incidents, "--runbooks", now.Path, "--base", before.Path, "--format", "json");
            return output.Length > 0 ? JsonNode.Parse(output)!["incidents"]![0]!["is"]!.ToString() : error;
        }
    }

    /// <summary>A gate must not be green because a cache did not restore.</summary>
    [Fact]
    public async Task NothingPlayed_IsNoSuccessUnderStrict()
    {
        var (code, output, _) = await ProgramRun.RunAsync("backtest", "--incidents", _home, "--strict");

        (code, output).ShouldBe((1, "No incident was played: nothing is known.\n"));
        (await ProgramRun.RunAsync("backtest", "--incidents", _home)).Code.ShouldBe(0);
    }

    [Fact]
    public async Task WhatIsNoIncident_IsNamed()
    {
        await File.WriteAllTextAsync(Path.Combine(_home, "odd.json"), "{ \"id\": 7 }", TestContext.Current.CancellationToken);

        (await ProgramRun.RunAsync("backtest", "--incidents", _home)).Error.ShouldContain("odd.json is no incident");
        (await ProgramRun.RunAsync("backtest", "--incidents", _home, "--save", _home)).Error.ShouldContain("--save goes with --since.");
        (await ProgramRun.RunAsync("backtest")).Error.ShouldContain("Name either a folder with --incidents");
        (await ProgramRun.RunAsync("backtest", "--incidents", Path.Combine(_home, "none"))).Error.ShouldContain("There is no folder");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <returns>A folder with one incident that was approved.</returns>
    private async Task<string> RecordedAsync(RunbookCopy runbooks)
    {
        await using var host = await RunningHost.StartAsync(runbooks.Path);
        var incidents = Directory.CreateDirectory(Path.Combine(_home, "incidents")).FullName;
        var id = await EndedAsync(host, "llm-b-0", "resolved", "approve");
        await File.WriteAllTextAsync(Path.Combine(incidents, $"{id}.json"), (await host.Client.GetAsync($"api/incidents/{id}")).ToJsonString());
        return incidents;
    }

    private static async Task<string> EndedAsync(RunningHost host, string pod, string state, string? decision = null)
    {
        var id = (await host.Client.StuckAsync(pod))["id"]!.ToString();
        if (decision is not null)
        {
            await host.Client.WaitForAsync(id, "awaitingApproval");
            await host.Client.DecideAsync(id, decision, "ada", "as usual");
        }

        await host.Client.WaitForAsync(id, state);
        return id;
    }
}
