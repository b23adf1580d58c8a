using Runbooks.Engine;
using Runbooks.Engine.Replay;

namespace TestKit.Engine;

internal static class ActivityCall
{
    /// <summary>Runs an activity through JSON both ways, as every durable engine does.</summary>
    public static async Task<HistoryEvent> RunAsync(
        ActivityTable activities, HistoryEvent command, Func<string, Func<CancellationToken, Task<object?>>, Task<object?>>? around = null)
    {
        try
        {
            if (!activities.TryFind(command.Name!, out var activity))
            {
                throw new InvalidOperationException($"No activity is called '{command.Name}'.");
            }

            Task<object?> RunAsync(CancellationToken token) => activity.RunAsync(DurableJson.Read(command.Data!, activity.Input), token);
            var result = around is null ? await RunAsync(CancellationToken.None) : await around(command.Name!, RunAsync);
            return new HistoryEvent(HistoryKind.TaskCompleted, default, command.Task, null, DurableJson.Write(result, activity.Output));
        }
#pragma warning disable CA1031 // Whatever an activity throws is its result.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new HistoryEvent(HistoryKind.TaskFailed, default, command.Task, null, e.Message);
        }
    }
}
