using Runbooks.Engine;
using Runbooks.Engine.Replay;
using Runbooks.Safety;

namespace RunbookLocal.Engine;

/// <summary>Runs activities, not too many at once, and turns what they return or throw into a line of the journal.</summary>
internal sealed class ActivityRunner(ActivityTable activities, int atOnce, ILogger logger) : IDisposable
{
    private readonly SemaphoreSlim _slots = new(atOnce);
    private readonly CancellationTokenSource _stopping = new();

    /// <returns>Null when the host stops first: then the activity runs again after the next start.</returns>
    public async Task<HistoryEvent?> RunAsync(string instance, HistoryEvent command)
    {
        try
        {
            await _slots.WaitAsync(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        try
        {
            return await RunNowAsync(command);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return null;
        }
#pragma warning disable CA1031 // Whatever an activity throws is its result; the workflow decides what it means.
        catch (Exception e)
#pragma warning restore CA1031
        {
            logger.ActivityThrew(Redactor.Redact(e), command.Name!, instance);
            return new HistoryEvent(HistoryKind.TaskFailed, default, command.Task, null, Redactor.Redact(e.Message));
        }
        finally
        {
            _slots.Release();
        }
    }

    public bool IsStopping => _stopping.IsCancellationRequested;

    public void Stop() => _stopping.Cancel();

    // Only told to stop: activities that still run look at the token and the slots after this.
    public void Dispose() => Stop();

    private async Task<HistoryEvent> RunNowAsync(HistoryEvent command)
    {
        if (!activities.TryFind(command.Name!, out var activity))
        {
            throw new InvalidOperationException($"No activity is called '{command.Name}'.");
        }

        var result = await activity.RunAsync(DurableJson.Read(command.Data!, activity.Input), _stopping.Token);
        return new HistoryEvent(HistoryKind.TaskCompleted, default, command.Task, null, DurableJson.Write(result, activity.Output));
    }
}
