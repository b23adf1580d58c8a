using Azure;
using Azure.Core;
using Azure.Storage.Queues;
using Microsoft.Extensions.Configuration;

namespace Runbooks.AzureStorage;

/// <summary>
/// The task hub that the Functions host keeps in its own account. The program reaches it through the host. Its queues are found by the host's
/// settings, under <c>AzureFunctionsJobHost</c>.
/// </summary>
public sealed class HostTaskHub
{
    private const string DurableTask = "AzureFunctionsJobHost:extensions:durableTask";

    private readonly QueueClient? _workItems;
    private readonly TimeProvider _time;

    public HostTaskHub(IConfiguration settings, TimeProvider time)
        : this(settings, time, null)
    {
    }

    /// <param name="configure">Lets tests watch or break the traffic.</param>
    internal HostTaskHub(IConfiguration settings, TimeProvider time, Action<ClientOptions>? configure) =>
        (_workItems, _time) = (FindWorkItems(settings, configure), time);

    /// <summary>Null when the hub's queues can be read, or are not in a storage account of the settings; otherwise what is wrong, in words.</summary>
    public async Task<string?> CheckQueuesAsync(CancellationToken cancellationToken) => _workItems is null ? null
        : await StorageHealth.FindTroubleAsync(
            [AzureTaskHub.Queues(() => ReadAsync(_workItems, cancellationToken), cancellationToken)], _time, cancellationToken);

    /// <returns>Null where something else keeps the hub, and where the settings name no account for queues.</returns>
    internal static QueueClient? FindWorkItems(IConfiguration settings, Action<ClientOptions>? configure)
    {
        var hub = settings[$"{DurableTask}:hubName"] ?? "Runbooks";
        var account = AccountOf(settings, settings[$"{DurableTask}:storageProvider:connectionName"] ?? "Storage");
        var address = account["queueServiceUri"] ?? (account["accountName"] is { } name ? AzureTaskHub.QueuesOf(name) : null);
        return settings[$"{DurableTask}:storageProvider:type"] is { } keeper
            && !keeper.Equals("azureStorage", StringComparison.OrdinalIgnoreCase) ? null
            : account.Value is { Length: > 0 } || address is not null ? AzureTaskHub.WorkItems(
                hub, account.Value, address, account["clientId"], configure)
            : null;
    }

    /// <summary>
    /// A connection of the host by name, found as by its Durable extension: first under the host's own prefix, and among the connection strings
    /// before the other settings.
    /// </summary>
    private static IConfigurationSection AccountOf(IConfiguration settings, string name) =>
        new[] { $"ConnectionStrings:AzureWebJobs{name}", $"AzureWebJobs{name}", $"ConnectionStrings:{name}" }
            .Select(settings.GetSection)
            .FirstOrDefault(section => section.Exists())
            ?? settings.GetSection(name);

    /// <summary>A missing queue is an answer too: the host creates it when it starts.</summary>
    private static async Task ReadAsync(QueueClient queue, CancellationToken cancellationToken)
    {
        try
        {
            await queue.GetPropertiesAsync(cancellationToken);
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
        }
    }
}
