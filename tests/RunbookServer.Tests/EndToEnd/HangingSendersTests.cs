using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Senders that begin and do not go on are cut off after a while, and hold up nobody meanwhile.</summary>
public sealed class HangingSendersTests
{
    [Fact]
    public async Task SendersThatHang_AreCutOffAndHoldUpNobody()
    {
        await using var host = await RunningHost.StartAsync(adjust: services => services.PostConfigure<KestrelServerOptions>(kestrel =>
        {
            // What is shipped takes 15 and 5 seconds, and two minutes where nothing is said.
            kestrel.Limits.KeepAliveTimeout.ShouldBe(TimeSpan.FromMinutes(2));
            kestrel.Limits.RequestHeadersTimeout.ShouldBe(TimeSpan.FromSeconds(15));
            kestrel.Limits.MinRequestBodyDataRate.ShouldNotBeNull().GracePeriod.ShouldBe(TimeSpan.FromSeconds(5));
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1);
            kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(240, TimeSpan.FromSeconds(1.1));
        }));
        var address = host.Client.Http.BaseAddress!;
        var begin = $"POST /api/alerts/generic HTTP/1.1\r\nHost: {address.Authority}\r\n";
        var key = host.Client.Http.DefaultRequestHeaders.GetValues("X-Api-Key").Single();
        using var silent = await SayAsync(address, "");
        using var headers = await SayAsync(address, begin);
        using var body = await SayAsync(address, $"{begin}X-Api-Key: {key}\r\nContent-Length: 50\r\n\r\n{{\"name\":\"");

        (await host.Client.StuckAsync("llm-b-0"))["outcome"]!.ToString().ShouldBe("opened");

        (await HearAsync(headers)).ShouldStartWith("HTTP/1.1 408");
        (await HearAsync(body)).ShouldStartWith("HTTP/1.1 503", customMessage: "most senders repeat nothing else");
        (await host.Client.GetAsync("api/incidents"))["incidents"]!.AsArray().Count.ShouldBe(1);
        await silent.SendAsync(Encoding.ASCII.GetBytes($"GET /healthz HTTP/1.1\r\nHost: {address.Authority}\r\n\r\n"), Cancel);
        (await HearAsync(silent)).ShouldStartWith("HTTP/1.1 200", customMessage: "a connection that says nothing is kept for its first request");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<Socket> SayAsync(Uri address, string text)
    {
        var sender = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await sender.ConnectAsync("127.0.0.1", address.Port, Cancel);
        await sender.SendAsync(Encoding.ASCII.GetBytes(text), Cancel);
        return sender;
    }

    private static async Task<string> HearAsync(Socket sender)
    {
        var buffer = new byte[4096];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience.Limit);
        return Encoding.ASCII.GetString(buffer, 0, await sender.ReceiveAsync(buffer, patience.Token));
    }
}
