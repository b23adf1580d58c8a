using System.Net;
using System.Net.Sockets;

namespace Runbooks.Integrations.Http;

/// <summary>Resolves names, and knows which it is still waiting for: a resolver that says nothing is no fault of the server that it was asked for.</summary>
internal static class NameLookup
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, int> s_running = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether this machine's DNS has not answered yet.</summary>
    public static bool IsRunning(string host)
    {
        lock (s_lock)
        {
            return s_running.ContainsKey(host);
        }
    }

    /// <param name="lookUp">That of this machine, where it is left out. It is waited for no longer when the caller gives up, and counts as running until it ends.</param>
    public static Task<IPAddress[]> ResolveAsync(string host, Func<string, Task<IPAddress[]>>? lookUp, CancellationToken cancellationToken) =>
        RunAsync(host, lookUp ?? Dns.GetHostAddressesAsync).WaitAsync(cancellationToken);

    /// <summary>A connection to the first of the addresses that takes it.</summary>
    public static async Task<Stream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
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

    private static async Task<IPAddress[]> RunAsync(string host, Func<string, Task<IPAddress[]>> lookUp)
    {
        Count(host, 1);
        try
        {
            return await lookUp(host);
        }
        finally
        {
            Count(host, -1);
        }
    }

    private static void Count(string host, int more)
    {
        lock (s_lock)
        {
            if (s_running.GetValueOrDefault(host) + more is var running and > 0)
            {
                s_running[host] = running;
            }
            else
            {
                s_running.Remove(host);
            }
        }
    }
}
