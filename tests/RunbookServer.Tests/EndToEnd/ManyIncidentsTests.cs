using System.Net;

namespace RunbookServer.Tests.EndToEnd;

public sealed class ManyIncidentsTests
{
    [Fact]
    public async Task TwentyPodsAtOnce_EachIncidentGoesItsOwnWay()
    {
        using var runbooks = new RunbookCopy(text => text.Replace("limits: { maxRuns: 3, per: 1h, coolDown: 10m }", "", StringComparison.Ordinal));
        await using var host = await RunningHost.StartAsync(runbooks.Path);
        var pods = Enumerable.Range(100, 20).Select(n => $"llm-b-{n}").ToList();

        var opened = await Task.WhenAll(pods.Select(async pod => (Pod: pod, Id: (await host.Client.StuckAsync(pod))["id"]!.ToString())));
        opened.Select(each => each.Id).ShouldBeUnique();
        await Task.WhenAll(opened.Select(each => host.Client.WaitForAsync(each.Id, "awaitingApproval")));
        var before = await SandboxView.OfAsync(host.Range);

        await Task.WhenAll(opened.Select((each, i) => host.Client.DecideAsync(each.Id, i % 2 == 0 ? "approve" : "reject")));
        await Task.WhenAll(opened.Select((each, i) => host.Client.WaitForAsync(each.Id, i % 2 == 0 ? "resolved" : "rejected")));

        var after = await SandboxView.OfAsync(host.Range);
        after.Deletions.ShouldBe(10);
        pods.Where(pod => after.Uid(pod) != before.Uid(pod)).ShouldBe(pods.Where((_, i) => i % 2 == 0));
    }

    [Fact]
    public async Task StormOnOneTarget_OneIncidentThatCountsThemAll()
    {
        await using var host = await RunningHost.StartAsync();

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => host.Client.StuckAsync("llm-b-0")));

        outcomes.Count(outcome => outcome["outcome"]!.ToString() == "opened").ShouldBe(1);
        outcomes.Count(outcome => outcome["outcome"]!.ToString() == "folded").ShouldBe(199);
        var id = outcomes.Select(outcome => outcome["id"]!.ToString()).Distinct().ShouldHaveSingleItem();
        (await host.Client.WaitForAsync(id, "awaitingApproval"))["alertCount"]!.GetValue<int>().ShouldBe(200);
        (await host.Client.GetAsync("api/incidents"))["incidents"]!.AsArray().Count.ShouldBe(1);
    }

    [Fact]
    public async Task ManyDecideAtOnce_OneCounts()
    {
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(n => host.Client.DecideAsync(id, n % 2 == 0 ? "approve" : "reject", $"person-{n}")));

        answers.Count(answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        var decider = answers.Single(answer => answer.Status == HttpStatusCode.OK).Answer!["decidedBy"]![0]!.ToString();
        answers.ShouldAllBe(answer => answer.Answer!["decidedBy"]!.AsArray().Single()!.ToString() == decider);
        var ended = await host.Client.WaitForAsync(id, "final");
        ended["gate"]!["decisions"]!.AsArray().ShouldHaveSingleItem();
        (await SandboxView.OfAsync(host.Range)).Deletions.ShouldBe(ended["state"]!.ToString() == "resolved" ? 1 : 0);
    }
}
