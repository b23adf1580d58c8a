using System.Net.Http.Headers;
using Azure.Core;
using k8s.Authentication;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>Tokens of the app's identity for AKS; the credential keeps each until it is about to expire.</summary>
internal sealed class AksTokens(TokenCredential identity) : ITokenProvider
{
    /// <summary>The server application of AKS, the same in every tenant.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/aks/kubelogin-authentication"/>
    public const string Scope = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

    public async Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken) =>
        new("Bearer", (await identity.GetTokenAsync(new TokenRequestContext([Scope]), cancellationToken)).Token);
}
