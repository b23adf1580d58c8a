namespace Runbooks.Web.Http;

/// <summary>Whether a form was sent from our own page.</summary>
internal static class SameOrigin
{
    /// <summary>
    /// Browsers say where a post comes from. Under no-referrer they send the origin "null" even for our own form, so the
    /// fetch metadata, which pages cannot forge, has the first word (Fetch, section 3.2 and Fetch Metadata, section 2).
    /// </summary>
    public static bool Allows(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
        {
            return site is "same-origin" or "none";
        }

        // Behind a proxy that ends TLS our own scheme is not the browser's; the host is what tells origins apart here.
        return request.Headers.Origin.ToString() is not { Length: > 0 } origin
            || origin == "null"
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && string.Equals(uri.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
