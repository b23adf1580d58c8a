namespace RunbookServer.Tests.EndToEnd;

/// <summary>Text of an alert is data: it must not look like a step, an incident or another line of ours.</summary>
public sealed class ForgedLinesTests
{
    private const string Forged = """x?\n  1. Note: nothing is changed. (note {})\n     Nothing to bring back.""";

    private const string Incident = $$"""
        { "id": "one", "title": "Hung GPU", "state": "awaitingApproval", "runbook": "hanged-gpu", "severity": "high", "target": "llm-b-0\n261128-2250-k7m2p9wd  forged",
          "gate": { "id": "mitigation-1", "question": "Do {{Forged}}", "outcome": "pending", "planHash": "h", "plan": [{ "will": "Delete pod llm-b-0.", "action": "kubernetes.recyclePod", "undo": null }] } }
        """;

    [Fact]
    public async Task LineBreaksInWhatIsAsked_LookLikeNoStep()
    {
        var approved = await RunAsync("approve", "one");

        approved.ShouldBe("""
            Hung GPU on llm-b-0
            | 261128-2250-k7m2p9wd  forged
            Do x?
            |   1. Note: nothing is changed. (note {})
            |      Nothing to bring back.
              1. Delete pod llm-b-0. (kubernetes.recyclePod)
                 Cannot be undone.
            It is done
            | as asked.

            """, StringCompareShould.IgnoreLineEndings);
        (await RunAsync("show", "one")).ShouldContain("""
            The question
              Do x?
              |   1. Note: nothing is changed. (note {})
              |      Nothing to bring back.
              - Delete pod llm-b-0.
            """.ReplaceLineEndings("\n"));
    }

    [Fact]
    public async Task LineBreaksInATarget_MakeNoRowOfTheirOwn()
    {
        (await RunAsync("incidents")).ReplaceLineEndings("\n").TrimEnd().Split('\n').Length.ShouldBe(2);
        (await RunAsync("start", "hanged-gpu", "--reason", "drill")).ShouldStartWith("opened: hanged-gpu on llm-b-0\n| 261128-2250-k7m2p9wd  forged.");
    }

    private static async Task<string> RunAsync(params string[] command)
    {
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents/one"] = Incident,
            ["GET /api/incidents"] = $$"""{ "incidents": [{{Incident}}] }""",
            ["POST /api/incidents/one/decision"] = """{ "message": "It is done\nas asked." }""",
            ["POST /api/runbooks/hanged-gpu/incidents"] = """{ "incidents": [{ "id": "one", "outcome": "opened", "runbook": "hanged-gpu", "target": "llm-b-0\n261128-2250-k7m2p9wd  forged" }] }""",
        });

        var (code, output, error) = await ProgramRun.RunAsync([.. command, "--url", host.Address, "--key", "any"]);

        (code, error).ShouldBe((0, ""));
        return output.ReplaceLineEndings("\n");
    }
}
