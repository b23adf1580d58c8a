using Microsoft.DurableTask;
using Runbooks.Engine;

namespace Runbooks.Orchestration;

/// <summary>Runs one incident from its alert to its end. Durable Task replays it, so that a crash changes nothing.</summary>
public sealed class IncidentOrchestrator : TaskOrchestrator<IncidentInput, IncidentOutcome>
{
    /// <summary>The name under which every host registers it.</summary>
    public static readonly TaskName Name = nameof(IncidentOrchestrator);

    /// <summary>
    /// Raised when a change to the story would answer recorded histories otherwise. An incident that began under another
    /// version fails, and its owner is paged: half of one story and half of another would be worse.
    /// </summary>
    public const string Version = "3.0";

    public override Task<IncidentOutcome> RunAsync(TaskOrchestrationContext context, IncidentInput input) =>
        context.Version == Version
            ? new IncidentStory(context, input).RunAsync()
            : throw new InvalidOperationException(
                $"The incident began under version {context.Version} of the workflow, and this program runs version {Version}. Finish it by hand.");
}
