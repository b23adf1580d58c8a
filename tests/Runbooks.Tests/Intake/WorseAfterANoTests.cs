using Runbooks.Approvals;
using Runbooks.Intake;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>A no is said knowing how bad it is: the same alert asks again when it becomes worse than that.</summary>
public sealed class WorseAfterANoTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(Given.Runbook());

    [Theory]
    [InlineData(DecisionVerb.Reject)]
    [InlineData(DecisionVerb.TakeOver)]
    public async Task BecomesWorseThanWhenThePersonSaidNo_AsksAndSaysWhoSaidNo(DecisionVerb verb)
    {
        var refused = await RefuseAsync(verb, "warning");

        var worse = await TakeAsync("critical");

        worse.Outcome.ShouldBe(IntakeResult.Opened);
        Find(worse.Id).EarlierNo!.Incident.ShouldBe(refused);
    }

    [Theory]
    [InlineData("SEV-3", "SEV-1")]
    [InlineData("Sev 2", "urgent")]
    [InlineData("s1", "S0")]
    [InlineData(null, "critical")]
    [InlineData("ticket", "critical")]
    public async Task BecomesWorseInOtherWords_Asks(string? before, string after)
    {
        await RefuseAsync(DecisionVerb.Reject, before);

        (await TakeAsync(after)).Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>Nobody knows whether that is worse.</summary>
    [Theory]
    [InlineData(null, "high")]
    [InlineData("ticket", "warning")]
    [InlineData("3", "1")]
    public async Task MayBeWorse_DoesNotAskAgain(string? before, string after)
    {
        await RefuseAsync(DecisionVerb.Reject, before);

        (await TakeAsync(after)).Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task WorstThereIsBesideAnAlertWithoutASeverity_IsToldAsMoreSevere()
    {
        await TakeAsync(severity: null);

        await _world.TakeAsync(Given.Alert() with { Fingerprint = "another", Severity = "critical" });
        await _world.TakeAsync(Given.Alert() with { Fingerprint = "third", Severity = "critical" });

        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith("A more severe alert on this target");
    }

    [Fact]
    public async Task HadBecomeWorseBeforeTheNo_DoesNotAskAgain()
    {
        await TakeAsync("warning");
        await TakeAsync("critical");
        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith("A more severe alert on this target");
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        (await TakeAsync("critical")).Outcome.ShouldBe(IntakeResult.Folded);
        (await TakeAsync("warning")).Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task MilderAlertAfterTheFirstBecameWorse_IsNotToldAsMoreSevere()
    {
        await TakeAsync("warning");
        await TakeAsync("critical");

        await _world.TakeAsync(Given.Alert() with { Fingerprint = "another", Severity = "error" });

        _world.Only.News.Count.ShouldBe(1);
        _world.Only.Timeline.ShouldContain(line => line.What.StartsWith("Another alert on this target"));
    }

    [Fact]
    public async Task NoToTheWorseOneToo_HoldsForBoth()
    {
        await RefuseAsync(DecisionVerb.Reject, "warning");
        var second = (await TakeAsync("critical")).Id!;
        await _world.World.DecideAsync(second, DecisionVerb.Reject);

        (await TakeAsync("critical")).Id.ShouldBe(second);
        (await TakeAsync("warning")).Id.ShouldBe(second);
    }

    [Fact]
    public async Task SomethingWasDoneAboutTheWorseOne_TheEarlierNoHoldsNoLonger()
    {
        await RefuseAsync(DecisionVerb.Reject, "warning");
        var second = (await TakeAsync("critical")).Id!;
        _world.World.Script.OnDone = _ => _world.World.Script.Verdicts["stuck"] = Verdict.Passing;
        (await _world.World.DecideAsync(second, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);

        (await TakeAsync("warning")).Outcome.ShouldBe(IntakeResult.Opened);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<string> RefuseAsync(DecisionVerb verb, string? severity)
    {
        var id = (await TakeAsync(severity)).Id!;
        await _world.World.DecideAsync(id, verb);
        if (verb == DecisionVerb.TakeOver)
        {
            await _world.World.Get<IncidentVerbService>().CloseAsync(id, "ada", "tomorrow", TestContext.Current.CancellationToken);
        }

        return id;
    }

    private Incident Find(string? id) => _world.World.Store.All.Single(incident => incident.Id == id);

    private async Task<IntakeOutcome> TakeAsync(string? severity) => (await _world.TakeAsync(Given.Alert() with { Severity = severity, StartsAt = Given.Night }))[0];
}
