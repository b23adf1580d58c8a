using System.Net;
using System.Net.Sockets;

namespace Runbooks.Integrations.Http;

/// <summary>
/// Keeps requests whose URL comes from a runbook or an alert away from private addresses. It looks at the address that
/// is connected to, not at the one that an earlier look-up gave, so a name that changes its mind does not get through.
/// </summary>
/// <param name="allowedHosts">Hosts that may be private: <c>name</c>, <c>name:port</c> or <c>*.domain</c>.</param>
public sealed class EgressGuard(IReadOnlyCollection<string> allowedHosts)
{
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy would make the connection in our place, out of the guard's sight.
        UseProxy = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        ConnectCallback = ConnectAsync,
    };

    public bool Allows(string host, int port) => allowedHosts.Any(allowed =>
        allowed.StartsWith("*.", StringComparison.Ordinal)
            ? host.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase)
            : Same(allowed, host) || Same(allowed, $"{host}:{port}"));

    private static bool Same(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken);
        if (!Allows(host, port))
        {
            addresses = [.. addresses.Where(PublicAddress.Is)];
            if (addresses.Length == 0)
            {
                throw new EgressRefusedException($"{host}:{port} is a private, link-local or metadata address. Allow the host in the configuration if it is meant.");
            }
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>The address must not be called; the message says which and where to allow it.</summary>
public sealed class EgressRefusedException(string message) : Exception(message);
