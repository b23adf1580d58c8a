namespace Runbooks.Web.SignIn;

/// <summary>Sign-in that a platform does in front of the host.</summary>
public sealed class SignInOptions
{
    public const string SectionName = "Auth";

    /// <summary>
    /// Believe the headers in which App Service names the person it has signed in. Only where it stands in front: it removes
    /// such headers from what comes in, and nothing else does.
    /// </summary>
    public bool TrustPlatformPrincipal { get; set; }
}
