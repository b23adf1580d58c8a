using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RunbookServer.Hosting;

internal static class ServerPort
{
    /// <summary>Looked for before anything starts: messages name the port, and a half-started host would have to be undone.</summary>
    public static int FindFree(int wanted, bool onAny)
    {
        try
        {
            while (true)
            {
                using var listener = new TcpListener(onAny ? IPAddress.Any : IPAddress.Loopback, wanted);
                listener.Start();
                var port = ((IPEndPoint)listener.LocalEndpoint).Port;
                if (IsFree(onAny ? IPAddress.IPv6Any : IPAddress.IPv6Loopback, port))
                {
                    return port;
                }

                if (wanted != 0)
                {
                    throw new SocketException((int)SocketError.AddressAlreadyInUse);
                }
            }
        }
        catch (SocketException refused)
        {
            throw new CommandException(refused.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse =>
                    $"Port {wanted} is taken. Stop what listens there, or choose another with --port; 0 takes any free one.",
                SocketError.AccessDenied =>
                    $"Port {wanted} is for privileged programs. Choose one from 1024 on with --port; 0 takes any free one.",
                _ => $"Port {wanted} cannot be used: {refused.Message}. Choose another with --port; 0 takes any free one.",
            });
        }
    }

    /// <summary>The host listens on IPv4 and IPv6, and another program may have taken the IPv6 port alone. A machine may be without IPv6.</summary>
    private static bool IsFree(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return true;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode != SocketError.AddressAlreadyInUse;
        }
    }

    public static void Listen(KestrelServerOptions kestrel, ServerSettings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = ConnectionLimit.Current();
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        if (settings.ListenAny)
        {
            kestrel.ListenAnyIP(settings.Port);
        }
        else
        {
            kestrel.ListenLocalhost(settings.Port);
        }
    }
}

/// <summary>
/// How many connections the host takes at once. Each is an open file. Half of the files that the system allows, and no fewer than
/// <see cref="Kept"/>, are kept for the host itself.
/// </summary>
internal static class ConnectionLimit
{
    private const long Most = 5_000;
    private const long Least = 32;

    /// <summary>An idle host has some 320 files open, most of them its libraries. .NET ends the process where it cannot load another.</summary>
    private const long Kept = 500;
    private const int OpenFiles = 7;

    public static long Current() =>
        Of(OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var files) == 0 ? files.Current : ulong.MaxValue);

    internal static long Of(ulong openFiles)
    {
        var files = (long)Math.Min(openFiles, 2 * Most);
        return Math.Clamp(Math.Min(files / 2, files - Kept), Least, Most);
    }

    /// <summary>The kernel's <c>struct rlimit</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Current;
        public ulong Maximum;
    }

    [DllImport("libc", EntryPoint = "getrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int GetLimit(int resource, out Limit limit);
}
