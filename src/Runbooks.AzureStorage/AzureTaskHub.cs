using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using DurableTask.AzureStorage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Runbooks.AzureStorage;

internal static class AzureTaskHub
{
    /// <summary>Never change it: it decides which queue an instance's messages are in. No more processes than this run orchestrators.</summary>
    private const int Partitions = 4;

    /// <param name="configure">Lets tests watch or break the traffic.</param>
    public static AzureStorageOrchestrationService Create(
        StorageAccountOptions options, TaskHubTimes times, RedeliveryCounts redeliveries, ILoggerFactory loggers, Action<ClientOptions>? configure = null) =>
        new(new AzureStorageOrchestrationServiceSettings
        {
            StorageAccountClientProvider = Clients(options, redeliveries, configure),
            TaskHubName = options.TaskHubName,
            PartitionCount = Partitions,
            UseTablePartitionManagement = true,

            // With one name for all processes, two of them could believe that a lease is theirs.
            WorkerId = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid():N}",
            UseAppLease = false,
            LeaseInterval = times.Lease,
            LeaseAcquireInterval = times.LeaseLook,
            LeaseRenewInterval = times.LeaseLook,
            MaxQueuePollingInterval = times.Poll,
            ControlQueueVisibilityTimeout = times.Lock,
            WorkItemQueueVisibilityTimeout = times.Lock,
            MaxConcurrentTaskOrchestrationWorkItems = 64,
            MaxConcurrentTaskActivityWorkItems = 64,
            ThrowExceptionOnInvalidDedupeStatus = true,
            CustomMessageTypeBinder = new OwnTypesOnly(),
            LoggerFactory = loggers,
        });

    /// <inheritdoc cref="WorkItems(string, string?, string?, string?, Action{ClientOptions}?)"/>
    public static QueueClient WorkItems(StorageAccountOptions options, Action<ClientOptions>? configure = null) =>
        WorkItems(
            options.TaskHubName,
            options.ConnectionString,
            options.AccountName is { } account ? QueuesOf(account) : null,
            options.ClientId,
            configure);

    /// <param name="address">Of the account's queues, for signing in; not used with a connection string.</param>
    public static QueueClient WorkItems(string hub, string? connectionString, string? address, string? clientId, Action<ClientOptions>? configure)
    {
        var (name, queues) = ($"{hub.ToLowerInvariant()}-workitems", new QueueClientOptions());
        queues.GiveUpSoon();
        configure?.Invoke(queues);
        return connectionString is { Length: > 0 }
            ? new(connectionString, name, queues)
            : new(new Uri($"{address!.TrimEnd('/')}/{name}"), StorageIdentity.For(clientId), queues);
    }

    public static string QueuesOf(string account) => $"https://{account}.queue.core.windows.net";

    public static (string What, Func<Task> Try) Queues(Func<Task> read, CancellationToken cancellationToken) =>
        ("Queues of the task hub", () => AzureStorageErrors.GuardAsync(read, cancellationToken));

    private static StorageAccountClientProvider Clients(
        StorageAccountOptions options, RedeliveryCounts redeliveries, Action<ClientOptions>? configure)
    {
        var (blobs, queues, tables) = (new BlobClientOptions(), new QueueClientOptions(), new TableClientOptions());
        queues.AddPolicy(redeliveries, HttpPipelinePosition.PerCall);
        queues.AddPolicy(new TakenMessagePolicy(), HttpPipelinePosition.PerCall);
        foreach (var client in (ClientOptions[])[blobs, queues, tables])
        {
            client.GiveUpSoon();
            configure?.Invoke(client);
        }

        if (options.ConnectionString is { } connection)
        {
            return new(
                StorageServiceClientProvider.ForBlob(connection, blobs),
                StorageServiceClientProvider.ForQueue(connection, queues),
                StorageServiceClientProvider.ForTable(connection, tables));
        }

        var (account, credential) = (options.AccountName!, StorageIdentity.For(options.ClientId));
        return new(
            StorageServiceClientProvider.ForBlob(account, credential, options: blobs),
            StorageServiceClientProvider.ForQueue(account, credential, options: queues),
            StorageServiceClientProvider.ForTable(account, credential, options: tables));
    }

    /// <summary>Messages name the types of their content. Durable Task finds its own types without this; it only allows tags beside them.</summary>
    private sealed class OwnTypesOnly : ICustomTypeBinder
    {
        private const string Tags = "System.Collections.Generic.Dictionary`2[[System.String,";

        public void BindToName(Type serializedType, out string assemblyName, out string typeName) =>
            (assemblyName, typeName) = (null!, serializedType.FullName!);

        public Type BindToType(string assemblyName, string typeName) => typeName.StartsWith(Tags, StringComparison.Ordinal)
            ? typeof(Dictionary<string, string>)
            : throw new InvalidOperationException($"A message may not hold a {typeName}.");
    }
}

