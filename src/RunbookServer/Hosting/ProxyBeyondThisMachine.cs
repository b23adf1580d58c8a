using System.Net;

namespace RunbookServer.Hosting;

/// <summary>The proxy that is set for this machine, but not for its own addresses: .NET asks those through it too, and sends their keys along.</summary>
internal sealed class ProxyBeyondThisMachine(IWebProxy usual) : IWebProxy
{
    private static readonly string[] s_here = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>For every client that is made from here on.</summary>
    public static void Use()
    {
        // The Azure SDK makes a proxy of its own of the same variables; that in small letters has the first word.
        var others = Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY");
        Environment.SetEnvironmentVariable("no_proxy", string.Join(',', string.IsNullOrEmpty(others) ? s_here : [others, .. s_here]));
        HttpClient.DefaultProxy = new ProxyBeyondThisMachine(HttpClient.DefaultProxy);
    }

    public ICredentials? Credentials
    {
        get => usual.Credentials;
        set => usual.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => usual.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || usual.IsBypassed(host);
}
