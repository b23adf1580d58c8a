using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>Event Grid delivers an event once more where our answer was lost: after the end of its incident, too, it happened once.</summary>
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

    /// <summary>The record keeps the report of the first one.</summary>
    [Theory]
    [InlineData(0, IntakeResult.Ignored)]
    [InlineData(1, IntakeResult.Opened)]
    public async Task LaterEventAboutTheSameThing_OpensNothingAgain(int startsLater, IntakeResult expected)
    {
        var later = Event with { Annotations = new Dictionary<string, string> { ["eventId"] = "later" }, StartsAt = Event.StartsAt!.Value.AddMinutes(10) };
        await TakeAsync(Event);
        _world.World.Time.Advance(TimeSpan.FromMinutes(11));
        (await TakeAsync(later)).Outcome.ShouldBe(IntakeResult.Folded);
        await DecideAsync();

        (await TakeAsync(later with { StartsAt = later.StartsAt!.Value.AddSeconds(startsLater) })).Outcome.ShouldBe(expected);
    }

    /// <summary>Whoever tries an alert posts it again.</summary>
    [Fact]
    public async Task SameAlertOfAzureMonitor_Opens()
    {
        await TakeUntilDoneAsync(Fired);

        (await TakeAsync(Fired)).Outcome.ShouldBe(IntakeResult.Opened);
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
        await DecideAsync();
    }

    private async Task DecideAsync()
    {
        (await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
        _world.Only.SettlesAt.ShouldBeNull();
    }

    private async Task<IntakeOutcome> TakeAsync(Alert alert) => (await _world.TakeAsync(alert))[0];
}
