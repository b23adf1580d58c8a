using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Teams;

public static class TeamsRegistration
{
    /// <summary>The channel <c>teams</c>.</summary>
    public static IServiceCollection AddTeams(this IServiceCollection services)
    {
        services.AddOptions<TeamsOptions>().BindConfiguration(TeamsOptions.SectionName);
        services.AddOutboundClient(TeamsNotifier.Name);
        return services.AddSingleton<INotifier, TeamsNotifier>();
    }
}
