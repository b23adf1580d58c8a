using DurableTask.Core;
using DurableTask.Core.Exceptions;
using DurableTask.Core.Serializing;

namespace Runbooks.Orchestration.TaskHub;

public sealed class TaskHubEngine : IIncidentEngine
{
    // An id is used once, whatever the state of its instance.
    private static readonly OrchestrationStatus[] s_any = Enum.GetValues<OrchestrationStatus>();

    private readonly IOrchestrationServiceClient _service;
    private readonly TaskHubOptions _options;
    private readonly TaskHubHost _host;
    private readonly TaskHubClient _client;

    public TaskHubEngine(IOrchestrationServiceClient service, TaskHubOptions options, TaskHubHost host)
    {
        (_service, _options, _host) = (service, options, host);
        _client = new TaskHubClient(service, TaskHubJson.Instance);
    }

    bool IIncidentEngine.IsShared => _options.IsShared;

    Task IIncidentEngine.StartAsync(IncidentInput input, CancellationToken cancellationToken) =>
        StartAsync(IncidentOrchestrator.Name, input.IncidentId, input);

    Task IIncidentEngine.WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken) =>
        RaiseEventAsync(incidentId, eventName);

    Task<EngineInstance?> IIncidentEngine.FindAsync(string incidentId, CancellationToken cancellationToken) => FindAsync(incidentId);

    Task IIncidentEngine.ForgetAsync(string incidentId, CancellationToken cancellationToken) => ForgetAsync(incidentId);

    /// <summary>Starts an instance; returns once that is durable. An id that exists, whatever its state, is left alone.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written, or the engine is not running.</exception>
    public Task StartAsync(string orchestrator, string id, object? input) => AskAsync(async () =>
    {
        EnsureOpen();
        try
        {
            await _client.CreateOrchestrationInstanceAsync(
                orchestrator, _options.Version ?? "", id, input, tags: null, dedupeStatuses: s_any);
        }
        catch (OrchestrationAlreadyExistsException)
        {
        }

        return true;
    });

    /// <summary>Raises an event without a payload; returns once that is durable. An unknown or finished instance is not an error.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written, or the engine is not running.</exception>
    public Task RaiseEventAsync(string id, string name) => AskAsync(async () =>
    {
        EnsureOpen();
        await _client.RaiseEventAsync(new OrchestrationInstance { InstanceId = id }, name, eventData: null!);
        return true;
    });

    /// <exception cref="StoreUnavailableException">It could not be read.</exception>
    public Task<EngineInstance?> FindAsync(string id) => AskAsync(async () =>
        await _client.GetOrchestrationStateAsync(id) is { OrchestrationInstance: not null } state ? Describe(state) : null);

    /// <summary>Removes a finished instance. A running or unknown one is left alone.</summary>
    /// <exception cref="StoreUnavailableException">It could not be written.</exception>
    public async Task ForgetAsync(string id)
    {
        // Not every service checks the state before it removes.
        if (_service is IOrchestrationServicePurgeClient purge
            && await FindAsync(id) is { Status: not (EngineStatus.Pending or EngineStatus.Running) })
        {
            await AskAsync(() => purge.PurgeInstanceStateAsync(id));
        }
    }

    /// <summary>Null when work is taken, otherwise what is wrong, in words.</summary>
    public async Task<string?> CheckHealthAsync(CancellationToken cancellationToken)
    {
        if (_host.Closed is { } closed)
        {
            return closed;
        }

        if (_options.CheckHealth is { } check)
        {
            return await check(cancellationToken);
        }

        try
        {
            await FindAsync("health");
            return null;
        }
        catch (StoreUnavailableException e)
        {
            return e.Message;
        }
    }

    private static EngineInstance Describe(OrchestrationState state)
    {
        var status = state.OrchestrationStatus switch
        {
            OrchestrationStatus.Pending => EngineStatus.Pending,
            OrchestrationStatus.Completed => EngineStatus.Completed,
            OrchestrationStatus.Failed => EngineStatus.Failed,
            OrchestrationStatus.Terminated or OrchestrationStatus.Canceled => EngineStatus.Terminated,
            _ => EngineStatus.Running,
        };
        return new EngineInstance(
            state.OrchestrationInstance.InstanceId,
            status,
            new DateTimeOffset(DateTime.SpecifyKind(state.LastUpdatedTime, DateTimeKind.Utc)),
            status == EngineStatus.Failed ? FailureOf(state.FailureDetails) ?? state.Output ?? "It failed without saying why." : null);
    }

    private static string? FailureOf(FailureDetails? failure) => IncidentOrchestrator.FailureText(failure?.ErrorType, failure?.ErrorMessage);

    private void EnsureOpen()
    {
        if (_host.Closed is { } why)
        {
            throw new StoreUnavailableException(why);
        }
    }

    // Each service has exceptions of its own; callers know one.
    private static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is not (StoreUnavailableException or ArgumentException or OperationCanceledException))
        {
            throw new StoreUnavailableException($"The engine's store did not answer: {e.Message}", e);
        }
    }
}

internal sealed class TaskHubJson : DataConverter
{
    public static TaskHubJson Instance { get; } = new();

    public override string? Serialize(object? value) => value is null ? null : DurableJson.Write(value, value.GetType());

    public override string? Serialize(object? value, bool formatted) => Serialize(value);

    public override object? Deserialize(string? data, Type objectType) => data is null ? null : DurableJson.Read(data, objectType);
}
