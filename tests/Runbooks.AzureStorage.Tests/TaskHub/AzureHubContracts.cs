using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

internal static class AzureHubBackend
{
    /// <summary>Whole seconds, and a machine that does other things too.</summary>
    /// <param name="locks">How long a message that was taken stays hidden: where nothing crashes, longer than any machine dawdles over one.</param>
    public static TaskHubBackend On(Azurite azurite, TimeSpan? locks = null) =>
        new(async (tasks, logs) => await AzureHub.OpenAsync(azurite, tasks, logs, locks)) { Unit = AzureHub.Unit, Crowd = 60, Late = 600 };

    public static TaskHubBackend WithoutCrashes(Azurite azurite) => On(azurite, TimeSpan.FromMinutes(1));
}

public sealed class AzureHubInstances(Azurite azurite) : TaskHubInstancesContract(AzureHubBackend.WithoutCrashes(azurite));

public sealed class AzureHubWaiting(Azurite azurite) : TaskHubWaitingContract(AzureHubBackend.WithoutCrashes(azurite));

public sealed class AzureHubActivities(Azurite azurite) : TaskHubActivitiesContract(AzureHubBackend.WithoutCrashes(azurite));

public sealed class AzureHubRecovery(Azurite azurite) : TaskHubRecoveryContract(AzureHubBackend.On(azurite));
