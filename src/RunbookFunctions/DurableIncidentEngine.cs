using Azure.Core.Serialization;
using DurableTask.Core.Exceptions;
using Grpc.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.AzureStorage;
using Runbooks.Engine;
using Runbooks.Orchestration;

namespace RunbookFunctions;

internal sealed class DurableIncidentEngine(DurableClients clients, HostTaskHub hub, TimeProvider time) : IIncidentEngine
{
    /// <summary>A question about health does not wait for all retries of the host.</summary>
    private static readonly TimeSpan s_longestCheck = TimeSpan.FromSeconds(8);

    /// <summary>All statuses, since an id is started once. Otherwise a finished instance would be replaced and its history lost.</summary>
    private static readonly OrchestrationRuntimeStatus[] s_any =
    [
        OrchestrationRuntimeStatus.Pending, OrchestrationRuntimeStatus.Running, OrchestrationRuntimeStatus.Suspended,
        OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Terminated,
    ];

    public Task StartAsync(IncidentInput input, CancellationToken cancellationToken) =>
        StartAsync(IncidentOrchestrator.Name, input.IncidentId, input, cancellationToken);

    internal async Task StartAsync(TaskName orchestrator, string id, object? input, CancellationToken cancellationToken)
    {
        // Looked up first, since two starts at the same moment may both succeed. Then the orchestration's own records decide, since every
        // activity is safe to repeat.
        if (await clients.Current.GetInstanceAsync(id, cancellationToken) is not null)
        {
            return;
        }

        try
        {
            var once = new StartOrchestrationOptions(id) { Version = IncidentOrchestrator.Version }.WithDedupeStatuses(s_any);
            await clients.Current.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, once, cancellationToken);
        }
        catch (OrchestrationAlreadyExistsException)
        {
            // Somebody else started it between the look and the start.
        }
    }

    public async Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken)
    {
        try
        {
            await clients.Current.RaiseEventAsync(incidentId, eventName, eventPayload: null, cancellationToken);
        }
        catch (RpcException missing) when (missing.StatusCode is StatusCode.NotFound or StatusCode.FailedPrecondition)
        {
            // Unknown or finished. The platform either says so, or drops the event without an error.
        }
    }

    public async Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) =>
        await clients.Current.GetInstanceAsync(incidentId, getInputsAndOutputs: true, cancellationToken) is { } found
            ? new EngineInstance(found.InstanceId, StatusOf(found.RuntimeStatus), found.LastUpdatedAt, FailureOf(found.FailureDetails))
            : null;

    private static string? FailureOf(TaskFailureDetails? failure) =>
        IncidentOrchestrator.FailureText(failure?.ErrorType, failure?.ErrorMessage);

    public async Task ForgetAsync(string incidentId, CancellationToken cancellationToken)
    {
        if (await FindAsync(incidentId, cancellationToken) is { Status: EngineStatus.Completed or EngineStatus.Failed or EngineStatus.Terminated })
        {
            await clients.Current.PurgeInstanceAsync(incidentId, cancellationToken);
        }
    }

    public async Task<string?> CheckHealthAsync(CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(CheckInstancesAsync(cancellationToken), hub.CheckQueuesAsync(cancellationToken));
        return string.Join(' ', troubles.OfType<string>()) is { Length: > 0 } words ? words : null;
    }

    private async Task<string?> CheckInstancesAsync(CancellationToken cancellationToken)
    {
        try
        {
            // An id that no incident has: one round to the hub's storage, without its queues.
            await clients.Current.GetInstanceAsync("health", cancellationToken).WaitAsync(s_longestCheck, time, cancellationToken);
            return null;
        }
        catch (TimeoutException)
        {
            return "The task hub does not answer in time.";
        }
        catch (RpcException failure)
        {
            return $"The task hub does not answer: {failure.Status.StatusCode}.";
        }
    }

    internal static EngineStatus StatusOf(OrchestrationRuntimeStatus status) => status switch
    {
        OrchestrationRuntimeStatus.Pending => EngineStatus.Pending,
        OrchestrationRuntimeStatus.Completed => EngineStatus.Completed,
        OrchestrationRuntimeStatus.Failed => EngineStatus.Failed,
        OrchestrationRuntimeStatus.Terminated => EngineStatus.Terminated,
        _ => EngineStatus.Running,
    };
}

/// <summary>
/// The platform gives a client to each invocation only. It is kept for the length of that invocation, where the engine, which lives as long as
/// the process, finds it.
/// </summary>
internal sealed class DurableClients
{
    private readonly AsyncLocal<DurableTaskClient?> _current = new();

    /// <exception cref="InvalidOperationException">The function that is running has no client binding.</exception>
    public DurableTaskClient Current =>
        _current.Value ?? throw new InvalidOperationException("The engine is used outside a function that binds a Durable client.");

    public async Task<T> UseAsync<T>(DurableTaskClient client, Func<Task<T>> work)
    {
        _current.Value = client;
        return await work();
    }

    public Task UseAsync(DurableTaskClient client, Func<Task> work) => UseAsync(client, async () =>
    {
        await work();
        return true;
    });
}

internal static class DurableServices
{
    public static IServiceCollection AddDurableEngine(this IServiceCollection services)
    {
        // History is written like all durable data here: camelCase, enums as words.
        services.Configure<WorkerOptions>(worker => worker.Serializer = new JsonObjectSerializer(DurableJson.Options));
        return services
            .AddSingleton<DurableClients>()
            .AddSingleton(provider => new HostTaskHub(
                HostSettings.Of(provider.GetRequiredService<IConfiguration>(), AppContext.BaseDirectory),
                provider.GetRequiredService<TimeProvider>()))
            .AddSingleton<IIncidentEngine, DurableIncidentEngine>();
    }
}

/// <summary>The Functions host's own configuration, which it does not pass to this program: its file, and over it the app's settings.</summary>
internal static class HostSettings
{
    public static IConfiguration Of(IConfiguration settings, string folder)
    {
        var file = new ConfigurationBuilder().AddJsonFile(Path.Combine(folder, "host.json"), optional: true).Build();
        return new ConfigurationBuilder()
            .AddInMemoryCollection(file.AsEnumerable().Select(one => KeyValuePair.Create($"AzureFunctionsJobHost:{one.Key}", one.Value)))
            .AddConfiguration(settings)
            .Build();
    }
}
