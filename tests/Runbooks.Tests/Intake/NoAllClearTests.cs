using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>Grafana ended an alert without having seen that things are well: its word withdraws nothing, and the runbook's own checks may.</summary>
public sealed class NoAllClearTests
{
    [Theory]
    [InlineData(Verdict.Failing, "The sender ended it without an all-clear (MissingSeries); the checks still fail: stuck: failing")]
    [InlineData(Verdict.Unknown, "The sender ended it without an all-clear (MissingSeries); not every check could be answered: stuck: unknown")]
    public async Task ChecksThatDoNotPass_TheQuestionStandsAndSaysBoth(Verdict verdict, string says)
    {
        await using var world = World();
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        world.World.Script.Verdicts["stuck"] = verdict;

        var outcome = await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");
        var incident = await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(3));

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        (incident.State, incident.AlertResolvedAt).ShouldBe((IncidentState.AwaitingApproval, null));
        incident.Timeline.Count(line => line.What.StartsWith(says, StringComparison.Ordinal)).ShouldBe(1);
        incident.News.Select(news => news.Text[..20]).ShouldBe(["grafana ended the al", "The sender ended it "]);
    }

    [Fact]
    public async Task EndedOnceMoreForAnotherReason_TheRecordHasBoth()
    {
        await using var world = World();
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        var ended = Readers.ReadOne("grafana", IntakeWorld.TextOf("01-grafana-missing-series-resolved.json"));

        await world.TakeAsync(ended);
        await world.TakeAsync(ended with { Annotations = new Dictionary<string, string>(ended.Annotations) { ["grafana_state_reason"] = "RuleDeleted" } });

        world.Only.Timeline.Where(line => line.What.StartsWith("grafana ended", StringComparison.Ordinal)).Select(line => line.What.Split("reason ")[1]).ShouldBe(["MissingSeries. That is no all-clear.", "RuleDeleted. That is no all-clear."]);
    }

    [Fact]
    public async Task ChecksPass_TheQuestionIsWithdrawn()
    {
        await using var world = World();
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");

        (world.Only.State, world.Only.AlertResolvedAt).ShouldBe((IncidentState.SelfRecovered, null));
        world.Only.Reason.ShouldBe("The sender ended the alert without an all-clear (MissingSeries) before the steps were approved, and the checks no longer call for the mitigation.");
    }

    [Fact]
    public async Task ChecksPassLater_TheQuestionIsWithdrawnThen()
    {
        await using var world = World();
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");
        world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task NoChecks_TheQuestionStandsAndSaysSo()
    {
        await using var world = World(checks: false);
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");

        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");
        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");
        var incident = await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(6));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.Timeline.Count(line => line.What == "The sender ended it without an all-clear (MissingSeries); this runbook has no checks that could say whether it is over.").ShouldBe(1);
        world.World.Notifier.Sent.ShouldContain(sent => sent.Card.Kind == CardKind.Reminder);
        (await world.World.AdvanceAsync(incident.Id, TimeSpan.FromHours(1))).State.ShouldBe(IncidentState.Expired);
    }

    /// <summary>
    /// grafana.com/docs/grafana/latest/alerting/best-practices/dynamic-labels: with a severity from the value each change ends one alert as
    /// MissingSeries, and so does the recovery itself.
    /// </summary>
    [Fact]
    public async Task SeverityFromTheValue_ItsRecoveryIsSeenByTheChecks()
    {
        await using var world = World();
        await world.TakeAsync(Instance("minor", "firing"));
        await world.TakeAsync([.. ((string[])["minor|resolved", "warning|firing"]).Select(one => Instance(one.Split('|')[0], one.Split('|')[1]))]);
        world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        world.Only.State.ShouldBe(IncidentState.AwaitingApproval);

        await world.TakeAsync(Instance("warning", "resolved"));

        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task FiresAgain_TheClaimIsTakenBack()
    {
        await using var world = World();
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");

        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        world.World.Script.Verdicts["stuck"] = Verdict.Passing;

        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(3))).State.ShouldBe(IncidentState.AwaitingApproval);
        world.Only.News.ShouldBeEmpty();
        world.Only.Timeline.Count(line => line.What == "InstanceDown fires again.").ShouldBe(1);
    }

    /// <summary>Recycling a pod ends its series: nothing has fired since the fix, and nobody is to take that for a relapse.</summary>
    [Theory]
    [InlineData(Verdict.Failing, "The last fix did not hold: its sender ended the alert without an all-clear (MissingSeries) after incident ", "The fix did not hold")]
    [InlineData(Verdict.Unknown, "After incident ", "Whether the fix holds could not be found out, and its sender ended the alert without an all-clear (MissingSeries)")]
    public async Task EndsAfterTheFix_IsNotToldAsFiringAgain(Verdict verdict, string begins, string ended)
    {
        await using var world = World();
        world.Runbooks[0] = world.Runbooks[0] with { Limits = new() { HealthyFor = TimeSpan.Zero, SettleFor = TimeSpan.FromMinutes(10) } };
        await world.PostAsync("grafana", "01-grafana-missing-series-firing.json");
        world.World.Script.OnDone = _ => world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        var closed = (await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve)).Incident;
        world.World.Time.Advance(TimeSpan.FromMinutes(4));
        world.World.Script.Verdicts["stuck"] = verdict;

        await world.PostAsync("grafana", "01-grafana-missing-series-resolved.json");
        closed = await world.World.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(8));

        var next = world.World.Store.All[^1];
        next.Id.ShouldNotBe(closed.Id);
        next.Timeline.ShouldContain(line => line.What.StartsWith(begins, StringComparison.Ordinal));
        closed.Timeline.ShouldContain(line => line.What.StartsWith(ended, StringComparison.Ordinal));
        next.Timeline.Concat(closed.Timeline).ShouldAllBe(line => !line.What.Contains("fires") && !line.What.Contains("came again"));
    }

    private static IntakeWorld World(bool checks = true) => new(IntakeWorld.Runbook("down", "{{ labels.instance }}", "grafana", "InstanceDown", checks: checks));

    private static Alert Instance(string severity, string status) => Readers.ReadOne("grafana", $$$"""
        {"receiver":"runbooks","status":"{{{status}}}","orgId":1,
         "alerts":[{"status":"{{{status}}}","labels":{"alertname":"InstanceDown","grafana_folder":"edge","instance":"edge-01","severity":"{{{severity}}}"},
           "annotations":{{{(status == "firing" ? "{}" : """{"grafana_state_reason":"MissingSeries"}""")}}},
           "startsAt":"2026-11-22T22:00:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://grafana.example.com/alerting/grafana/abc/view?orgId=1",
           "fingerprint":"{{{severity}}}","silenceURL":"","dashboardURL":"","panelURL":"","values":{"A":0},"valueString":"[ var='A' value=0 ]"}],
         "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://grafana.example.com/","version":"1","groupKey":"{}","truncatedAlerts":0,"title":"","state":"alerting","message":""}
        """);
}
