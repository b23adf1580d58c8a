using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Kubernetes;

public static class KubernetesRegistration
{
    /// <summary>The check <c>kubernetes.pod</c> and the action <c>kubernetes.recyclePod</c>.</summary>
    public static IServiceCollection AddKubernetes(this IServiceCollection services)
    {
        services.AddOptions<KubernetesOptions>().BindConfiguration(KubernetesOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddAzure().AddOutboundHttpOptions();
        services.AddSingleton<AksServers>().AddSingleton<Clusters>();
        services.AddSingleton<ICheck, PodCheck>();
        return services.AddSingleton<IAction, RecyclePod>();
    }
}
