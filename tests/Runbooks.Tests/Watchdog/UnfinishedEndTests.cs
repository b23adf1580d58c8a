using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Storage;

namespace Runbooks.Tests.Watchdog;

/// <summary>The host died between an end that the watch recorded and all that follows it.</summary>
public sealed class UnfinishedEndTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndThatBrokeOff_IsFinishedWhetherOrNotSomebodyAcknowledgedIt(bool acknowledged)
    {
        var ended = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time, new() { IsInconclusive = true }) with { IsEndUnfinished = true };
        var id = await _world.OpenAsync(acknowledged ? ended.Acknowledge("ada", null, Some.Time) : ended);

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));

        (await _world.Store.GetAsync(id, TestContext.Current.CancellationToken)).IsEndUnfinished.ShouldBeFalse();
    }

    /// <summary>Also who sees to it, or has closed it, looks for what is known by now; no card says again that a person is needed.</summary>
    [Theory]
    [InlineData(false, false, null)]
    [InlineData(true, false, CardKind.Decided)]
    [InlineData(true, true, CardKind.Closed)]
    public async Task OutcomeThatComesToBeKnownAfterTheEnd_IsToldOnceToWhoeverWasPaged(bool acknowledged, bool closed, CardKind? shown)
    {
        var id = await _world.OpenAsync(CutOff());
        await _world.CheckAsync(id, TimeSpan.FromMinutes(3));
        _world.Paged.ShouldHaveSingleItem();
        _world.Sent.Clear();

        await _world.Store.UpdateAsync(id, i => Known(SeenTo(i)), TestContext.Current.CancellationToken);
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10))).IsEndUnfinished.ShouldBeFalse();

        _world.Paged.ShouldHaveSingleItem();
        var page = _world.Sent.Single(sent => sent.Card.Kind == CardKind.Page).Card;
        page.Sections.SelectMany(section => section.Lines).ShouldContain(line => line.Contains("drain is known now: Drained."));
        page.Sections.SelectMany(section => section.Lines).Contains("ada has closed it already. Look whether that fits what is known now.").ShouldBe(closed);
        _world.Changed.Select(changed => changed.Card.Kind).Distinct().ShouldBe([shown ?? CardKind.Page]);
        _world.Changed.Any(changed => changed.Key == page.Key).ShouldBe(closed, "a pager that rings with it is not ended before somebody has heard it");

        Incident SeenTo(Incident incident) =>
            closed ? incident.CloseByHand("ada", "drained by hand", _world.Now) : acknowledged ? incident.Acknowledge("ada", null, _world.Now) : incident;
    }

    /// <summary>Whether the watch has just recorded the end, or goes on with one that broke off.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OutcomeThatComesToBeKnownWhileTheWatchFinishesTheEnd_IsTold(bool brokeOff)
    {
        var id = brokeOff ? await _world.OpenAsync(CutOff() with { IsEndUnfinished = true })
            : await _world.OpenAsync(Some.Waiting().WithChange(StepStatus.Running), EngineStatus.Failed, "it broke");
        _world.WhileFinishing = () =>
        {
            _world.WhileFinishing = () => Task.CompletedTask;
            return _world.Store.UpdateAsync(id, Known, TestContext.Current.CancellationToken);
        };

        (await _world.CheckAsync(id, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(1))).IsEndUnfinished.ShouldBeFalse();

        _world.Sent.Count(sent => sent.Card.Sections.Any(section => section.Heading == "What happened" && section.Lines.Contains("drain is known now: Drained."))).ShouldBe(1);
    }

    /// <summary>It has closed while the page about it was on its way.</summary>
    [Fact]
    public async Task IncidentThatIsClosedWhileItsOutcomeIsTold_StaysClosedOnItsCards()
    {
        var id = await _world.OpenAsync(CutOff());
        await _world.CheckAsync(id, TimeSpan.FromMinutes(3));
        await _world.Store.UpdateAsync(id, Known, TestContext.Current.CancellationToken);
        _world.WhileSending = () => _world.Store.UpdateAsync(id, i => i.CloseByHand("ada", "drained by hand", _world.Now), TestContext.Current.CancellationToken);

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));

        _world.Changed.Select(changed => changed.Card.Kind).Distinct().ShouldBe([CardKind.Closed]);
    }

    /// <summary>Whoever cannot be reached with it keeps nothing else waiting.</summary>
    [Fact]
    public async Task OutcomeThatReachesNobody_DoesNotKeepTheCloseByHandFromItsEnd()
    {
        var id = await _world.OpenAsync(Known(CutOff()).CloseByHand("ada", "drained by hand", _world.Now).BeginClosing());
        _world.ChannelIsDown = true;

        var closed = await _world.CheckAsync(id, TimeSpan.FromMinutes(3));

        (closed.ClosedByHand!.IsUnfinished, closed.IsEndUnfinished).ShouldBe((false, true));
        _world.Ended.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task OutcomeThatReachesNobody_IsTriedAgain()
    {
        var id = await _world.OpenAsync(Known(CutOff().Acknowledge("ada", null, Some.Time)));
        _world.ChannelIsDown = true;
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(1))).IsEndUnfinished.ShouldBeTrue();

        _world.ChannelIsDown = false;
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(5))).IsEndUnfinished.ShouldBeFalse();
        _world.Paged.ShouldNotBeEmpty();
    }

    private static Incident CutOff()
    {
        var begun = Some.Waiting().WithChange(StepStatus.Running);
        return begun.FinishStep(begun.Steps[0] with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off."), Some.Time)
            .End(IncidentState.Failed, "Nobody knows whether drain happened.", Some.Time);
    }

    private Incident Known(Incident incident) => incident.FinishStep(incident.Steps[0], StepStatus.Done, new("Drained."), _world.Now);

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
