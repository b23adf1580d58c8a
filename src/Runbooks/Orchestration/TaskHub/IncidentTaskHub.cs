using Microsoft.Extensions.DependencyInjection;

namespace Runbooks.Orchestration.TaskHub;

public static class IncidentTaskHub
{
    /// <summary>
    /// Runs incidents in this process. Needs a <see cref="DurableTask.Core.IOrchestrationService"/> and its client; Azure
    /// Functions brings a hub of its own.
    /// </summary>
    public static IServiceCollection AddIncidentTaskHub(this IServiceCollection services) =>
        services.AddTaskHub(tasks => tasks.AddIncidents(), hub => hub.Version = IncidentOrchestrator.Version);

    public static TaskHubTasks AddIncidents(this TaskHubTasks tasks) => tasks
        .AddOrchestrator(IncidentOrchestrator.Name, _ => new IncidentOrchestrator())
        .AddActivity(Diagnose.Name, provider => provider.GetRequiredService<Diagnose>())
        .AddActivity(OpenGate.Name, provider => provider.GetRequiredService<OpenGate>())
        .AddActivity(ReviewGate.Name, provider => provider.GetRequiredService<ReviewGate>())
        .AddActivity(RunSteps.Name, provider => provider.GetRequiredService<RunSteps>())
        .AddActivity(Recheck.Name, provider => provider.GetRequiredService<Recheck>())
        .AddActivity(UndoSteps.Name, provider => provider.GetRequiredService<UndoSteps>())
        .AddActivity(CheckSuppression.Name, provider => provider.GetRequiredService<CheckSuppression>())
        .AddActivity(PagePerson.Name, provider => provider.GetRequiredService<PagePerson>())
        .AddActivity(EndIncident.Name, provider => provider.GetRequiredService<EndIncident>());
}
