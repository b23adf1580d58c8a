namespace Runbooks.Integrations.Http;

/// <summary>Tells a request that never left from one that nobody answered: only that one has certainly done nothing.</summary>
internal static class NeverSent
{
    /// <param name="failure">Of an HTTP call; what caused it is looked through as well.</param>
    public static bool Is(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError })
            {
                return true;
            }
        }

        return false;
    }
}
