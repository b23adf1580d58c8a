using System.Collections.Concurrent;
using System.Diagnostics;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Queues;
using DurableTask.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Engine;
using Runbooks.Orchestration;
using Runbooks.Orchestration.TaskHub;
using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

/// <summary>A task hub of its own on Azurite, in real time, whose worker can be cut off from the account as if it were killed.</summary>
internal sealed class AzureHub : ITaskHubHarness
{
    /// <summary>Timers of the queue have whole seconds: shorter ones would be none.</summary>
    public static readonly TimeSpan Unit = TimeSpan.FromSeconds(1);

    /// <summary>So short that a worker which is only slow may lose its lease too: all that is promised has to hold even then.</summary>
    private static readonly TaskHubTimes s_quick = new()
    {
        Poll = TimeSpan.FromMilliseconds(100), Lock = TimeSpan.FromSeconds(4), Lease = TimeSpan.FromSeconds(3), LeaseLook = TimeSpan.FromSeconds(1),
    };

    private readonly StorageAccountOptions _options;
    private readonly TaskHubTimes _times;
    private readonly TaskHubTasks _tasks;
    private readonly ConcurrentDictionary<string, bool> _started = new();
    private readonly ILoggerFactory _loggers;
    private readonly QueueServiceClient _queues;
    private readonly TurnAttempts _attempts;
    private readonly IServiceProvider _services;
    private readonly HttpPipelinePolicy[] _watch;
    private Cable _cable = null!;
    private Stopwatch _age = null!;
    private TaskHubHost _host = null!;
    private AzureOrchestrationService _service = null!;

    private AzureHub(StorageAccountOptions options, TaskHubTimes times, TaskHubTasks tasks, ILoggerFactory? loggers, IServiceProvider? services = null, HttpPipelinePolicy[]? watch = null)
    {
        (_options, _times, _tasks, _loggers) = (options, times, tasks, loggers ?? NullLoggerFactory.Instance);
        (_services, _watch) = (services ?? new ServiceCollection().BuildServiceProvider(), watch ?? []);
        _queues = new QueueServiceClient(options.ConnectionString);
        _attempts = new TurnAttempts(new AzureStorageClients(new AzureStorageOptions { ConnectionString = options.ConnectionString }).Table($"a{options.TaskHubName}"));
    }

    public TurnAttempts Attempts => _attempts;

    public TaskHubOptions HubOptions { get; } = new();

    public TaskHubEngine Engine { get; private set; } = null!;

    /// <param name="locks">How long a message that was taken stays hidden; locks shorter than five seconds are not renewed in time.</param>
    /// <param name="services">What the activities are made of.</param>
    /// <param name="watch">Sees every request to the account.</param>
    public static async Task<AzureHub> OpenAsync(
        Azurite azurite, TaskHubTasks tasks, ILoggerFactory? loggers = null, TimeSpan? locks = null, IServiceProvider? services = null, params HttpPipelinePolicy[] watch)
    {
        var options = new StorageAccountOptions { ConnectionString = azurite.ConnectionString, TaskHubName = $"t{Guid.NewGuid():N}"[..20] };
        var hub = new AzureHub(options, s_quick with { Lock = locks ?? s_quick.Lock }, tasks, loggers, services, watch);
        await hub.OpenAsync();
        return hub;
    }

    /// <summary>Another worker on the same hub.</summary>
    public async Task<AzureHub> JoinAsync(TaskHubTasks tasks)
    {
        var other = new AzureHub(_options, _times, tasks, _loggers, _services, _watch);
        await other.OpenAsync();
        return other;
    }

    public async Task StartAsync(string orchestrator, string id, object? input)
    {
        await Engine.StartAsync(orchestrator, id, input);
        _started.TryAdd(id, true);
    }

    public Task RaiseAsync(string id, string name) => Engine.RaiseEventAsync(id, name);

    public Task TerminateAsync(string id, string reason) => _service.ForceTerminateTaskOrchestrationAsync(id, reason);

