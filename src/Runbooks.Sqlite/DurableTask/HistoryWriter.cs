using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DurableTask.Core;
using DurableTask.Core.History;
using DurableTask.Core.Tracing;

namespace Runbooks.Sqlite.DurableTask;

/// <summary>
/// Events as JSON, by hand: the type is in a column of its own and never in the text, so that nothing that is stored can
/// choose what is created. <see cref="HistoryReader"/> reads it back.
/// </summary>
internal static class HistoryWriter
{
    // Nothing here is shown as HTML; escaping every letter that is not English would double the size.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? t_writer;

    /// <exception cref="NotSupportedException">Something that this store does not keep: sub-orchestrations, entities, rewinding.</exception>
    public static byte[] Write(HistoryEvent happened) => Write(happened, static (json, happened) =>
    {
        if (happened.EventId != -1)
        {
            json.WriteNumber("id", happened.EventId);
        }

        Time(json, "at", happened.Timestamp);
        Rest(json, happened);
    });

    public static byte[]? Write(FailureDetails? failure) =>
        failure is null ? null : Write(failure, static (json, failure) => Failure(json, failure));

    private static byte[] Write<T>(T value, Action<Utf8JsonWriter, T> write)
    {
        var (buffer, json) = t_writer ??= NewWriter();
        buffer.ResetWrittenCount();
        json.Reset(buffer);
        json.WriteStartObject();
        write(json, value);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static (ArrayBufferWriter<byte>, Utf8JsonWriter) NewWriter()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        return (buffer, new Utf8JsonWriter(buffer, s_options));
    }

    private static void Rest(Utf8JsonWriter json, HistoryEvent happened)
    {
        switch (happened)
        {
            case OrchestratorStartedEvent or OrchestratorCompletedEvent:
                break;
            case ExecutionStartedEvent e:
                Started(json, e);
                break;
            case ExecutionCompletedEvent e: // and ContinueAsNewEvent
                json.WriteString("status", e.OrchestrationStatus.ToString());
                Text(json, "result", e.Result);
                Failure(json, "failure", e.FailureDetails);
                break;
            case ExecutionTerminatedEvent e:
                Text(json, "input", e.Input);
                break;
            case ExecutionSuspendedEvent e:
                Text(json, "reason", e.Reason);
                break;
            case ExecutionResumedEvent e:
                Text(json, "reason", e.Reason);
                break;
            case TaskScheduledEvent e:
                Text(json, "name", e.Name);
                Text(json, "version", e.Version);
                Text(json, "input", e.Input);
                Tags(json, e.Tags);
                Trace(json, e.ParentTraceContext);
                break;
            case TaskCompletedEvent e:
                json.WriteNumber("task", e.TaskScheduledId);
                Text(json, "result", e.Result);
                break;
            case TaskFailedEvent e:
                json.WriteNumber("task", e.TaskScheduledId);
                Text(json, "reason", e.Reason);
                Text(json, "details", e.Details);
                Failure(json, "failure", e.FailureDetails);
                break;
            case TimerCreatedEvent e:
                Time(json, "fireAt", e.FireAt);
                break;
            case TimerFiredEvent e:
                json.WriteNumber("timer", e.TimerId);
                Time(json, "fireAt", e.FireAt);
                break;
            case EventSentEvent e:
                Text(json, "instance", e.InstanceId);
                Text(json, "name", e.Name);
                Text(json, "input", e.Input);
                break;
            case EventRaisedEvent e:
                Text(json, "name", e.Name);
                Text(json, "input", e.Input);
                Trace(json, e.ParentTraceContext);
                break;
            default:
                throw new NotSupportedException($"The SQLite task hub keeps no {happened.EventType}: it has neither sub-orchestrations nor entities.");
        }
    }

    private static void Started(Utf8JsonWriter json, ExecutionStartedEvent e)
    {
        if (e.ParentInstance is not null)
        {
            throw new NotSupportedException("The SQLite task hub runs no sub-orchestrations.");
        }

        Text(json, "instance", e.OrchestrationInstance?.InstanceId);
        Text(json, "execution", e.OrchestrationInstance?.ExecutionId);
        Text(json, "name", e.Name);
        Text(json, "version", e.Version);
        Text(json, "input", e.Input);
        Text(json, "correlation", e.Correlation);
        Tags(json, e.Tags);
        Trace(json, e.ParentTraceContext);
        if (e.ScheduledStartTime is { } scheduled)
        {
            Time(json, "scheduled", scheduled);
        }

        if (e.Generation is { } generation)
        {
            json.WriteNumber("generation", generation);
        }

        if (e.GenerateNewTrace)
        {
            json.WriteBoolean("newTrace", true);
        }
    }

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTime value) =>
        json.WriteNumber(name, (value.Kind == DateTimeKind.Local ? value.ToUniversalTime() : value).Ticks);

    private static void Tags(Utf8JsonWriter json, IDictionary<string, string>? tags)
    {
        if (tags is { Count: > 0 })
        {
            json.WriteStartObject("tags");
            foreach (var (key, value) in tags)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }
    }

    private static void Trace(Utf8JsonWriter json, DistributedTraceContext? trace)
    {
        if (trace is not null)
        {
            json.WriteStartObject("trace");
            Text(json, "parent", trace.TraceParent);
            Text(json, "state", trace.TraceState);
            Text(json, "id", trace.Id);
            Text(json, "span", trace.SpanId);
            if (trace.ActivityStartTime is { } start)
            {
                json.WriteNumber("start", start.UtcTicks);
            }

            json.WriteEndObject();
        }
    }

    private static void Failure(Utf8JsonWriter json, string name, FailureDetails? failure)
    {
        if (failure is not null)
        {
            json.WriteStartObject(name);
            Failure(json, failure);
            json.WriteEndObject();
        }
    }

    private static void Failure(Utf8JsonWriter json, FailureDetails failure)
    {
        Text(json, "type", failure.ErrorType);
        Text(json, "message", failure.ErrorMessage);
        Text(json, "stack", failure.StackTrace);
        Failure(json, "inner", failure.InnerFailure);
        if (failure.IsNonRetriable)
        {
            json.WriteBoolean("nonRetriable", true);
        }
    }
}
