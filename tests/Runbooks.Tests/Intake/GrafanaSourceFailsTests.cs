using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>
/// The data source of a rule fails. Grafana sends DatasourceError without the labels of the series, and some intervals later ends the
/// rule's own alert with the words of its last firing: nobody saw that things are well.
/// </summary>
public sealed class GrafanaSourceFailsTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Runbook("web", "{{ labels.instance }}", "grafana", "Web app is down", new() { ["severity"] = "critical" }, checks: false));

    [Theory]
    [InlineData("DatasourceError")]
    [InlineData("DatasourceNoData")]
    public async Task AlertThatRunsOutMeanwhile_IsNoAllClear(string own)
    {
        await TakeAsync(Rule("firing", "edge-01"));

        var told = await TakeAsync(Source("firing", own));
        var ranOut = await TakeAsync(Rule("resolved", "edge-01"));

        (told.Outcome, told.Id, ranOut.Outcome).ShouldBe((IntakeResult.Folded, _world.Only.Id, IntakeResult.Folded));
        ranOut.Reason!.ShouldContain($"for the reason {own}");
        _world.Only.State.ShouldBe(IncidentState.AwaitingApproval);
        _world.Only.Alerts.ShouldHaveSingleItem().EndedBecause.ShouldBe(own);
        _world.Only.Timeline.ShouldContain(line => line.What == $"Grafana cannot measure Web app is down at the moment ({own}). Until it can, an end of the alert is no all-clear.");
    }

    [Fact]
    public void AnOrdinaryAlertWithALabelOfThatName_IsNoWordOfTheSource() =>
        GrafanaRule.NameOf(TestKit.Incidents.Given.Alert() with { Source = "grafana", Labels = new Dictionary<string, string> { ["rulename"] = "Web app is down" } }).ShouldBeNull();

    /// <summary>The state of the failure is missing in the next evaluation; an older Grafana lets the alert run out, with the reason of its last firing.</summary>
    [Theory]
    [InlineData("MissingSeries")]
    [InlineData("Error")]
    public async Task GrafanaMeasuresAgain_TheEndCounts(string reason)
    {
        await TakeAsync(Rule("firing", "edge-01"));
        await TakeAsync(Source("firing", "DatasourceError"));

        (await TakeAsync(Source("resolved", "DatasourceError", reason: reason))).Reason!.ShouldStartWith("Grafana can measure the rule Web app is down;");

        _world.Only.News.ShouldBeEmpty();
        (await TakeAsync(Rule("resolved", "edge-01"))).Outcome.ShouldBe(IntakeResult.Resolved);
        _world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Theory]
    [InlineData("Paused")]
    [InlineData("Updated")]
    [InlineData("RuleDeleted")]
    public async Task RuleIsNoLongerEvaluated_SaysNotThatGrafanaMeasuresAgain(string reason)
    {
        await TakeAsync(Rule("firing", "edge-01"));
        await TakeAsync(Source("firing", "DatasourceError"));

        var stopped = await TakeAsync(Source("resolved", "DatasourceError", reason: reason));

        stopped.Reason!.ShouldStartWith($"Grafana ended its alert about the rule Web app is down for the reason {reason}, which does not say");
        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith($"Grafana ended DatasourceError of Web app is down for the reason {reason}.");
        _world.Only.Timeline.ShouldNotContain(line => line.What.Contains("can measure Web app is down again"));
        (await TakeAsync(Rule("resolved", "edge-01"))).Outcome.ShouldBe(IntakeResult.Folded);
    }

    /// <summary>A runbook about the data source itself: there is no state "no data" any more, whatever Grafana calls that.</summary>
    [Theory]
    [InlineData("MissingSeries", IntakeResult.Resolved, IncidentState.SelfRecovered)]
    [InlineData("NoData", IntakeResult.Resolved, IncidentState.SelfRecovered)]
    [InlineData("Paused", IntakeResult.Folded, IncidentState.AwaitingApproval)]
    public async Task EndOfTheSourcesOwnAlert_IsAnAllClearUnlessTheRuleIsNoLongerEvaluated(string reason, IntakeResult expected, IncidentState state)
    {
        _world.Runbooks.Add(IntakeWorld.Runbook("source", "{{ labels.datasource_uid }}", "grafana", "DatasourceNoData", checks: false));
        await TakeAsync(Source("firing", "DatasourceNoData"));

        (await TakeAsync(Source("resolved", "DatasourceNoData", reason: reason))).Outcome.ShouldBe(expected);

        _world.Only.State.ShouldBe(state);
    }

    /// <summary>Grafana may send to an Alertmanager of the team's own, whose webhook it is then that comes here.</summary>
    [Fact]
    public async Task ThroughAnotherAlertmanager_IsTheSame()
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Trigger = [_world.Runbooks[0].Trigger[0] with { Source = "alertmanager" }] };
        await TakeAsync(Rule("firing", "edge-01") with { Source = "alertmanager" });

        (await TakeAsync(Source("firing", "DatasourceError") with { Source = "alertmanager" })).Reason!.ShouldStartWith("Grafana cannot measure");

        (await TakeAsync(Rule("resolved", "edge-01") with { Source = "alertmanager" })).Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task FiringIsRepeatedMeanwhile_SaysNothingOfTheSource()
    {
        await TakeAsync(Rule("firing", "edge-01"));
        await TakeAsync(Source("firing", "DatasourceError"));
        await TakeAsync(Rule("firing", "edge-01"));

        (await TakeAsync(Rule("resolved", "edge-01"))).Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task OpenIncidentThatCannotBeRead_TheOthersLearnIt()
    {
        await _world.TakeAsync(Rule("firing", "edge-01"), Rule("firing", "edge-02"));
        _world.World.Store.Unreadable = _world.World.Store.All[0].Id;

        (await TakeAsync(Source("firing", "DatasourceError"))).Id.ShouldBe(_world.World.Store.All[1].Id);
    }

    [Fact]
    public async Task EveryOpenIncidentOfTheRule_LearnsIt()
    {
        await _world.TakeAsync(Rule("firing", "edge-01"), Rule("firing", "edge-02"));

        (await TakeAsync(Source("firing", "DatasourceError"))).Reason!.ShouldContain("2 open incidents");

        _world.World.Store.All.ShouldAllBe(incident => incident.News.Count == 1);
    }

    [Theory]
    [InlineData("Another rule", "edge", "Infra")]
    [InlineData("Web app is down", "other", "Infra")]
    [InlineData("Web app is down", "edge", "Shop")]
    public async Task SourceOfAnotherRule_SaysNothing(string rule, string folder, string team)
    {
        await TakeAsync(Rule("firing", "edge-01"));

        (await TakeAsync(Source("firing", "DatasourceError", rule, folder, team))).Outcome.ShouldBe(IntakeResult.Ignored);

        (await TakeAsync(Rule("resolved", "edge-01"))).Outcome.ShouldBe(IntakeResult.Resolved);
    }

    [Fact]
    public async Task RunbookThatIsForTheSourceItself_OpensItsOwnAndTheEndIsStillNoAllClear()
    {
        _world.Runbooks.Add(IntakeWorld.Runbook("source", "{{ labels.datasource_uid }}", "grafana", "DatasourceError", checks: false));
        await TakeAsync(Rule("firing", "edge-01"));

        (await TakeAsync(Source("firing", "DatasourceError"))).Outcome.ShouldBe(IntakeResult.Opened);

        (await TakeAsync(Rule("resolved", "edge-01"))).Outcome.ShouldBe(IntakeResult.Folded);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<IntakeOutcome> TakeAsync(Alert alert) => (await _world.TakeAsync(alert))[0];

    private static Alert Rule(string status, string instance) => Read($$$"""
        {"status":"{{{status}}}","labels":{"alertname":"Web app is down","grafana_folder":"edge","instance":"{{{instance}}}","severity":"critical","team":"Infra"},"annotations":{"summary":"{{{instance}}} does not answer"},
        "startsAt":"2026-11-22T22:00:00Z","endsAt":"{{{(status == "firing" ? "0001-01-01T00:00:00Z" : "2026-11-22T22:04:00Z")}}}","generatorURL":"https://grafana.example.com/alerting/grafana/abc/view?orgId=1",
        "fingerprint":"11aa22bb33cc44dd-{{{instance}}}","silenceURL":"","dashboardURL":"","panelURL":"","values":{"A":0},"valueString":"[ var='A' value=0 ]"}
        """);

    /// <param name="reason">Grafana writes one into each of these alerts.</param>
    private static Alert Source(string status, string own, string rule = "Web app is down", string folder = "edge", string team = "Infra", string? reason = null) => Read($$$"""
        {"status":"{{{status}}}","labels":{"alertname":"{{{own}}}","datasource_uid":"prom1","grafana_folder":"{{{folder}}}","ref_id":"A","rulename":"{{{rule}}}","severity":"none","team":"{{{team}}}"},"annotations":{"Error":"[sse.dataQueryError] failed to execute query [A]","grafana_state_reason":"{{{reason ?? own["Datasource".Length..]}}}"},
        "startsAt":"2026-11-22T22:01:00Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"https://grafana.example.com/alerting/grafana/abc/view?orgId=1","fingerprint":"aa01-{{{own}}}","silenceURL":"","dashboardURL":"","panelURL":"","values":null,"valueString":""}
        """);

    private static Alert Read(string alert) => Readers.ReadOne("grafana", $$"""
        {"receiver":"runbooks","status":"firing","orgId":1,"alerts":[{{alert}}],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"https://grafana.example.com/","version":"1","groupKey":"{}","truncatedAlerts":0,"title":"","state":"alerting","message":""}
        """);
}
