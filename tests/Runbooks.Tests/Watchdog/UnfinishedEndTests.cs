using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

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

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
