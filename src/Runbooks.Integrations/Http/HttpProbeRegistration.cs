using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Http;

public static class HttpProbeRegistration
{
    /// <summary>The check <c>http.probe</c>.</summary>
    public static IServiceCollection AddHttpProbe(this IServiceCollection services)
    {
        services.AddOptions<HttpProbeOptions>().BindConfiguration(HttpProbeOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddHttpClient(HttpProbe.Client)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider =>
                new EgressGuard([.. provider.GetRequiredService<IOptions<HttpProbeOptions>>().Value.AllowedHosts]).CreateHandler())
            .RemoveAllLoggers();
        return services.AddSingleton<ICheck, HttpProbe>();
    }
}
