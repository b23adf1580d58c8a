using Azure.Core;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>An identity whose tokens say what they are for; the sandbox's cluster takes no other than <c>practice</c>.</summary>
/// <param name="token">The same token for everything; null for one that names its scope.</param>
internal sealed class KnownIdentity(string? token = null) : TokenCredential
{
    public List<string> Asked { get; } = [];

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        Asked.AddRange(requestContext.Scopes);
        return new(token ?? $"for {string.Join(' ', requestContext.Scopes)}", DateTimeOffset.MaxValue);
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        new(GetToken(requestContext, cancellationToken));
}
