using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.AppConfiguration;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.AzureMonitor;
using Runbooks.Integrations.FrontDoor;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.LlmProvider;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.TrafficManager;

namespace Runbooks.Integrations;

public static class IntegrationsServices
{
    /// <summary>The table of contents: every check and action that runbooks may name beside the built-in ones.</summary>
    public static IServiceCollection AddIntegrations(this IServiceCollection services) => services
        .AddAzure()
        .AddKubernetes()
        .AddPrometheus()
        .AddAzureMonitor()
        .AddLlmProvider()
        .AddHttpProbe()
        .AddAppConfiguration()
        .AddTrafficManager()
        .AddFrontDoor();
}
