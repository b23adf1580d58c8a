using TestKit;
using TestKit.Orchestration;

namespace Runbooks.AzureStorage.Tests.TaskHub;

public sealed class AzureHubContract(Azurite azurite) : TaskHubContract
{
    protected override TimeSpan Unit => AzureHub.Unit;

    protected override int Crowd => 60;

    // Whole seconds, and a machine that does other things too.
    protected override double Late => 4;

    protected override async Task<ITaskHubHarness> StartHubAsync() => await AzureHub.OpenAsync(azurite, Tasks, Logs);
}
