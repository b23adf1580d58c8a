using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DurableTask.Core.Tracing;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Events as JSON. The type is in a column of its own and never in the text, so that stored text cannot choose what is created.
/// </summary>
internal static class HistoryJson
{
    // Never shown as HTML, so letters are not escaped, which would double the size of some. Failures may be nested deep.
    private static readonly HistoryJsonContext s_json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 1_000,
    });

    /// <exception cref="NotSupportedException">Something that this store does not support: sub-orchestrations, entities, rewinding.</exception>
    public static byte[] Write(HistoryEvent happened) => JsonSerializer.SerializeToUtf8Bytes(StoredEvent.Of(happened), s_json.StoredEvent);

    public static byte[]? Write(FailureDetails? failure) => StoredFailure.Of(failure) is { } stored
        ? JsonSerializer.SerializeToUtf8Bytes(stored, s_json.StoredFailure)
        : null;

    /// <exception cref="InvalidDataException">It cannot be read: changed by hand, or written by something else.</exception>
    public static HistoryEvent Read(string kind, byte[] data)
    {
        try
        {
            var stored = JsonSerializer.Deserialize(data, s_json.StoredEvent) ?? throw new JsonException("It is empty.");
            var happened = stored.ToEvent(Kind(kind));
            happened.Timestamp = StoredEvent.Time(stored.At);
            return happened;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new InvalidDataException($"An event of the kind '{kind}' cannot be read: {e.Message}", e);
        }
    }

    public static FailureDetails? ReadFailure(byte[]? data) => data is null
        ? null
        : JsonSerializer.Deserialize(data, s_json.StoredFailure)?.ToDetails();

    private static EventType Kind(string kind) => kind switch
    {
        // The most frequent ones, without a search through the enumeration's names.
        nameof(EventType.OrchestratorStarted) => EventType.OrchestratorStarted,
        nameof(EventType.OrchestratorCompleted) => EventType.OrchestratorCompleted,
        nameof(EventType.TaskScheduled) => EventType.TaskScheduled,
        nameof(EventType.TaskCompleted) => EventType.TaskCompleted,
        _ => Enum.Parse<EventType>(kind),
    };
}

/// <summary>An event of any kind. Each kind has some of these; times are ticks of UTC.</summary>
internal sealed record StoredEvent
{
    /// <summary>Null for -1, which most have.</summary>
    public int? Id { get; init; }
    public required long At { get; init; }
    public string? Instance { get; init; }
    public string? Execution { get; init; }
    public string? Name { get; init; }
    public string? Version { get; init; }
    public string? Input { get; init; }
    public string? Correlation { get; init; }
    public IDictionary<string, string>? Tags { get; init; }
    public StoredTrace? Trace { get; init; }
    public long? Scheduled { get; init; }
    public int? Generation { get; init; }
    public bool? NewTrace { get; init; }
    public string? Status { get; init; }
    public int? Task { get; init; }
    public string? Result { get; init; }
    public string? Reason { get; init; }
    public string? Details { get; init; }
    public StoredFailure? Failure { get; init; }
    public int? Timer { get; init; }
    public long? FireAt { get; init; }

    public static StoredEvent Of(HistoryEvent happened)
    {
        var stored = new StoredEvent { Id = happened.EventId == -1 ? null : happened.EventId, At = Ticks(happened.Timestamp) };
        return happened switch
        {
            OrchestratorStartedEvent or OrchestratorCompletedEvent => stored,
            ExecutionStartedEvent { ParentInstance: not null } => throw new NotSupportedException("The SQLite task hub runs no sub-orchestrations."),
            ExecutionStartedEvent e => stored with
            {
                Instance = e.OrchestrationInstance?.InstanceId, Execution = e.OrchestrationInstance?.ExecutionId, Name = e.Name, Version = e.Version, Input = e.Input,
                Correlation = e.Correlation, Tags = Any(e.Tags), Trace = StoredTrace.Of(e.ParentTraceContext),
                Scheduled = e.ScheduledStartTime is { } scheduled
                    ? Ticks(scheduled)
                    : null, Generation = e.Generation, NewTrace = e.GenerateNewTrace ? true : null,
            },
            // Also for ContinueAsNewEvent.
            ExecutionCompletedEvent e => stored with
            {
                Status = e.OrchestrationStatus.ToString(),
                Result = e.Result,
                Failure = StoredFailure.Of(e.FailureDetails),
            },
            ExecutionTerminatedEvent e => stored with { Input = e.Input },
            ExecutionSuspendedEvent e => stored with { Reason = e.Reason },
            ExecutionResumedEvent e => stored with { Reason = e.Reason },
            TaskScheduledEvent e => stored with
            {
                Name = e.Name,
                Version = e.Version,
                Input = e.Input,
                Tags = Any(e.Tags),
                Trace = StoredTrace.Of(e.ParentTraceContext),
            },
            TaskCompletedEvent e => stored with { Task = e.TaskScheduledId, Result = e.Result },
            TaskFailedEvent e => stored with
            {
                Task = e.TaskScheduledId,
                Reason = e.Reason,
                Details = e.Details,
                Failure = StoredFailure.Of(e.FailureDetails),
            },
            TimerCreatedEvent e => stored with { FireAt = Ticks(e.FireAt) },
            TimerFiredEvent e => stored with { Timer = e.TimerId, FireAt = Ticks(e.FireAt) },
            EventSentEvent e => stored with { Instance = e.InstanceId, Name = e.Name, Input = e.Input },
            EventRaisedEvent e => stored with { Name = e.Name, Input = e.Input, Trace = StoredTrace.Of(e.ParentTraceContext) },
            _ => throw new NotSupportedException($"The SQLite task hub keeps no {happened.EventType}: "
                + "it has neither sub-orchestrations nor entities."),
        };
    }

