using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Engine;
using Runbooks.Model.Storage;

namespace Runbooks.Watchdog;

/// <summary>Removes closed incidents after their time: record, evidence and history. Hosts call it once a day.</summary>
public sealed class Retention(
    IIncidentStore store, IEvidenceStore evidence, IIncidentEngine engine, IOptions<WatchdogOptions> options, TimeProvider time, ILogger<Retention> logger)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var removed = await store.PurgeAsync(time.GetUtcNow() - options.Value.KeepFor, cancellationToken);
        foreach (var id in removed)
        {
            await evidence.DeleteAsync(id, cancellationToken);
            await engine.ForgetAsync(id, cancellationToken);
        }

        Log.Purged(logger, removed.Count);
    }
}
