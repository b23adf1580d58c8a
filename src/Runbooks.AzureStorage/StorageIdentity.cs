using Azure.Core;
using Azure.Identity;

namespace Runbooks.AzureStorage;

/// <summary>Who signs in to the account where no key is configured.</summary>
internal static class StorageIdentity
{
    /// <param name="clientId">A user-assigned identity: of the pod's service account in AKS, otherwise of the machine or the app.</param>
    public static TokenCredential For(string? clientId) => clientId is null
        ? new DefaultAzureCredential()
        : new ChainedTokenCredential(
            new WorkloadIdentityCredential(new WorkloadIdentityCredentialOptions { ClientId = clientId }),
            new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId)));
}
