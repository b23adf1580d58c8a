using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.AppConfiguration;

namespace Runbooks.Integrations.Azure.Banner;

public static class BannerRegistration
{
    /// <summary>The action <c>banner.publish</c>.</summary>
    public static IServiceCollection AddBanner(this IServiceCollection services)
    {
        services.AddOptions<BannerOptions>().BindConfiguration(BannerOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAppConfiguration().AddSingleton<BannerBlobs>();
        return services.AddSingleton<IAction, PublishBanner>();
    }
}
