namespace Runbooks.Orchestration.TaskHub;

/// <summary>How orchestrators and activities are run on the machines of one host.</summary>
public sealed class TaskHubOptions
{
    /// <summary>
    /// New instances carry this version, and one of a newer version is left to a newer program. What to do with an older one is
    /// the orchestrator's to say. Null: versions are not looked at.
    /// </summary>
    public string? Version { get; set; }

    /// <summary>
    /// The service finishes by itself what is under way when it is told to stop, as the SQLite one does. For any other the
    /// worker waits, looking once a second.
    /// </summary>
    public bool ServiceFinishesItsWork { get; set; }

    /// <summary>Null when the service can be written, otherwise what is wrong, in words. Without it an instance is looked up.</summary>
    public Func<CancellationToken, Task<string?>>? CheckHealth { get; set; }

    /// <summary>Runs an activity, given its name and what it does: twice, or not at all, as at-least-once delivery may. For tests.</summary>
    internal Func<string, Func<Task<object?>>, Task<object?>>? AroundActivity { get; set; }
}
