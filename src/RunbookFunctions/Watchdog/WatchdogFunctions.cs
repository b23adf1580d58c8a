using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Watchdog;

namespace RunbookFunctions.Watchdog;

/// <summary>The host runs each on one instance at a time, however many there are.</summary>
internal sealed class WatchdogFunctions(IncidentWatchdog watch, Retention retention, DurableClients clients)
{
    [Function(nameof(IncidentWatchdog))]
    public Task CheckAsync([TimerTrigger("0 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => watch.CheckAsync(cancellationToken));

    [Function(nameof(Retention))]
    public Task PurgeAsync([TimerTrigger("0 30 4 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        clients.UseAsync(client, () => retention.RunAsync(cancellationToken));
}
