using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Polly.CircuitBreaker;
using Runbooks.Integrations.Http;

namespace Runbooks.Integrations.Tests.Http;

public sealed class OutboundHttpTests
{
    [Fact]
    public async Task DeadHost_ClosesItsOwnDoorAndNoOther()
    {
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddOutboundClient("channel").ConfigurePrimaryHttpMessageHandler(() => new OneIsDead()).Services
            .BuildServiceProvider();
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("channel");
        var broken = false;
        for (var attempt = 0; attempt < 150 && !broken; attempt++)
        {
            broken = await Record.ExceptionAsync(() => PostAsync(client, "https://dead.example/hook")) is BrokenCircuitException;
        }

        broken.ShouldBeTrue("a host that fails every time is left alone for a while");
        (await PostAsync(client, "https://alive.example/hook")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void ThousandHosts_ShareNoBreaker() =>
        Enumerable.Range(0, 1_000).Select(host => OutboundHttp.BreakerOf(new Uri($"https://h{host}.example/hook"))).ShouldBeUnique();

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string url) => client.PostAsync(new Uri(url), new StringContent("{}"), TestContext.Current.CancellationToken);

    private sealed class OneIsDead : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri!.Host == "dead.example" ? throw new HttpRequestException("no answer") : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }
}
