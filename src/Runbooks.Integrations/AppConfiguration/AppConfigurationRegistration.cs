using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Steps;

namespace Runbooks.Integrations.AppConfiguration;

public static class AppConfigurationRegistration
{
    /// <summary>The actions <c>appConfiguration.setFlag</c> and <c>banner.publish</c>.</summary>
    public static IServiceCollection AddAppConfiguration(this IServiceCollection services)
    {
        services.AddOptions<AppConfigurationOptions>().BindConfiguration(AppConfigurationOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure();
        services.AddSingleton<AppConfigurationClient>();
        services.AddSingleton<IAction, SetFlag>();
        return services.AddSingleton<IAction, PublishBanner>();
    }
}
