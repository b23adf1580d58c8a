using Azure.Identity;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Azure.Prompts;
using Runbooks.Integrations.Azure.Routing;
using Runbooks.Model.Storage;
using Runbooks.Settings;

namespace Microsoft.Extensions.DependencyInjection;

public static class AzureServices
{
    /// <summary>The actions <c>apim.suspendSubscription</c> and <c>apim.backendPool</c>.</summary>
    public static IServiceCollection AddApiManagement(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, SuspendSubscription>().AddSingleton<IAction, BackendPool>();

    /// <summary>The action <c>appConfiguration.setFlag</c>, and what the banner needs of it. May be called more than once.</summary>
    public static IServiceCollection AddAppConfiguration(this IServiceCollection services)
    {
        services.AddSettings<AppConfigurationOptions>(AppConfigurationOptions.SectionName);
        services.AddAzure();
        services.TryAddSingleton<AppConfigurationClient>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, SetFlag>());
        return services;
    }

    /// <summary>The action <c>appService.restart</c>.</summary>
    public static IServiceCollection AddAppService(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, RestartSite>();

    /// <summary>The action <c>arm.request</c>.</summary>
    public static IServiceCollection AddArmRequest(this IServiceCollection services)
    {
        services.AddSettings<ArmRequestOptions>(ArmRequestOptions.SectionName);
        return services.AddAzure().AddSingleton<IAction, ArmRequest>();
    }

    /// <summary>The credential and the pipelines that every Azure integration shares. May be called more than once.</summary>
    public static IServiceCollection AddAzure(this IServiceCollection services)
    {
        services.AddSettings<AzureOptions>(AzureOptions.SectionName);
        services.AddOutboundHttpOptions();
        services.TryAddSingleton(provider => Credential(provider.GetRequiredService<IOptions<AzureOptions>>().Value));
        services.TryAddSingleton<AzurePipelines>();
        services.TryAddSingleton<ArmResources>();

        // A command that only reads files has no store, and changes nothing.
        services.TryAddSingleton(provider => new ResourceLease(provider.GetService<ISharedState>()));
        services.TryAddSingleton(provider => new HeldValues(
            provider.GetService<ISharedState>(), provider.GetService<IIncidentStore>(), provider.GetRequiredService<ResourceLease>()));
        services.TryAddSingleton<WholeResource>();
        return services;
    }

    private static TokenCredential Credential(AzureOptions options) => options.ManagedIdentityOnly
        ? new ManagedIdentityCredential(options.ManagedIdentityClientId is { } id
            ? ManagedIdentityId.FromUserAssignedClientId(id)
            : ManagedIdentityId.SystemAssigned)
        : new DefaultAzureCredential(
            new DefaultAzureCredentialOptions { ManagedIdentityClientId = options.ManagedIdentityClientId, TenantId = options.TenantId });

    /// <summary>The action <c>banner.publish</c>.</summary>
    public static IServiceCollection AddBanner(this IServiceCollection services)
    {
        services.AddSettings<BannerOptions>(BannerOptions.SectionName);
        services.AddAppConfiguration().AddSingleton<BannerBlobs>();
        return services.AddSingleton<IAction, PublishBanner>();
    }

    /// <summary>The action <c>containerApp.restartRevision</c>.</summary>
    public static IServiceCollection AddContainerApps(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, RestartRevision>();

    /// <summary>The checks <c>azureMonitor.metric</c>, <c>azureMonitor.logs</c> and <c>resourceHealth</c>, and the action <c>azureAlert.close</c>.</summary>
    public static IServiceCollection AddAzureMonitor(this IServiceCollection services)
    {
        services.AddAzureMetrics();
        services.AddSingleton<ICheck, MetricCheck>();
        services.AddAzureLogs();
        services.AddSingleton<ICheck, LogsCheck>();
        services.AddSingleton<ICheck, ResourceHealthCheck>();
        return services.AddSingleton<IAction, CloseAlert>();
    }

    internal static IServiceCollection AddAzureLogs(this IServiceCollection services)
    {
        services.AddAzure();
        services.TryAddSingleton<LogsClient>();
        return services;
    }

    internal static IServiceCollection AddAzureMetrics(this IServiceCollection services)
    {
        services.AddAzure();
        services.TryAddSingleton<AzureMetrics>();
        return services;
    }

    /// <summary>The actions <c>azureOpenAI.rotateKey</c> and <c>azureOpenAI.spillOver</c>.</summary>
    public static IServiceCollection AddAzureOpenAI(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, RotateKey>().AddSingleton<IAction, SpillOver>();

    /// <summary>The action <c>contentSafety.blocklist</c>.</summary>
    public static IServiceCollection AddContentSafety(this IServiceCollection services) =>
        services.AddSignatures().AddSingleton<IAction, Blocklist>();

    /// <summary>The action <c>azureMl.trafficSplit</c>.</summary>
    public static IServiceCollection AddMachineLearning(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, TrafficSplit>();

    /// <summary>The action <c>frontDoor.reroute</c>.</summary>
    public static IServiceCollection AddFrontDoor(this IServiceCollection services) =>
        services.AddAzureMetrics().AddSingleton<IAction, FrontDoorReroute>();

    /// <summary>The action <c>trafficManager.reroute</c>.</summary>
    public static IServiceCollection AddTrafficManager(this IServiceCollection services) =>
        services.AddAzure().AddSingleton<IAction, TrafficManagerReroute>();

    /// <summary>The action <c>waf.blockSignature</c>, for the policies of Front Door and of Application Gateway.</summary>
    public static IServiceCollection AddWaf(this IServiceCollection services) =>
        services.AddSignatures().AddSingleton<IAction, BlockSignature>();

    private static IServiceCollection AddSignatures(this IServiceCollection services)
    {
        services.AddAzureLogs().TryAddSingleton<SignatureTrial>();
        return services;
    }
}
