using Runbooks.Model.Incidents;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

public sealed class RetentionTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task ClosedIncidents_GoWithEvidenceAndHistoryAfterTheirTime()
    {
        var old = await _world.OpenAsync(Some.Incident("261123-0312-aaaaaaaa", "a") with { State = IncidentState.Resolved, ClosedAt = Some.Time });
        var open = await _world.OpenAsync(Some.Incident("261123-0312-bbbbbbbb", "b"));
        var reference = await _world.Evidence.SaveAsync(old, "logs.txt", new MemoryStream([1]), CancellationToken.None);
        _world.Time.Advance(TimeSpan.FromDays(89));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);
        _world.Engine.Forgotten.ShouldBeEmpty();

        _world.Time.Advance(TimeSpan.FromDays(2));
        await _world.Get<Retention>().RunAsync(CancellationToken.None);

        (await _world.Store.FindAsync(old, CancellationToken.None)).ShouldBeNull();
        (await _world.Evidence.OpenAsync(reference, CancellationToken.None)).ShouldBeNull();
        _world.Engine.Forgotten.ShouldBe([old]);
        (await _world.Store.FindAsync(open, CancellationToken.None)).ShouldNotBeNull();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
