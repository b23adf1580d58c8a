using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;

namespace Runbooks.Integrations.Azure.Routing;

public static class FrontDoorRegistration
{
    /// <summary>The action <c>frontDoor.reroute</c>.</summary>
    public static IServiceCollection AddFrontDoor(this IServiceCollection services) =>
        services.AddAzureMetrics().AddSingleton<IAction, FrontDoorReroute>();
}
