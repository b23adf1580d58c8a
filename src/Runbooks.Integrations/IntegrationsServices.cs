using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.ApiManagement;
using Runbooks.Integrations.AppConfiguration;
using Runbooks.Integrations.AppService;
using Runbooks.Integrations.Arm;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.AzureMonitor;
using Runbooks.Integrations.AzureOpenAI;
using Runbooks.Integrations.Banner;
using Runbooks.Integrations.ContainerApps;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Escalation;
using Runbooks.Integrations.FrontDoor;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.LlmProvider;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.TrafficManager;
using Runbooks.Integrations.Waf;

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
