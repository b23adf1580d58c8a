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

    /// <summary>Also who has acknowledged it looks for what is known by now.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OutcomeThatComesToBeKnownAfterTheEnd_IsToldOnceToWhoeverWasPaged(bool acknowledged)
    {
        var begun = Some.Waiting().WithChange(StepStatus.Running);
        var ended = begun.FinishStep(begun.Steps[0] with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off."), Some.Time)
            .End(IncidentState.Failed, "Nobody knows whether drain happened.", Some.Time);
        var id = await _world.OpenAsync(ended);
        await _world.CheckAsync(id, TimeSpan.FromMinutes(3));
        _world.Paged.ShouldHaveSingleItem();
        _world.Sent.Clear();

        await _world.Store.UpdateAsync(id, i => (acknowledged ? i.Acknowledge("ada", null, _world.Now) : i).FinishStep(i.Steps[0], StepStatus.Done, new("Drained."), _world.Now), TestContext.Current.CancellationToken);
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10))).IsEndUnfinished.ShouldBeFalse();

        _world.Paged.ShouldHaveSingleItem();
        _world.Sent.Single(sent => sent.Card.Kind == CardKind.Page).Card.Sections.SelectMany(section => section.Lines).ShouldContain(line => line.Contains("drain is known now: Drained."));
    }

    [Fact]
    public async Task OutcomeThatReachesNobody_IsTriedAgain()
    {
        var begun = Some.Waiting().WithChange(StepStatus.Running);
        var ended = begun.FinishStep(begun.Steps[0] with { CutOff = true }, StepStatus.Unknown, new("An attempt was cut off."), Some.Time)
            .End(IncidentState.Failed, "Nobody knows whether drain happened.", Some.Time).Acknowledge("ada", null, Some.Time);
        var id = await _world.OpenAsync(ended.FinishStep(ended.Steps[0], StepStatus.Done, new("Drained."), _world.Now));
        _world.ChannelIsDown = true;
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(1))).IsEndUnfinished.ShouldBeTrue();

        _world.ChannelIsDown = false;
        (await _world.CheckAsync(id, TimeSpan.FromMinutes(5))).IsEndUnfinished.ShouldBeFalse();
        _world.Paged.ShouldNotBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
