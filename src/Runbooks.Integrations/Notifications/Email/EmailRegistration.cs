using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Http;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Email;

public static class EmailRegistration
{
    /// <summary>The channel <c>email</c>.</summary>
    public static IServiceCollection AddEmail(this IServiceCollection services)
    {
        services.AddOptions<EmailOptions>().BindConfiguration(EmailOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure().AddOutboundClient(AcsTransport.Client);
        return services
            .AddSingleton<SmtpTransport>()
            .AddSingleton<AcsTransport>()
            .AddSingleton<IMailTransport>(provider => string.IsNullOrEmpty(provider.GetRequiredService<IOptions<EmailOptions>>().Value.AcsEndpoint)
                ? provider.GetRequiredService<SmtpTransport>()
                : provider.GetRequiredService<AcsTransport>())
            .AddSingleton<INotifier, EmailNotifier>();
    }
}
