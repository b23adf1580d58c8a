using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Azure;

public static class AzureRegistration
{
    /// <summary>The credential and the pipelines that every Azure integration shares. May be called more than once.</summary>
    public static IServiceCollection AddAzure(this IServiceCollection services)
    {
        services.AddOptions<AzureOptions>().BindConfiguration(AzureOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddOutboundHttpOptions();
        services.TryAddSingleton(provider => Credential(provider.GetRequiredService<IOptions<AzureOptions>>().Value));
        services.TryAddSingleton<AzurePipelines>();
        services.TryAddSingleton<ArmResources>();
        return services;
    }

    private static TokenCredential Credential(AzureOptions options) => options.ManagedIdentityOnly
        ? new ManagedIdentityCredential(options.ManagedIdentityClientId is { } id ? ManagedIdentityId.FromUserAssignedClientId(id) : ManagedIdentityId.SystemAssigned)
        : new DefaultAzureCredential(new DefaultAzureCredentialOptions { ManagedIdentityClientId = options.ManagedIdentityClientId, TenantId = options.TenantId });
}
