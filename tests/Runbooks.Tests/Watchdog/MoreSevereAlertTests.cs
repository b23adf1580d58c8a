using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <summary>Something worse is reported on a target whose incident asks nobody at the moment.</summary>
public sealed class MoreSevereAlertTests : IAsyncDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);
    private static readonly Incident s_asked = Some.Waiting() with
    {
        Alert = Some.Alert() with { Severity = "warning" },
        Deliveries = [new Delivery("mitigation-1:0:oncall", "oncall", "test", Some.Time, null)],
    };

    private readonly WatchdogWorld _world = new();

    /// <summary>No question is open that could tell it.</summary>
    [Theory]
    [InlineData(IncidentState.Holding, true)]
    [InlineData(IncidentState.Verifying, true)]
    [InlineData(IncidentState.TakenOver, true)]
    [InlineData(IncidentState.Diagnosing, false)]
    [InlineData(IncidentState.Cancelled, false)]
    public async Task MoreSevereWhileNobodyIsAsked_IsToldOnceWithinAMinute(IncidentState state, bool told)
    {
        var decided = s_asked.Decide("mitigation-1", new Decision(state == IncidentState.TakenOver ? DecisionVerb.TakeOver : DecisionVerb.Approve, "ada", "link", Some.Time)).Incident;
        var id = await _world.OpenAsync(state.IsFinal() ? decided.End(state, "So.", Some.Time) : decided with { State = state, WaitsUntil = Some.Time + (s_minute * 600) });
        await _world.CheckAsync(id, s_minute);
        _world.Sent.ShouldBeEmpty();
        await _world.Store.UpdateAsync(id, i => i.Attach(Some.Alert("EverythingHangs") with { Severity = "Sev0", Summary = "Nothing answers" }, _world.Now), CancellationToken.None);

        await _world.CheckAsync(id, s_minute, s_minute, s_minute * 30);

        _world.Paged.ShouldBe(told ? ["oncall", ContactBook.Fallback] : [], ignoreOrder: true);
        if (told)
        {
            _world.Sent.First().Card.Sections[0].Lines[0].ShouldBe("A more severe alert on this target: EverythingHangs (Sev0): Nothing answers.");
        }
    }

    /// <summary>A responder owns the target, and the alert of a fix that did not hold before comes to them.</summary>
    [Fact]
    public async Task AnotherIncidentGoesOnAsThisOne_IsToldLikewise()
    {
        var owned = s_asked.Decide("mitigation-1", new Decision(DecisionVerb.TakeOver, "ada", "link", Some.Time)).Incident.End(IncidentState.TakenOver, "So.", Some.Time);
        var id = await _world.OpenAsync(owned.GoOnFor(Some.Incident("earlier"), [Some.Alert("Full")], "earlier", "The last fix did not hold.", Some.Time));

        await _world.CheckAsync(id, s_minute, s_minute);

        _world.Paged.ShouldBe(["oncall", ContactBook.Fallback], ignoreOrder: true);
        _world.Sent.First().Card.Sections[0].Lines[0].ShouldBe("The last fix did not hold. This incident has Full from here on; its plan may not be for that.");
    }

    /// <summary>None of them stands for the others, in a storm too: that one message tells how bad it is says nothing of a fix that did not hold.</summary>
    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task SeveralUrgentNews_AreAllTold(bool worseFirst, bool inStorm)
    {
        Func<Incident, Incident>[] news =
        [
            i => i.Attach(Some.Alert("EverythingHangs") with { Severity = "Sev0" }, _world.Now),
            i => GoOn(i, "first"),
            i => GoOn(i, "second"),
        ];
        var holding = s_asked.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time)).Incident with
        {
            State = IncidentState.Holding,
            WaitsUntil = Some.Time + (s_minute * 600),
            Storm = inStorm ? "storm-1" : null,
        };
        var id = await _world.OpenAsync((worseFirst ? news : news.Reverse()).Aggregate(holding, (incident, add) => add(incident)));

        await _world.CheckAsync(id, s_minute, s_minute);

        var lines = _world.Sent.Where(sent => sent.Card.Kind == CardKind.Page && sent.To == "oncall").SelectMany(sent => sent.Card.Sections.SelectMany(section => section.Lines)).ToList();
        lines.ShouldContain(line => line.Contains("The fix of first did not hold."));
        lines.ShouldContain(line => line.Contains("The fix of second did not hold."));
        lines.Any(line => line.Contains("A more severe alert on this target: EverythingHangs")).ShouldBe(!inStorm);
        var count = _world.Sent.Count;
        await _world.CheckAsync(id, s_minute * 30);
        _world.Sent.Count.ShouldBe(count);

        Incident GoOn(Incident incident, string earlier) => incident.GoOnFor(Some.Incident(earlier), [Some.Alert("Full")], earlier, $"The fix of {earlier} did not hold.", _world.Now);
    }

    [Fact]
    public async Task MoreSevereThatTheQuestionHadTold_IsNotToldAgain()
    {
        var worse = s_asked.Attach(Some.Alert("EverythingHangs") with { Severity = "Sev0" }, Some.Time);
        var heard = worse with { Deliveries = [.. worse.Deliveries, new Delivery("mitigation-1:news:severity:0:oncall", "oncall", "test", Some.Time, null)] };
        var id = await _world.OpenAsync(heard.Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time)).Incident with { State = IncidentState.Holding, WaitsUntil = Some.Time + (s_minute * 600) });

        heard.UrgentSinceAsked().ShouldBeEmpty();
        worse.UrgentSinceAsked().ShouldNotBeEmpty();
        await _world.CheckAsync(id, s_minute, s_minute);

        _world.Paged.ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
