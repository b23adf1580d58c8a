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
    /// <summary>For a host behind a platform: its signed-in people, the console's door, and alerts that come with a token.</summary>
    public static IServiceCollection AddPlatformSignIn(this IServiceCollection services)
    {
        services.AddSettings<SignInOptions>(SignInOptions.SectionName);
        services.AddSettings<SecureWebhookOptions>(SecureWebhookOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<IConfigurationManager<OpenIdConnectConfiguration>>(provider =>
        {
            var webhook = provider.GetRequiredService<IOptions<SecureWebhookOptions>>().Value;
            var address = $"{webhook.Authority.ToString().TrimEnd('/')}/{webhook.TenantId}/v2.0/.well-known/openid-configuration";
            return new ConfigurationManager<OpenIdConnectConfiguration>(address, new OpenIdConnectConfigurationRetriever());
        });

        // Behind a platform every caller seems to come from this machine.
        services.PostConfigure<ApiKeyOptions>(keys => keys.OpenPagesOnLoopback = false);
        return services
            .AddSingleton<PlatformPrincipal>()
            .AddSingleton<ConsoleAccess>()
            .AddSingleton<LinkAccess>()
            .AddSingleton<SecureWebhook>();
    }
}

/// <summary>Sign-in that a platform does in front of the host.</summary>
public sealed class SignInOptions
{
    public const string SectionName = "Auth";

    /// <summary>
    /// Believe the headers in which App Service names the person it has signed in. Only where it stands in front: it removes
    /// such headers from what comes in, and nothing else does.
    /// </summary>
    public bool TrustPlatformPrincipal { get; set; }
}
