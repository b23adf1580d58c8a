using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.ApiManagement;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Integrations.Azure.AppService;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Azure.ContainerApps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Azure.OpenAI;
using Runbooks.Integrations.Azure.Routing;
using Runbooks.Integrations.Azure.Waf;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Gpu;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.Notifications.Escalation;
using Runbooks.Integrations.Prometheus;

namespace Microsoft.Extensions.DependencyInjection;

public static class IntegrationsServices
{
    /// <summary>The table of contents: every check and action that runbooks may name beside the built-in ones.</summary>
    public static IServiceCollection AddIntegrations(this IServiceCollection services) => services
        .AddAzure()
        .AddKubernetes()
        .AddPrometheus()
        .AddAzureMonitor()
        .AddLlmProvider()
        .AddModelServers()
        .AddGpu()
        .AddHttpProbe()
        .AddAppConfiguration()
        .AddBanner()
        .AddTrafficManager()
        .AddFrontDoor()
        .AddWaf()
        .AddApiManagement()
        .AddAzureOpenAI()
        .AddEscalation()
        .AddDisk()
        .AddAppService()
        .AddContainerApps()
        .AddArmRequest()
        .AddHttpRequest();
}
