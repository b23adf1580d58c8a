using System.Globalization;
using System.Text;
using System.Text.Json;
using DurableTask.Core;
using DurableTask.Core.Command;
using DurableTask.Core.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Worker;
using Microsoft.DurableTask.Worker.Shims;
using Runbooks.Engine;
using Runbooks.Sqlite.DurableTask;

namespace TestKit.Orchestration;

/// <summary>Runs an orchestrator through a history that was recorded earlier, by this code or by an older one.</summary>
public static class HistoryReplay
{
    private static readonly DurableTaskShimFactory s_shims = new(new DurableTaskWorkerOptions { DataConverter = new JsonDataConverter(DurableJson.Options) });

    /// <summary>Every turn again, each from the beginning of the history: what the code asks for has to be what it asked for then.</summary>
    /// <returns>The first difference in words; null when there is none.</returns>
    public static string? FindDifference(IReadOnlyList<HistoryEvent> history, TaskName name, Func<ITaskOrchestrator> create)
    {
        for (var (begin, turn) = (0, 1); begin < history.Count; turn++)
        {
            // The first turn of an execution that continues another is completed twice; only the next start ends a turn.
            var next = begin + 1;
            while (next < history.Count && history[next].EventType != EventType.OrchestratorStarted)
            {
                next++;
            }

            var turnEvents = history.Skip(begin).Take(next - begin).ToList();
            var asked = Ask(history.Take(begin), turnEvents.Where(IsInput), s_shims.CreateOrchestration(name, create()));
            var recorded = turnEvents.Select(Describe).OfType<string>().ToList();
            if (!asked.SequenceEqual(recorded))
            {
                return $"Turn {turn}, from event {begin} on: the history holds [{string.Join(", ", recorded)}], the code asks for [{string.Join(", ", asked)}].";
            }

            begin = next;
        }

        return null;
    }

    /// <summary>Events as <c>GetOrchestrationHistoryAsync</c> of the SQLite hub writes them.</summary>
    public static IReadOnlyList<HistoryEvent> Read(string json)
    {
        using var events = JsonDocument.Parse(json);
        return [.. events.RootElement.EnumerateArray().Select(happened =>
            HistoryJson.Read(happened.GetProperty("kind").GetString()!, Encoding.UTF8.GetBytes(happened.GetProperty("event").GetRawText())))];
    }

    private static List<string> Ask(IEnumerable<HistoryEvent> past, IEnumerable<HistoryEvent> happened, TaskOrchestration code)
    {
        var state = new OrchestrationRuntimeState([.. past]);
        foreach (var input in happened)
        {
            state.AddEvent(input);
        }

        var executor = new TaskOrchestrationExecutor(
            state, code, BehaviorOnContinueAsNew.Carryover, entityParameters: null, ErrorPropagationMode.UseFailureDetails, exceptionPropertiesProvider: null);
        return [.. executor.Execute().Actions.Select(Describe)];
    }

    /// <summary>What came in, as opposed to what the code asked for.</summary>
    private static bool IsInput(HistoryEvent happened) => happened.EventType is not (
        EventType.TaskScheduled or EventType.TimerCreated or EventType.EventSent or EventType.ExecutionCompleted or EventType.ContinueAsNew or EventType.OrchestratorCompleted);

    private static string? Describe(HistoryEvent happened) => happened switch
    {
        TaskScheduledEvent task => Task(task.EventId, task.Name),
        TimerCreatedEvent timer => Timer(timer.EventId, timer.FireAt),
        EventSentEvent sent => Event(sent.EventId, sent.Name),
        ExecutionCompletedEvent end => End(end.OrchestrationStatus, end.Result),
        _ => null,
    };

    private static string Describe(OrchestratorAction action) => action switch
    {
        ScheduleTaskOrchestratorAction task => Task(task.Id, task.Name),
        CreateTimerOrchestratorAction timer => Timer(timer.Id, timer.FireAt),
        SendEventOrchestratorAction sent => Event(sent.Id, sent.EventName),
        OrchestrationCompleteOrchestratorAction end => End(end.OrchestrationStatus, end.Result),
        _ => action.OrchestratorActionType.ToString(),
    };

    private static string Task(int id, string? name) => $"#{id} {name}";

    private static string Timer(int id, DateTime due) => $"#{id} timer {due:yyyy-MM-dd HH:mm:ss.fffffff}";

    private static string Event(int id, string? name) => $"#{id} event {name}";

    private static string End(OrchestrationStatus status, string? result) => $"{status} {result}";
}
