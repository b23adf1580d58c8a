using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>Azure delivers a message once more where our answer was lost: after the end of its incident, too, it happened once.</summary>
public sealed class DeliveredAgainTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(
        IntakeWorld.Runbook("secret-expires", "{{ labels.VaultName }}/{{ labels.ObjectName }}", "event-grid", "*", checks: false),
        IntakeWorld.Runbook("vm-slow", "{{ labels.vm }}", "azure-monitor", "*", checks: false),
        Given.Runbook() with { Diagnosis = [], Mitigation = Given.Runbook().Mitigation with { Verify = null }, Resolution = new() });

    private static Alert Event { get; } = Readers.ReadOne("event-grid", AlertCases.Text("event-grid/key-vault-secret-near-expiry")) with { StartsAt = Given.Night };

    private static Alert Fired { get; } = new()
    {
        Source = "azure-monitor",
        Name = "cpu",
        Fingerprint = "/subscriptions/s/alerts/a1",
        StartsAt = Given.Night,
        Labels = new Dictionary<string, string> { ["vm"] = "vm-1" },
    };

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(60 * 20)]
    public async Task Event_OpensNothingAgain(int minutes)
    {
        await TakeUntilDoneAsync(Event);
        _world.World.Time.Advance(TimeSpan.FromMinutes(minutes));

        var again = await TakeAsync(Event);

        (again.Outcome, again.Id).ShouldBe((IntakeResult.Ignored, null));
        again.Reason!.ShouldContain(_world.Only.Id);
    }

    /// <summary>In the same second, or with an id that somebody uses for all their events.</summary>
    [Theory]
    [InlineData("another", 0)]
    [InlineData(null, 1)]
    [InlineData("another", 1)]
    public async Task AnotherEventAboutTheSameThing_Opens(string? id, int startsBefore)
    {
        await TakeUntilDoneAsync(Event);
        var annotations = id is null ? Event.Annotations : new Dictionary<string, string> { ["eventId"] = id };

        (await TakeAsync(Event with { Annotations = annotations, StartsAt = Event.StartsAt!.Value.AddSeconds(-startsBefore) })).Outcome.ShouldBe(IntakeResult.Opened);
    }

    [Fact]
    public async Task AlertOfAzureMonitorWithinTheTimeOfItsRepeats_OpensNothingAgain()
    {
        await TakeUntilDoneAsync(Fired);
        _world.World.Time.Advance(TimeSpan.FromSeconds(75));

        (await TakeAsync(Fired)).Outcome.ShouldBe(IntakeResult.Ignored);
        _world.Only.AlertCount.ShouldBe(1);
    }

    [Theory]
    [InlineData("/subscriptions/s/alerts/a2", 0, 0)]
    [InlineData("/subscriptions/s/alerts/a1", 1, 0)]
    [InlineData("/subscriptions/s/alerts/a1", 0, 3)]
    public async Task AnotherFiringOrALaterOne_Opens(string id, int startsBefore, int minutes)
    {
        await TakeUntilDoneAsync(Fired);
        _world.World.Time.Advance(TimeSpan.FromMinutes(minutes));

        (await TakeAsync(Fired with { Fingerprint = id, StartsAt = Given.Night.AddSeconds(-startsBefore) })).Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>What fires on it sends again on purpose.</summary>
    [Fact]
    public async Task RepeatOfAlertmanager_Opens()
    {
        await TakeUntilDoneAsync(Given.Alert() with { StartsAt = Given.Night });

        (await TakeAsync(Given.Alert() with { StartsAt = Given.Night })).Outcome.ShouldBe(IntakeResult.Opened);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task TakeUntilDoneAsync(Alert alert)
    {
        await TakeAsync(alert);
        (await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
        _world.Only.SettlesAt.ShouldBeNull();
    }

    private async Task<IntakeOutcome> TakeAsync(Alert alert) => (await _world.TakeAsync(alert))[0];
}
