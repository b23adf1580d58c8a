using System.Net;
using RunbookServer.Hosting;

namespace RunbookServer.Tests.Hosting;

public sealed class ProxyBeyondThisMachineTests
{
    [Theory]
    [InlineData("http://127.0.0.1:9090/api", false)]
    [InlineData("http://localhost:7072/", false)]
    [InlineData("https://[::1]/", false)]
    [InlineData("https://inside.example/", false)]
    [InlineData("https://prometheus.example/", true)]
    public void AddressOfThisMachine_IsNotAskedThroughIt(string address, bool through) =>
        new ProxyBeyondThisMachine(new ProxyOfVariables()).IsBypassed(new(address)).ShouldBe(!through);

    /// <summary>As .NET makes one of <c>HTTP_PROXY</c> and <c>NO_PROXY</c>: it knows no exception but those that are named.</summary>
    private sealed class ProxyOfVariables : IWebProxy
    {
        public ICredentials? Credentials { get; set; }

        public Uri? GetProxy(Uri destination) => new("http://proxy.example:8080");

        public bool IsBypassed(Uri host) => host.Host == "inside.example";
    }
}
