using System.Net;

namespace RunbookServer.Hosting;

/// <summary>The proxy that is set for this machine, but not for its own addresses: .NET asks those through it too, and sends their keys along.</summary>
internal sealed class ProxyBeyondThisMachine(IWebProxy usual) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => usual.Credentials;
        set => usual.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => usual.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || usual.IsBypassed(host);
}
