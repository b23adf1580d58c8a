using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Runbooks.Settings;
using Runbooks.Web.Http;

namespace Runbooks.Web.SignIn;

public static class SignInServices
{
    /// <summary>For the Functions host, which looks at keys itself: and alerts that come with a token.</summary>
    public static IServiceCollection AddPlatformSignIn(this IServiceCollection services)
    {
        services.AddSettings<SecureWebhookOptions>(SecureWebhookOptions.SectionName);
        services.TryAddSingleton<IConfigurationManager<OpenIdConnectConfiguration>>(provider =>
        {
            var webhook = provider.GetRequiredService<IOptions<SecureWebhookOptions>>().Value;
            var address = $"{webhook.Authority.ToString().TrimEnd('/')}/{webhook.TenantId}/v2.0/.well-known/openid-configuration";
            return new ConfigurationManager<OpenIdConnectConfiguration>(address, new OpenIdConnectConfigurationRetriever());
        });

        // Behind a platform every caller seems to come from this machine.
        services.PostConfigure<ApiKeyOptions>(keys => (keys.OpenPagesOnLoopback, keys.CheckedByPlatform) = (false, true));
        return services.AddSingleton<SecureWebhook>();
    }
}
