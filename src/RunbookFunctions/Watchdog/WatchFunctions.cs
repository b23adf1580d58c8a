using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using RunbookFunctions.Durable;
using Runbooks.Watchdog;

namespace RunbookFunctions.Watchdog;

/// <summary>The host runs each on one instance at a time, however many there are.</summary>
internal sealed class WatchFunctions(DeadManWatch watch, Retention retention, DurableClients clients)
{
    [Function(nameof(DeadManWatch))]
    public Task LookAsync([TimerTrigger("0 * * * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken stop) =>
        clients.UseAsync(client, () => watch.LookAsync(stop));

    [Function(nameof(Retention))]
    public Task PurgeAsync([TimerTrigger("0 30 4 * * *")] TimerInfo timer, [DurableClient] DurableTaskClient client, CancellationToken stop) =>
        clients.UseAsync(client, () => retention.RunAsync(stop));
}
