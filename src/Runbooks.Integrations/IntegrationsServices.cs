using Runbooks.Execution;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Kubernetes;
using Runbooks.Integrations.LiteLlm;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.Notifications;
using Runbooks.Integrations.Prometheus;
using Runbooks.Integrations.Tickets;
using Runbooks.Settings;
using HttpRequestOptions = Runbooks.Integrations.Http.HttpRequestOptions;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// What the hosts and the command line add to have the checks and actions of the integrations. Those on Azure are in
/// <see cref="AzureServices"/>.
/// </summary>
public static class IntegrationsServices
{
    private const int LargestAnswer = 4 * 1024 * 1024;

    /// <summary>The table of contents: every check and action that runbooks may name beside the built-in ones.</summary>
    public static IServiceCollection AddIntegrations(this IServiceCollection services) => services
        .AddAzure()
        .AddKubernetes()
        .AddPrometheus()
        .AddAzureMonitor()
        .AddLlmProvider()
        .AddModelServers()
        .AddLiteLlm()
        .AddGpu()
        .AddHttpProbe()
        .AddAppConfiguration()
        .AddBanner()
        .AddTrafficManager()
        .AddFrontDoor()
        .AddWaf()
        .AddApiManagement()
        .AddAzureOpenAI()
        .AddContentSafety()
        .AddMachineLearning()
        .AddEscalation()
        .AddDisk()
        .AddAppService()
        .AddContainerApps()
        .AddArmRequest()
        .AddHttpRequest()
        .AddTickets();

    /// <summary>The check <c>disk.usage</c> and the action <c>disk.deleteTempFiles</c>.</summary>
    public static IServiceCollection AddDisk(this IServiceCollection services)
    {
        services.AddSettings<DiskOptions>(DiskOptions.SectionName);
        services.AddAzure();
        services.AddSingleton<Machines>();
        services.AddSingleton<ICheck, DiskUsage>();
        return services.AddSingleton<IAction, DeleteTempFiles>();
    }

    /// <summary>The check <c>gpu.health</c>, which asks the Prometheus of <c>AddPrometheus</c>.</summary>
    public static IServiceCollection AddGpu(this IServiceCollection services) => services.AddSingleton<ICheck, GpuHealth>();

    /// <summary>The checks <c>http.probe</c> and <c>tls.certificate</c>.</summary>
    public static IServiceCollection AddHttpProbe(this IServiceCollection services)
    {
        services.AddSettings<HttpProbeOptions>(HttpProbeOptions.SectionName);
        services.AddHttpClient(HttpProbe.Client)
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider =>
                provider.GetRequiredService<IOptions<HttpProbeOptions>>().Value.Guard.CreateHandler())
            .RemoveAllLoggers();
        return services.AddSingleton<ICheck, HttpProbe>().AddSingleton<ICheck, TlsCertificate>();
    }

    /// <summary>The action <c>http.request</c>.</summary>
    public static IServiceCollection AddHttpRequest(this IServiceCollection services)
    {
        services.AddSettings<HttpRequestOptions>(HttpRequestOptions.SectionName);
        services.AddHttpClient(HttpRequestAction.Client)
            // The step keeps the time, as its runbook says.
            .ConfigureHttpClient(client => client.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(provider =>
                provider.GetRequiredService<IOptions<HttpRequestOptions>>().Value.Guard.CreateHandler())
            .RemoveAllLoggers();
        return services.AddSingleton<IAction, HttpRequestAction>();
    }

    /// <summary>The checks and actions on pods, nodes, deployments and routes of the AI gateway.</summary>
    public static IServiceCollection AddKubernetes(this IServiceCollection services)
    {
        services.AddSettings<KubernetesOptions>(KubernetesOptions.SectionName);
        services.AddAzure().AddOutboundHttpOptions();
        services.AddSingleton<AksServers>().AddSingleton<Clusters>();
        return services
            .AddSingleton<ICheck, PodCheck>()
            .AddSingleton<ICheck, NodeCheck>()
            .AddSingleton<ICheck, DeploymentCheck>()
            .AddSingleton<IAction, RecyclePod>()
            .AddSingleton<IAction, CordonNode>()
            .AddSingleton<IAction, UncordonNode>()
            .AddSingleton<IAction, TaintNode>()
            .AddSingleton<IAction, DrainNode>()
            .AddSingleton<IAction, ReimageNode>()
            .AddSingleton<IAction, RolloutRestart>()
            .AddSingleton<IAction, ScaleDeployment>()
            .AddSingleton<IAction, AiGatewayRoute>();
    }

    /// <summary>The action <c>litellm.modelRoute</c>.</summary>
    public static IServiceCollection AddLiteLlm(this IServiceCollection services)
    {
        services.AddSettings<LiteLlmOptions>(LiteLlmOptions.SectionName);
        services.AddAzure().AddOutboundClient(LiteLlmClient.Client);
        return services.AddSingleton<LiteLlmClient>().AddSingleton<IAction, ModelRoute>();
    }

    /// <summary>The check <c>llm.provider</c>.</summary>
    public static IServiceCollection AddLlmProvider(this IServiceCollection services)
    {
        services.AddSettings<LlmProviderOptions>(LlmProviderOptions.SectionName);
        // No retries: the check tells how the provider is now.
        services.AddHttpClient(LlmProviderCheck.Client)
            .ConfigureHttpClient(client =>
            {
                client.Timeout = Timeout.InfiniteTimeSpan;
                client.MaxResponseContentBufferSize = LargestAnswer;
            })
            .ConfigurePrimaryHttpMessageHandler(() => LlmProviderCheck.Handler())
            .RemoveAllLoggers();
        return services.AddSingleton<ICheck, LlmProviderCheck>();
    }

    /// <summary>The checks of model servers, which ask the Prometheus of <c>AddPrometheus</c>.</summary>
    public static IServiceCollection AddModelServers(this IServiceCollection services) => services
        .AddSingleton<ICheck, VllmHealth>()
        .AddSingleton<ICheck, TgiHealth>()
        .AddSingleton<ICheck, TritonHealth>()
        .AddSingleton<ICheck, LlmLatency>();

    /// <summary>The actions <c>escalate</c> and <c>notify</c>.</summary>
    public static IServiceCollection AddEscalation(this IServiceCollection services) =>
        services.AddSingleton<IAction, Escalate>().AddSingleton<IAction, Notify>();

    /// <summary>The check <c>prometheus.query</c>.</summary>
    public static IServiceCollection AddPrometheus(this IServiceCollection services)
    {
        services.AddSettings<PrometheusOptions>(PrometheusOptions.SectionName);
        services.AddAzure().AddOutboundClient(PrometheusClient.Client);
        services.AddSingleton<PrometheusClient>();
        return services.AddSingleton<ICheck, PrometheusQuery>();
    }

    /// <summary>The actions <c>ticket.create</c> and <c>ticket.update</c>, and what they do when an incident ends.</summary>
    public static IServiceCollection AddTickets(this IServiceCollection services)
    {
        services.AddSettings<TicketsOptions>(TicketsOptions.SectionName);
        services.AddAzure().AddOutboundClient(TicketClient.Client);
        return services
            .AddSingleton<TicketClient>()
            .AddSingleton<IAction, CreateTicket>()
            .AddSingleton<IAction, UpdateTicket>()
            .AddSingleton<IEndHook, TicketEnd>();
    }
}
