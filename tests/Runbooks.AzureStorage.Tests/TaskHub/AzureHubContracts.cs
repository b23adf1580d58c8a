using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

internal static class AzureHubBackend
{
    /// <summary>Whole seconds, and a machine that does other things too.</summary>
    public static TaskHubBackend On(Azurite azurite) => new(async (tasks, logs) => await AzureHub.OpenAsync(azurite, tasks, logs)) { Unit = AzureHub.Unit, Crowd = 60, Late = 4 };
}

public sealed class AzureHubInstances(Azurite azurite) : TaskHubInstancesContract(AzureHubBackend.On(azurite));

public sealed class AzureHubWaiting(Azurite azurite) : TaskHubWaitingContract(AzureHubBackend.On(azurite));

public sealed class AzureHubActivities(Azurite azurite) : TaskHubActivitiesContract(AzureHubBackend.On(azurite));

public sealed class AzureHubRecovery(Azurite azurite) : TaskHubRecoveryContract(AzureHubBackend.On(azurite));
