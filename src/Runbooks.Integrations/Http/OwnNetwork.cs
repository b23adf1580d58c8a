using System.Net;
using System.Net.Sockets;

namespace Runbooks.Integrations.Http;

/// <summary>Tells a fault of this machine's own network from a server that does not answer.</summary>
internal static class OwnNetwork
{
    private static readonly string[] s_unknownAuthority = ["UntrustedRoot", "PartialChain"];

    /// <returns>Why the server was not asked, in words; null when it was the server that did not answer.</returns>
    public static string? Trouble(HttpRequestException failed) => failed switch
    {
        // A name that is misspelt, or that only this machine's resolver does not know, says nothing about the server.
        { HttpRequestError: HttpRequestError.NameResolutionError } or
        {
            InnerException: SocketException
            {
                SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery
            }
        } => $"its name leads to no address. {failed.Message}",
        { InnerException: SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.NetworkDown } } =>
            $"this machine has no route to the server's network. {failed.Message}",
        // No file handle, memory or port is left, or its host allows no more connections, as App Service does.
        {
            InnerException: SocketException
            {
                SocketErrorCode: SocketError.TooManyOpenSockets
                    or SocketError.NoBufferSpaceAvailable
                    or SocketError.AddressNotAvailable
                    or SocketError.AccessDenied
            }
        } => $"this machine could open no connection. {failed.Message}",
        _ => null,
    };

    /// <summary>
    /// Why a server gave no answer, as the end of a sentence that begins with its name. A server that is not trusted, or sends too much
    /// or only half, was reached.
    /// </summary>
    /// <param name="what">What was asked of it, if that is to be said. Follows "to": <c>list models</c>.</param>
    public static string Describe(Exception failed, string? what = null)
    {
        var to = what is null ? "" : $" to {what}";
        for (var cause = failed; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                    var reason = Reason(cause);
                    return $"is reached{to}, but no secure connection to it comes about: "
                        + $"{reason}{(s_unknownAuthority.Any(reason.Contains) ? " (or its authority is not known to this machine)" : "")}";
                case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                    return $"is reached{to}, but answers with more than is read: {Reason(cause)}";
                case HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded or HttpRequestError.InvalidResponse }:
                    return $"is reached{to}, but gives no whole answer: {Reason(cause)}";
            }
        }

        return $"cannot be reached{to}: {Reason(failed)}";
    }

    /// <summary>
    /// The message of the innermost failure of an HTTP call: the outer ones only point to it. For a connection the outer one names the
    /// address.
    /// </summary>
    public static string Reason(Exception failed)
    {
        if (failed is HttpRequestException { HttpRequestError: not HttpRequestError.ConnectionError })
        {
            while (failed.InnerException is { } inner)
            {
                failed = inner;
            }
        }

        return failed.Message;
    }

    /// <summary>Like <see cref="Trouble"/>, for a question whose time is up.</summary>
    public static string? TroubleAfter(TimeSpan waited, Uri url) =>
        NameLookup.IsRunning(url.IdnHost)
            ? $"this machine's DNS did not say within {waited.TotalSeconds:0.#} s where {url.IdnHost} is."
            : null;
}

/// <summary>Resolves names, and knows which look-ups still run: a silent resolver is no fault of the server that is looked for.</summary>
internal static class NameLookup
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<string, int> s_running = new(StringComparer.OrdinalIgnoreCase);

    public static bool IsRunning(string host)
    {
        lock (s_lock)
        {
            return s_running.ContainsKey(host);
        }
    }

    /// <param name="host">An address stands for itself: looking up one that means "any" would be a fault.</param>
    /// <param name="lookUp">This machine's look-up if left out. It counts as running until it ends, even if its caller waits no longer.</param>
    public static Task<IPAddress[]> ResolveAsync(
        string host, Func<string, Task<IPAddress[]>>? lookUp, CancellationToken cancellationToken) =>
        IPAddress.TryParse(host, out var address)
            ? Task.FromResult<IPAddress[]>([address])
            : RunAsync(host, lookUp ?? Dns.GetHostAddressesAsync).WaitAsync(cancellationToken);

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

/// <summary>Tells a request that never left, and so certainly did nothing, from one that nobody answered.</summary>
internal static class NeverSent
{
    public static bool Is(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError
                    or HttpRequestError.NameResolutionError
                    or HttpRequestError.SecureConnectionError
                    or HttpRequestError.ProxyTunnelError
            })
            {
                return true;
            }
        }

        return false;
    }
}
