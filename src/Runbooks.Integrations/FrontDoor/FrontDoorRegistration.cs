using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.AzureMonitor;
using Runbooks.Steps;

namespace Runbooks.Integrations.FrontDoor;

public static class FrontDoorRegistration
{
    /// <summary>The action <c>frontDoor.reroute</c>.</summary>
    public static IServiceCollection AddFrontDoor(this IServiceCollection services) =>
        services.AddAzureMetrics().AddSingleton<IAction, FrontDoorReroute>();
}
