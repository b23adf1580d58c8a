using System.Globalization;

namespace Runbooks.Engine.Replay;

/// <summary>One line of an instance's journal.</summary>
/// <param name="At">When it was recorded; the workflow's clock while it reacts.</param>
/// <param name="Task">Which call of the workflow this belongs to, counted from 0; -1 for none.</param>
/// <param name="Name">The workflow, the activity, or the event that was raised or is waited for.</param>
/// <param name="Data">JSON of an input or a result, the text of a failure, or the time at which a timer is due.</param>
public sealed record HistoryEvent(HistoryKind Kind, DateTimeOffset At, int Task = -1, string? Name = null, string? Data = null)
{
    /// <summary>True for what the workflow asked for, as opposed to what came back.</summary>
    public bool IsCommand => Kind is HistoryKind.TaskScheduled or HistoryKind.TimerCreated;

    /// <summary>When a timer is due.</summary>
    public DateTimeOffset Due => DateTimeOffset.ParseExact(Data!, "O", CultureInfo.InvariantCulture);

    internal static HistoryEvent Timer(DateTimeOffset at, int task, string? name, DateTimeOffset due) =>
        new(HistoryKind.TimerCreated, at, task, name, due.ToString("O", CultureInfo.InvariantCulture));

    public string Describe() => Name is null ? $"{Kind} #{Task}" : $"{Kind} '{Name}'";
}
