using System.Net.Sockets;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Tests.Http;

public sealed class OwnNetworkTests
{
    [Theory]
    [InlineData(SocketError.HostNotFound, "its name leads to no address. no way")]
    [InlineData(SocketError.TryAgain, "its name leads to no address. no way")]
    [InlineData(SocketError.NetworkUnreachable, "this machine has no route to the server's network. no way")]
    // The last router says this of a server that is off.
    [InlineData(SocketError.HostUnreachable, null)]
    [InlineData(SocketError.ConnectionRefused, null)]
    [InlineData(SocketError.TimedOut, null)]
    public void OwnTrouble_IsToldFromThatOfTheServer(SocketError error, string? words) =>
        OwnNetwork.Trouble(new HttpRequestException("no way", new SocketException((int)error))).ShouldBe(words);
}
