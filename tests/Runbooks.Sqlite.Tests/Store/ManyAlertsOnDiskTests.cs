using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using TestKit;
using TestKit.Engine;

namespace Runbooks.Sqlite.Tests.Store;

/// <summary>The same storm as in memory, smaller, on the real database.</summary>
public sealed class ManyAlertsOnDiskTests : IDisposable
{
    private readonly DataFolder _data = new();

    [Fact]
    public async Task TwoThousandAlertsOnFortyTargets_AreFortyIncidentsOnDisk()
    {
        var time = new FakeTimeProvider(Some.Time);
        var store = new SqliteIncidentStore(_data.Database);
        var intake = SomeIntake.On(() => [Some.Runbook()], store, new RecordingEngine(time), time);
        var posts = Enumerable.Range(0, 40).Select(post => Enumerable.Range(0, 50).Select(i => Some.Alert(pod: $"llm-b-{((post * 50) + i) % 40}")).ToList());

        await Task.WhenAll(posts.Select(post => intake.ReceiveAsync(post, CancellationToken.None)));

        var stored = await store.ListAsync(new IncidentQuery(Limit: 500), CancellationToken.None);
        stored.Items.Count.ShouldBe(40);
        stored.Items.ShouldAllBe(incident => incident.AlertCount == 50);
    }

    public void Dispose() => _data.Dispose();
}
