using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.AppConfiguration;
using Runbooks.Steps;

namespace Runbooks.Integrations.Banner;

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
