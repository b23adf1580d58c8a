using Runbooks.Intake;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>Whoever posts the generic form for the first time puts the host beside the name and not under labels.</summary>
public sealed class AlertsWithoutLabelsTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Runbook("svc", "{{ labels.host }}", "generic", "SvcFlat"));

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task TwoHosts_AreTwoIncidentsAndTheEndOfOneIsNotThatOfTheOther()
    {
        var a = await PostAsync("""{"name":"SvcFlat","host":"a","message":"a is down"}""");
        var b = await PostAsync("""{"name":"SvcFlat","host":"b","message":"b is down"}""");
        _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        var over = await PostAsync("""{"name":"SvcFlat","host":"a","message":"a is up again","status":"resolved"}""");

        (a.Outcome, b.Outcome, over.Outcome, over.Id).ShouldBe((IntakeResult.Opened, IntakeResult.Opened, IntakeResult.Resolved, a.Id));
        _world.World.Store.All.Select(incident => (incident.Id, incident.State)).ShouldBe([(a.Id!, IncidentState.SelfRecovered), (b.Id!, IncidentState.AwaitingApproval)], ignoreOrder: true);
    }

    /// <summary>A monitor that posts its number every minute.</summary>
    [Fact]
    public async Task FieldThatIsAnotherInEachMessage_IsOneIncidentThatItsEndWithdraws()
    {
        var opened = await PostAsync("""{"name":"SvcFlat","host":"a","cpu":91.5,"eventTime":"2026-11-29T02:01:00Z"}""");
        var again = await PostAsync("""{"name":"SvcFlat","host":"a","cpu":92.5,"eventTime":"2026-11-29T02:02:00Z"}""");
        _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        var over = await PostAsync("""{"name":"SvcFlat","host":"a","cpu":12,"eventTime":"2026-11-29T02:03:00Z","status":"resolved"}""");

        (opened.Outcome, again.Outcome, over.Outcome, over.Id).ShouldBe((IntakeResult.Opened, IntakeResult.Folded, IntakeResult.Resolved, opened.Id));
        _world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Theory]
    [InlineData("""{"name":"A","host":"a","message":"a is down"}""", "missing; 'host', 'message' are not read; put what says which thing it is about under labels, as names and values")]
    [InlineData("""{"name":"A","labels":{},"tags":["host:a"]}""", "an object; 'tags' is not read; put what says which thing it is about under labels, as names and values")]
    [InlineData("""{"name":"A","labels":"host:a","host":"a"}""", "the text \"host:a\"; no label is read of this; give an object of names and values")]
    [InlineData("""{"name":"A","labels":{"host":"a"},"tags":["x"]}""", null)]
    [InlineData("""{"name":"A","fingerprint":"a","type":"disk","event":"disk full"}""", "missing; 'type', 'event' are not read; put what says which thing it is about under labels, as names and values")]
    [InlineData("""{"name":"A","state":"down","summary":"It is down."}""", null)]
    public void WhatIsNotRead_IsTold(string json, string? told) =>
        Readers.Read("generic", json).Warnings.Select(warning => warning.ToString()).ShouldBe(told is null ? [] : [$"$.labels: {told}"]);

    /// <summary>What only tells how it is by now makes no other alert.</summary>
    [Theory]
    [InlineData("""{"name":"A","host":"a","message":"up","time":"02:10","value":3,"state":"ok"}""", true)]
    [InlineData("""{"name":"A","labels":{"host":"a"}}""", true)]
    [InlineData("""{"name":"A","host":"a","eventTime":"2026-11-29T02:01:00Z","id":"2","info":"for 2 minutes","cpu":91.5,"disk":{"free":3},"node":7.5}""", true)]
    [InlineData("""{"name":"A","host":"a","disk":91,"tags":[]}""", true)]
    [InlineData("""{"name":"A","host":"a","tags":["x"]}""", false)]
    [InlineData("""{"name":"A","host":"a","tags":[{"key":"disk","value":"x"}]}""", false)]
    [InlineData("""{"name":"A","host":"a","device":7}""", false)]
    [InlineData("""{"name":"A","host":"a","disk":{"name":"/var","free":3}}""", false)]
    [InlineData("""{"name":"A","host":"b","message":"down"}""", false)]
    [InlineData("""{"name":"A","Host":"b"}""", false)]
    [InlineData("""{"name":"A","host":"a","tags":"disk:/var"}""", false)]
    [InlineData("""{"name":"A","labels":"host:a"}""", false)]
    public void Identity_IsThatOfTheFieldsThatStay(string json, bool same) =>
        (Readers.Read("generic", json).Alerts[0].Fingerprint == Readers.Read("generic", """{"name":"A","host":"a","message":"down"}""").Alerts[0].Fingerprint).ShouldBe(same);

    /// <summary>The end of the one is not that of the other, which goes on.</summary>
    [Theory]
    [InlineData("generic", """{"name":"SvcFlat","labels":{"env":"p","node":{"id":"ID"}},"status":"STATUS"}""")]
    [InlineData("generic", """{"name":"SvcFlat","labels":{"env":"p","nodes":["x",{"id":"ID"}]},"status":"STATUS"}""")]
    [InlineData("generic", """{"name":"SvcFlat","labels":{"host":{"name":"ID"}},"status":"STATUS"}""")]
    [InlineData("generic", """{"name":"SvcFlat","labels":[{"host":"ID"}],"status":"STATUS"}""")]
    [InlineData("generic", """{"name":"SvcFlat","labels":[{"label":"host","value":"ID"}],"status":"STATUS"}""")]
    [InlineData("generic", """{"name":"SvcFlat","labels":[{"name":"node","value":{"id":"ID"}}],"status":"STATUS"}""")]
    [InlineData("alertmanager", """{"alerts":[{"labels":{"alertname":"SvcFlat","node":{"id":"ID"}},"status":"STATUS"}]}""")]
    [InlineData("grafana", """{"alerts":[{"labels":{"alertname":"SvcFlat","node":{"id":"ID"}},"status":"STATUS"}]}""")]
    public async Task LabelThatIsAnObject_IsToldAndMakesTwoAlerts(string source, string post)
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("svc", "{{ labels.env }}", source, "SvcFlat", checks: false));

        var outcomes = new List<IntakeOutcome>();
        foreach (var (id, status) in (IEnumerable<(string, string)>)[("n1", "firing"), ("n2", "firing"), ("n2", "resolved"), ("n1", "firing")])
        {
            var parsed = Readers.Read(source, post.Replace("ID", id, StringComparison.Ordinal).Replace("STATUS", status, StringComparison.Ordinal));
            parsed.Warnings.ShouldHaveSingleItem().Remedy.ShouldStartWith("no label is read of this");
            outcomes.AddRange(await world.TakeAsync([.. parsed.Alerts]));
        }

        outcomes[2].Outcome.ShouldBe(IntakeResult.Resolved);
        (outcomes[3].Outcome, outcomes[3].Id).ShouldBe((IntakeResult.Folded, outcomes[0].Id));
        world.World.Store.All.Single(incident => incident.Id == outcomes[0].Id).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Theory]
    [InlineData("generic", """{"name":"A","labels":{"host":"a","value":{"B":93}}}""")]
    [InlineData("generic", """{"name":"A","labels":[{"name":"host","value":"a"},{"name":"Current_Value","value":{"B":93}}]}""")]
    [InlineData("alertmanager", """{"alerts":[{"labels":{"alertname":"A","host":"a","value":[{"B":93}]}}]}""")]
    public void MeasuredLabelThatIsAnObject_IsToldAndMakesNoOtherAlert(string source, string post)
    {
        var (one, other) = (Readers.Read(source, post), Readers.Read(source, post.Replace("93", "12", StringComparison.Ordinal)));

        one.Warnings.ShouldHaveSingleItem().Remedy.ShouldStartWith("no label is read of this");
        other.Alerts[0].Fingerprint.ShouldBe(one.Alerts[0].Fingerprint);
    }

    /// <summary>All that tells the two apart is in no label: one that nobody knew is over, and the other goes on.</summary>
    [Fact]
    public async Task EndOfAnotherThatWasNeverSeen_EndsNothing()
    {
        await using var world = new IntakeWorld(IntakeWorld.Runbook("svc", "{{ labels.env }}", "generic", "SvcFlat", checks: false));
        await world.TakeAsync([.. Readers.Read("generic", """{"name":"SvcFlat","labels":{"env":"p","node":{"id":"n1"}}}""").Alerts]);

        await world.TakeAsync([.. Readers.Read("generic", """{"name":"SvcFlat","labels":{"env":"p","node":{"id":"n2"}},"status":"resolved"}""").Alerts]);

        (world.Only.State, world.Only.AlertResolvedAt).ShouldBe((IncidentState.AwaitingApproval, null));
    }

    private async Task<IntakeOutcome> PostAsync(string json) =>
        (await _world.TakeAsync([.. Readers.BuiltIn.Read("generic", System.Text.Encoding.UTF8.GetBytes(json)).Alerts])).ShouldHaveSingleItem();
}
