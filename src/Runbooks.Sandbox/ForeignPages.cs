using System.Net;

namespace Runbooks.Sandbox;

/// <summary>
/// The sandbox asks for no key, and every page that is open in a browser on this machine can reach it. Such a page may change
/// nothing: neither by a form of its own, nor under a name of its own that it points at this machine.
/// </summary>
internal static class ForeignPages
{
    public static bool MayChange(HttpRequest request)
    {
        if (request.Path.StartsWithSegments("/_sandbox") && !IsThisMachine(request.Host.Host))
        {
            return false;
        }

        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return true;
        }

        // Browsers say where a request comes from, and pages cannot make them say anything else; programs say nothing.
        var (site, origin) = (request.Headers["Sec-Fetch-Site"].ToString(), request.Headers.Origin.ToString());
        if (site.Length == 0 && origin.Length == 0)
        {
            return true;
        }

        return IsThisMachine(request.Host.Host) && (site.Length > 0
            ? site is "same-origin" or "none"
            : Uri.TryCreate(origin, UriKind.Absolute, out var from) && string.Equals(from.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }

    public static Task RefuseAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status403Forbidden;
        return response.WriteAsync("The sandbox takes this from programs on this machine, and from no page of another site.");
    }

    private static bool IsThisMachine(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
