using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.AppConfiguration;

public static class AppConfigurationRegistration
{
    /// <summary>The action <c>appConfiguration.setFlag</c>, and what the banner needs of it. May be called more than once.</summary>
    public static IServiceCollection AddAppConfiguration(this IServiceCollection services)
    {
        services.AddOptions<AppConfigurationOptions>().BindConfiguration(AppConfigurationOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure();
        services.TryAddSingleton<AppConfigurationClient>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, SetFlag>());
        return services;
    }
}
