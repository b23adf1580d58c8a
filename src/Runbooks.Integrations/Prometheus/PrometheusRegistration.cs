using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Prometheus;

public static class PrometheusRegistration
{
    /// <summary>The check <c>prometheus.query</c>.</summary>
    public static IServiceCollection AddPrometheus(this IServiceCollection services)
    {
        services.AddOptions<PrometheusOptions>().BindConfiguration(PrometheusOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure().AddOutboundClient(PrometheusClient.Client);
        services.AddSingleton<PrometheusClient>();
        return services.AddSingleton<ICheck, PrometheusQuery>();
    }
}