/// <summary>
/// How soon work is noticed, and how soon the work of a dead process is taken over: after the longer of lease and lock, and the time between
/// two looks. Each look costs an operation.
/// </summary>
internal sealed record TaskHubTimes
{
    public static readonly TaskHubTimes Usual = new();

    /// <summary>How often an idle queue is looked at. A queue with work in it is looked at every 50 ms.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a taken message is hidden from others; renewed while it is worked on.</summary>
    public TimeSpan Lock { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a quarter of all instances belongs to a process, which renews it at every look. Longer than the clocks of two machines ever
    /// differ.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan LeaseLook { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// A message that another process has taken meanwhile counts as deleted. Durable Task's provider handles only deleted messages as no fault;
/// with the other error it would count the activity as running for ever.
/// </summary>
internal sealed class TakenMessagePolicy : HttpPipelineSynchronousPolicy
{
    public override void OnReceivedResponse(HttpMessage message)
    {
        if (message.Response is { Status: 400 } answer && answer.Headers.TryGetValue("x-ms-error-code", out var code) && code == "PopReceiptMismatch")
        {
            message.Response = new Gone(answer);
        }
    }

    private sealed class Gone(Response answer) : Response
    {
        public override int Status => 404;

        public override string ReasonPhrase => answer.ReasonPhrase;

        public override Stream? ContentStream
        {
            get => answer.ContentStream;
            set => answer.ContentStream = value;
        }

        public override string ClientRequestId
        {
            get => answer.ClientRequestId;
            set => answer.ClientRequestId = value;
        }

        public override void Dispose() => answer.Dispose();

        protected override bool ContainsHeader(string name) => answer.Headers.Contains(name);

        protected override IEnumerable<HttpHeader> EnumerateHeaders() => answer.Headers;

        protected override bool TryGetHeader(string name, [NotNullWhen(true)] out string? value) => answer.Headers.TryGetValue(name, out value);

        protected override bool TryGetHeaderValues(string name, [NotNullWhen(true)] out IEnumerable<string>? values) =>
            answer.Headers.TryGetValues(name, out values);
    }
}

/// <summary>
/// The log of Durable Task's provider in readable form: warnings and worse, one line each, and one line a minute of the same kind. While an
/// account is away, the provider writes pages of stack traces many times a second.
/// </summary>
internal sealed class HubLog(ILoggerFactory loggers, TimeProvider time) : ILoggerFactory
{
    private const int Longest = 300;

    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<int, long> _written = new();
    private int _muted;

    /// <summary>Operations whose failures are thrown anyway.</summary>
    public async Task MuteAsync(Func<Task> work)
    {
        Interlocked.Increment(ref _muted);
        try
        {
            await work();
        }
        finally
        {
            Interlocked.Decrement(ref _muted);
        }
    }

    public ILogger CreateLogger(string categoryName) => new Shortened(this, loggers.CreateLogger(categoryName));

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
        // The host owns the loggers.
    }

    private bool IsDue(int kind)
    {
        var now = time.GetTimestamp();
        return _written.AddOrUpdate(kind, now, (_, last) => time.GetElapsedTime(last, now) >= s_pause ? now : last) == now;
    }

    private static string Shorten(string text)
    {
        var line = text.AsSpan(0, Math.Min(text.Length, Longest));
        foreach (var end in (ReadOnlySpan<string>)["\n", "\r", " ---> "])
        {
            var at = line.IndexOf(end, StringComparison.Ordinal);
            line = at >= 0 ? line[..at] : line;
        }

        return line.ToString();
    }

    private sealed class Shortened(HubLog log, ILogger logger) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && Volatile.Read(ref log._muted) == 0 && log.IsDue(eventId.Id))
            {
                AzureStorage.Log.OfDurableTask(logger, logLevel, Shorten(formatter(state, exception)));
            }
        }
    }
}
