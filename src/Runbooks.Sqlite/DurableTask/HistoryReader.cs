using System.Text.Json;
using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Tracing;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>Reads what <see cref="HistoryWriter"/> wrote.</summary>
internal static class HistoryReader
{
    /// <exception cref="InvalidDataException">It cannot be read: changed by hand, or written by something else.</exception>
    public static HistoryEvent Read(string kind, byte[] data)
    {
        try
        {
            using var json = JsonDocument.Parse(data);
            var happened = Read(Kind(kind), json.RootElement);
            happened.Timestamp = Time(json.RootElement, "at");
            return happened;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"An event of the kind '{kind}' cannot be read: {e.Message}", e);
        }
    }

    public static FailureDetails? ReadFailure(byte[]? data)
    {
        if (data is null)
        {
            return null;
        }

        using var json = JsonDocument.Parse(data);
        return Failure(json.RootElement);
    }

    private static EventType Kind(string kind) => kind switch
    {
        // The most frequent ones without a search through the names of the enumeration.
        nameof(EventType.OrchestratorStarted) => EventType.OrchestratorStarted,
        nameof(EventType.OrchestratorCompleted) => EventType.OrchestratorCompleted,
        nameof(EventType.TaskScheduled) => EventType.TaskScheduled,
        nameof(EventType.TaskCompleted) => EventType.TaskCompleted,
        _ => Enum.Parse<EventType>(kind),
    };

    private static HistoryEvent Read(EventType kind, JsonElement json)
    {
        var id = json.TryGetProperty("id", out var number) ? number.GetInt32() : -1;
        return kind switch
        {
            EventType.OrchestratorStarted => new OrchestratorStartedEvent(id),
            EventType.OrchestratorCompleted => new OrchestratorCompletedEvent(id),
            EventType.ExecutionStarted => Started(id, json),
            EventType.ExecutionCompleted => new ExecutionCompletedEvent(
                id, Text(json, "result"), Enum.Parse<OrchestrationStatus>(Text(json, "status")!), Failure(json, "failure")),
            EventType.ContinueAsNew => new ContinueAsNewEvent(id, Text(json, "result")),
            EventType.ExecutionTerminated => new ExecutionTerminatedEvent(id, Text(json, "input")),
            EventType.ExecutionSuspended => new ExecutionSuspendedEvent(id, Text(json, "reason")),
            EventType.ExecutionResumed => new ExecutionResumedEvent(id, Text(json, "reason")),
            EventType.TaskScheduled => new TaskScheduledEvent(id, Text(json, "name")!, Text(json, "version"), Text(json, "input"))
            {
                Tags = Tags(json),
                ParentTraceContext = Trace(json),
            },
            EventType.TaskCompleted => new TaskCompletedEvent(id, json.GetProperty("task").GetInt32(), Text(json, "result")),
            EventType.TaskFailed => new TaskFailedEvent(
                id, json.GetProperty("task").GetInt32(), Text(json, "reason"), Text(json, "details"), Failure(json, "failure")),
            EventType.TimerCreated => new TimerCreatedEvent(id, Time(json, "fireAt")),
            EventType.TimerFired => new TimerFiredEvent(id, Time(json, "fireAt")) { TimerId = json.GetProperty("timer").GetInt32() },
            EventType.EventSent => new EventSentEvent(id) { InstanceId = Text(json, "instance"), Name = Text(json, "name"), Input = Text(json, "input") },
            EventType.EventRaised => new EventRaisedEvent(id, Text(json, "input")) { Name = Text(json, "name"), ParentTraceContext = Trace(json) },
            _ => throw new InvalidDataException($"There are no events of the kind '{kind}' here."),
        };
    }

    private static ExecutionStartedEvent Started(int id, JsonElement json) => new(id, Text(json, "input"))
    {
        OrchestrationInstance = new OrchestrationInstance { InstanceId = Text(json, "instance"), ExecutionId = Text(json, "execution") },
        Name = Text(json, "name"),
        Version = Text(json, "version"),
        Correlation = Text(json, "correlation"),
        Tags = Tags(json),
        ParentTraceContext = Trace(json),
        ScheduledStartTime = json.TryGetProperty("scheduled", out _) ? Time(json, "scheduled") : null,
        Generation = json.TryGetProperty("generation", out var generation) ? generation.GetInt32() : null,
        GenerateNewTrace = json.TryGetProperty("newTrace", out _),
    };

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static DateTime Time(JsonElement json, string name) => new(json.GetProperty(name).GetInt64(), DateTimeKind.Utc);

    private static Dictionary<string, string>? Tags(JsonElement json) => json.TryGetProperty("tags", out var tags)
        ? tags.EnumerateObject().ToDictionary(tag => tag.Name, tag => tag.Value.GetString()!, StringComparer.Ordinal)
        : null;

    private static DistributedTraceContext? Trace(JsonElement json) => json.TryGetProperty("trace", out var trace)
        ? new DistributedTraceContext(Text(trace, "parent")!, Text(trace, "state"))
        {
            Id = Text(trace, "id"),
            SpanId = Text(trace, "span"),
            ActivityStartTime = trace.TryGetProperty("start", out var start) ? new DateTimeOffset(start.GetInt64(), TimeSpan.Zero) : null,
        }
        : null;

    private static FailureDetails? Failure(JsonElement json, string name) => json.TryGetProperty(name, out var failure) ? Failure(failure) : null;

    private static FailureDetails Failure(JsonElement json) => new(
        Text(json, "type")!, Text(json, "message")!, Text(json, "stack"), Failure(json, "inner"), json.TryGetProperty("nonRetriable", out _));
}
