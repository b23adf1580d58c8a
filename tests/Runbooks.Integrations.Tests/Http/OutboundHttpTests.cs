using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Polly.CircuitBreaker;
using Runbooks.Integrations.Http;
using TestKit.Engine;

namespace Runbooks.Integrations.Tests.Http;

public sealed class OutboundHttpTests
{
    [Fact]
    public async Task DeadHost_ClosesItsOwnDoorAndNoOther()
    {
        await using var services = Channel(new OneIsDead());
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

    [Fact]
    public async Task MoreRequestsThanAHostGetsAtOnce_WaitTheirTurn()
    {
        const int Requests = 1_500;
        var host = new Busy();
        await using var services = Channel(host);
        var client = services.GetRequiredService<IHttpClientFactory>().CreateClient("channel");

        var answers = Enumerable.Range(0, Requests).Select(_ => PostAsync(client, "https://busy.example/hook")).ToList();
        host.Asked.ShouldBeLessThan(Requests, "the host is not asked everything at once");
        using var patience = new CancellationTokenSource();
        var impatient = client.GetAsync(new Uri("https://busy.example/hook"), patience.Token);
        await patience.CancelAsync();
        (await Record.ExceptionAsync(() => impatient)).ShouldBeAssignableTo<OperationCanceledException>("whoever gives up waits no longer");
        host.Answer.SetResult();

        (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.IsSuccessStatusCode);
        host.Asked.ShouldBe(Requests);
    }

    /// <summary>Whoever asks has less time than that, and tells better what the host said than that it did not answer.</summary>
    [Theory]
    [InlineData(600, 1)]
    [InlineData(0, 2)]
    public async Task HostThatAsksToWaitForLong_IsNotAskedAgain(int seconds, int times)
    {
        var host = new Throttled(TimeSpan.FromSeconds(seconds));
        await using var services = Channel(host);

        var answer = await services.GetRequiredService<IHttpClientFactory>().CreateClient("channel").GetAsync(new Uri("https://throttled.example/api"), TestContext.Current.CancellationToken);

        (answer.StatusCode, host.Asked).ShouldBe((times == 1 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK, times));
    }

    /// <summary>What came of it stands in the finding, the step or the delivery; forty lines with stack traces beside that hide it.</summary>
    [Fact]
    public async Task HostThatFails_IsNotInTheLogForEachAttempt()
    {
        using var log = new ListLogger();
        await using var services = Channel(new OneIsDead(), logging => logging.AddProvider(new Kept(log)));

        await Record.ExceptionAsync(() => PostAsync(services.GetRequiredService<IHttpClientFactory>().CreateClient("channel"), "https://dead.example/hook"));

        log.Lines.ShouldBeEmpty();
    }

    private static ServiceProvider Channel(HttpMessageHandler host, Action<ILoggingBuilder>? logging = null) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddLogging(logging ?? (_ => { }))
        .AddOutboundClient("channel").ConfigurePrimaryHttpMessageHandler(() => host).Services
        .BuildServiceProvider();

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string url) => client.PostAsync(new Uri(url), new StringContent("{}"), TestContext.Current.CancellationToken);

    private sealed class Kept(ILogger log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }

    /// <summary>Answers nobody until it answers all.</summary>
    private sealed class Busy : HttpMessageHandler
    {
        private int _asked;

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Asked => _asked;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _asked);
            await Answer.Task.WaitAsync(cancellationToken);
            return new(HttpStatusCode.OK);
        }
    }

    private sealed class OneIsDead : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.RequestUri!.Host == "dead.example" ? throw new HttpRequestException("no answer") : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }

    /// <summary>Turns the first request away.</summary>
    private sealed class Throttled(TimeSpan wait) : HttpMessageHandler
    {
        public int Asked { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var answer = new HttpResponseMessage(++Asked == 1 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK);
            answer.Headers.RetryAfter = new(wait);
            return Task.FromResult(answer);
        }
    }
}
