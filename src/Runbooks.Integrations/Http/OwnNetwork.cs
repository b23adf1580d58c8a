using System.Net.Sockets;

namespace Runbooks.Integrations.Http;

/// <summary>Tells what this machine's own network lacks from a server that does not answer.</summary>
internal static class OwnNetwork
{
    /// <returns>Why nobody was asked, in words; null when it was the server that did not answer.</returns>
    public static string? Trouble(HttpRequestException failed) => failed switch
    {
        // A name that is misspelt, or that only this machine's resolver does not know, says nothing about the server.
        { HttpRequestError: HttpRequestError.NameResolutionError } or { InnerException: SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery } } =>
            $"its name leads to no address. {failed.Message}",
        { InnerException: SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.NetworkDown } } => $"this machine has no route to the server's network. {failed.Message}",
        // No file handle, memory or port is left, or its host allows no more connections, as App Service does.
        { InnerException: SocketException { SocketErrorCode: SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable or SocketError.AddressNotAvailable or SocketError.AccessDenied } } =>
            $"this machine could open no connection. {failed.Message}",
        _ => null,
    };

    /// <summary>The same of a question for which the time is up.</summary>
    public static string? TroubleAfter(TimeSpan waited, Uri url) =>
        NameLookup.IsRunning(url.IdnHost) ? FormattableString.Invariant($"this machine's DNS did not say within {waited.TotalSeconds:0.#} s where {url.IdnHost} is.") : null;
}