    /// <summary>Waits as long, unless nothing is left that could happen: then the rest of the time would change nothing.</summary>
    public async Task AdvanceAsync(TimeSpan by)
    {
        var (empty, passed) = (0, Stopwatch.StartNew());
        while (passed.Elapsed < by && empty < 5)
        {
            await Task.Delay(75);
            empty = await CountAsync(async queue => (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount) == 0 ? empty + 1 : 0;
        }
    }

    /// <summary>No queue has had a message to take for a while, and every instance has had its first turn: what is raised before that may be dropped.</summary>
    public async Task SettleAsync()
    {
        var quiet = 0;
        await Patience.UntilAsync(
            async () =>
            {
                quiet = await CountAsync(async queue => (await queue.PeekMessagesAsync(1)).Value.Length) == 0 && !await AnyPendingAsync() ? quiet + 1 : 0;
                return quiet > 5;
            },
            () => "The hub does not settle.",
            TimeSpan.FromMilliseconds(75));
    }

    public Task<OrchestrationEnd> WaitForEndAsync(string id) => Patience.UntilAsync(
        async () => await Engine.FindAsync(id) is { Status: not (EngineStatus.Pending or EngineStatus.Running) } ended
            ? new OrchestrationEnd(ended.Status, ended.Failure ?? (await FindAsync(id)).Output)
            : null,
        () => $"Instance {id} does not end.",
        TimeSpan.FromMilliseconds(40));

    public async Task<EngineStatus?> StatusAsync(string id) => (await Engine.FindAsync(id))?.Status;

    public async Task<string?> CustomStatusAsync(string id) => (await FindAsync(id)).Status;

    public Task ForgetAsync(string id) => Engine.ForgetAsync(id);

    public async Task CrashAsync()
    {
        await CutAsync();
        await OpenAsync();
    }

    /// <summary>From now on the worker reaches nobody; what it holds is held until it lapses.</summary>
    public async Task CutAsync()
    {
        // A lease that was never renewed is good for a minute.
        var young = (s_quick.LeaseLook * 1.5) - _age.Elapsed;
        await Task.Delay(young > TimeSpan.Zero ? young : TimeSpan.Zero);
        _cable.IsCut = true;
        await _host.StopAsync(new CancellationToken(canceled: true));
    }

    /// <summary>The account refuses every connection while something happens.</summary>
    public async Task WhileAwayAsync(Func<Task> happens)
    {
        _cable.IsRefused = true;
        await happens();
        _cable.IsRefused = false;
    }

    /// <param name="before">What happens before the new worker begins to work.</param>
    public async Task OpenAsync(Func<TaskHubClient, Task>? before = null)
    {
        (_cable, _age) = (new Cable(), Stopwatch.StartNew());
        var redeliveries = new RedeliveryCounts();
        var log = new HubLog(_loggers, TimeProvider.System);
        void Watch(ClientOptions client) => Array.ForEach([_cable, .. _watch], policy => client.AddPolicy(policy, HttpPipelinePosition.PerRetry));
        var inner = AzureTaskHub.Create(_options, _times, redeliveries, log, Watch);
        _service = new AzureOrchestrationService(inner, AzureTaskHub.WorkItems(_options, Watch), redeliveries, _attempts, HubOptions, log);
        _host = new TaskHubHost(_service, _tasks, HubOptions, new ActivityShutdown(), _services, TimeProvider.System, _loggers);
        HubOptions.CheckHealth = _service.CheckHealthAsync;
        Engine = new TaskHubEngine(_service, HubOptions, _host);
        if (before is not null)
        {
            await _service.CreateIfNotExistsAsync();
            await before(new TaskHubClient(_service));
        }

        await _host.StartAsync(CancellationToken.None);
    }

    /// <summary>The queue of an instance, by the provider's hash of its id (FNV-1a).</summary>
    public static string QueueOf(string instance) =>
        $"control-0{instance.Aggregate(2_166_136_261u, (hash, letter) => (hash ^ letter) * 16_777_619u) % 4}";

    public Task SendAsync(string queue, string message) => Queue(queue).SendMessageAsync(message);

    /// <summary>Takes the first message of a queue as another worker would, and keeps it for a second.</summary>
    public Task TakeAsync(string queue) => Patience.UntilAsync(
        async () => (await Queue(queue).ReceiveMessageAsync(TimeSpan.FromSeconds(1))).Value is not null, () => $"Nothing comes to {queue}.", TimeSpan.Zero);

    /// <summary>Takes messages of a queue and gives them back, as whoever dies of them does, until one was delivered this often.</summary>
    public async Task RedeliverAsync(string queue, int deliveries)
    {
        var (messages, most) = (Queue(queue), 0L);
        await Patience.UntilAsync(
            async () =>
            {
                if ((await messages.ReceiveMessageAsync(TimeSpan.FromSeconds(30))).Value is { } message)
                {
                    await messages.UpdateMessageAsync(message.MessageId, message.PopReceipt, visibilityTimeout: TimeSpan.Zero);
                    most = Math.Max(most, message.DequeueCount);
                }

                return most >= deliveries;
            },
            () => $"Nothing of {queue} is delivered so often.",
            TimeSpan.Zero);
    }

    /// <summary>An orderly stop takes two seconds; the next test need not wait for them.</summary>
    public ValueTask DisposeAsync()
    {
        _ = _host.StopAsync(CancellationToken.None);
        return ValueTask.CompletedTask;
    }

    private async Task<bool> AnyPendingAsync()
    {
        foreach (var id in _started.Keys)
        {
            if (await StatusAsync(id) == EngineStatus.Pending)
            {
                return true;
            }

            _started.TryRemove(id, out _);
        }

        return false;
    }

    private QueueClient Queue(string name) => _queues.GetQueueClient($"{_options.TaskHubName}-{name}");

    private async Task<OrchestrationState> FindAsync(string id) => (await _service.GetOrchestrationStateAsync(id, allExecutions: false))[0];

    private async Task<int> CountAsync(Func<QueueClient, Task<int>> count)
    {
        string[] queues = ["control-00", "control-01", "control-02", "control-03", "workitems"];
        return (await Task.WhenAll(queues.Select(queue => count(Queue(queue))))).Sum();
    }

    private sealed class Cable : HttpPipelinePolicy
    {
        public volatile bool IsCut;
        public volatile bool IsRefused;

        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => ProcessNext(message, pipeline);

        public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
        {
            if (IsRefused)
            {
                throw new Azure.RequestFailedException("Connection refused.");
            }

            await (IsCut ? Task.Delay(Timeout.Infinite, message.CancellationToken) : Task.CompletedTask);
            await ProcessNextAsync(message, pipeline);
            await (IsCut ? Task.Delay(Timeout.Infinite, message.CancellationToken) : Task.CompletedTask);
        }
    }
}