    /// <exception cref="JsonException">A field that its kind needs is missing.</exception>
    /// <exception cref="ArgumentException">The status or a time is not valid, or the kind is not stored here.</exception>
    public HistoryEvent ToEvent(EventType kind)
    {
        var id = Id ?? -1;
        return kind switch
        {
            EventType.OrchestratorStarted => new OrchestratorStartedEvent(id),
            EventType.OrchestratorCompleted => new OrchestratorCompletedEvent(id),
            EventType.ExecutionStarted => new ExecutionStartedEvent(id, Input)
            {
                OrchestrationInstance = new OrchestrationInstance
                {
                    InstanceId = Instance,
                    ExecutionId = Execution,
                }, Name = Name, Version = Version, Correlation = Correlation, Tags = Tags,
                ParentTraceContext = Trace?.ToContext(), ScheduledStartTime = Scheduled is { } scheduled
                    ? Time(scheduled)
                    : null, Generation = Generation, GenerateNewTrace = NewTrace == true,
            },
            EventType.ExecutionCompleted => new ExecutionCompletedEvent(id, Result, Enum.Parse<OrchestrationStatus>(Status!), Failure?.ToDetails()),
            EventType.ContinueAsNew => new ContinueAsNewEvent(id, Result),
            EventType.ExecutionTerminated => new ExecutionTerminatedEvent(id, Input),
            EventType.ExecutionSuspended => new ExecutionSuspendedEvent(id, Reason),
            EventType.ExecutionResumed => new ExecutionResumedEvent(id, Reason),
            EventType.TaskScheduled => new TaskScheduledEvent(id, Name!, Version, Input) { Tags = Tags, ParentTraceContext = Trace?.ToContext() },
            EventType.TaskCompleted => new TaskCompletedEvent(id, Need(Task, "task"), Result),
            EventType.TaskFailed => new TaskFailedEvent(id, Need(Task, "task"), Reason, Details, Failure?.ToDetails()),
            EventType.TimerCreated => new TimerCreatedEvent(id, Time(Need(FireAt, "fireAt"))),
            EventType.TimerFired => new TimerFiredEvent(id, Time(Need(FireAt, "fireAt"))) { TimerId = Need(Timer, "timer") },
            EventType.EventSent => new EventSentEvent(id) { InstanceId = Instance, Name = Name, Input = Input },
            EventType.EventRaised => new EventRaisedEvent(id, Input) { Name = Name, ParentTraceContext = Trace?.ToContext() },
            _ => throw new ArgumentException("There are no events of this kind here.", nameof(kind)),
        };
    }

    public static DateTime Time(long ticks) => new(ticks, DateTimeKind.Utc);

    private static long Ticks(DateTime time) => (time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time).Ticks;

    private static IDictionary<string, string>? Any(IDictionary<string, string>? tags) => tags is { Count: > 0 } ? tags : null;

    private static T Need<T>(T? value, string name)
        where T : struct => value ?? throw new JsonException($"It lacks '{name}'.");
}

internal sealed record StoredTrace(string? Parent, string? State, string? Id, string? Span, long? Start)
{
    public static StoredTrace? Of(DistributedTraceContext? trace) =>
        trace is null ? null : new(trace.TraceParent, trace.TraceState, trace.Id, trace.SpanId, trace.ActivityStartTime?.UtcTicks);

    public DistributedTraceContext ToContext() => new(Parent!, State)
    {
        Id = Id,
        SpanId = Span,
        ActivityStartTime = Start is { } start ? new DateTimeOffset(start, TimeSpan.Zero) : null,
    };
}

internal sealed record StoredFailure(string? Type, string? Message, string? Stack, StoredFailure? Inner, bool? NonRetriable)
{
    public static StoredFailure? Of(FailureDetails? failure) =>
        failure is null
            ? null
            : new(failure.ErrorType, failure.ErrorMessage, failure.StackTrace, Of(failure.InnerFailure), failure.IsNonRetriable ? true : null);

    public FailureDetails ToDetails() => new(Type!, Message!, Stack, Inner?.ToDetails(), NonRetriable == true);
}

[JsonSerializable(typeof(StoredEvent))]
[JsonSerializable(typeof(StoredFailure))]
internal sealed partial class HistoryJsonContext : JsonSerializerContext;
