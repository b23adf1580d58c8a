using Azure.Core;
using Azure.Identity;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>An identity whose tokens say what they are for; the sandbox's cluster takes no other than <c>practice</c>.</summary>
/// <param name="token">The same token for everything; null for one that names its scope.</param>
internal sealed class KnownIdentity(string? token = null) : TokenCredential
{
    public List<string> Asked { get; } = [];

    /// <summary>How many tokens it gives before it fails, and how often it does.</summary>
    public (int Skip, int Count) Away { get; set; }

    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
    {
        if (Away is (0, > 0))
        {
            Away = Away with { Count = Away.Count - 1 };
            throw new AuthenticationFailedException("the sign-in does not answer");
        }

        Away = Away with { Skip = Math.Max(0, Away.Skip - 1) };
        Asked.AddRange(requestContext.Scopes);
        return new(token ?? $"for {string.Join(' ', requestContext.Scopes)}", DateTimeOffset.MaxValue);
    }

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        new(GetToken(requestContext, cancellationToken));
}
