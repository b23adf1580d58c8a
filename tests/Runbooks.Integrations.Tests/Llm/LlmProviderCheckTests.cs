using System.Net.Http.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Llm;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Llm;

public sealed class LlmProviderCheckTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddLlmProvider();

    private Task<CheckResult> AskAsync(string ask = "models") => AskAsync("llm.provider", new { ask });

    private Task<HttpResponseMessage> OutageAsync(bool down) => Http.PostAsJsonAsync("/provider/_outage", new { down }, Cancel);

    [Fact]
    public async Task Outage_IsFailingUntilItIsOver()
    {
        var down = await AskAsync();
        Clock.Advance(TimeSpan.FromMinutes(3));
        var up = await AskAsync();

        (down.Verdict, down.Summary).ShouldBe((Verdict.Failing, "practice is failing: 503 Service Unavailable; it asks to wait 20 s."));
        (up.Verdict, up.Summary).ShouldBe((Verdict.Passing, "practice answered 200 in 0 ms."));
    }

    [Fact]
    public async Task Completion_ProvesMore()
    {
        await OutageAsync(false);

        (await AskAsync("completion")).Verdict.ShouldBe(Verdict.Passing);

        var (request, body) = (await SentAsync())[^1];
        request.ShouldBe("POST /provider/v1/chat/completions");
        body.ShouldBeGolden("completion");
    }

    [Theory]
    [InlineData("429", "limited", Verdict.Failing, "429, too many requests")]
    [InlineData("429", "outage", Verdict.Unknown, "That is a limit on requests, and no outage.")]
    [InlineData("402", "outage", Verdict.Failing, "its quota or credit is used up")]
    [InlineData("503", "outage", Verdict.Failing, "is failing: 503")]
    [InlineData("408", "outage", Verdict.Failing, "is failing: 408")]
    [InlineData("424", "outage", Verdict.Failing, "is failing: 424")]
    [InlineData("503", "limited", Verdict.Unknown, "That is an outage, and no limit on requests.")]
    [InlineData("unreachable", "limited", Verdict.Unknown, "That is an outage, and no limit on requests.")]
    [InlineData("401", "limited", Verdict.Unknown, "refuses our key")]
    public async Task OtherTroubleThanTheOneAskedFor_IsForAPerson(string fault, string failing, Verdict verdict, string words)
    {
        await OutageAsync(false);
        await FaultAsync("provider", fault);

        var result = await AskAsync("llm.provider", new { ask = "completion", failing });

        (result.Verdict, result.Summary).ShouldSatisfyAllConditions(one => one.Verdict.ShouldBe(verdict), one => one.Summary.ShouldContain(words));
    }

    [Theory]
    [InlineData("429", Verdict.Failing, "too many requests")]
    [InlineData("500", Verdict.Failing, "is failing: 500")]
    [InlineData("unreachable", Verdict.Failing, "cannot be reached")]
    [InlineData("401", Verdict.Unknown, "refuses our key")]
    [InlineData("403", Verdict.Unknown, "refuses our key")]
    [InlineData("404", Verdict.Unknown, "says nothing about its health")]
    public async Task Fault_IsToldFromTheOthers(string fault, Verdict verdict, string words)
    {
        await OutageAsync(false);
        await FaultAsync("provider", fault);

        var result = await AskAsync();

        result.Verdict.ShouldBe(verdict);
        result.Summary.ShouldContain(words);
    }

    [Fact]
    public async Task Silence_IsFailingAfterTheTimeout()
    {
        await FaultAsync("provider", "slow");
        var asked = AskAsync("llm.provider", new { timeout = "5s" });
        while (!(await RequestsAsync()).Any(request => request.Contains("completions")))
        {
            await Task.Yield();
        }

        Clock.Advance(TimeSpan.FromSeconds(5));

        (await asked).Summary.ShouldBe("practice did not answer within 5 s.");
    }
}

/// <summary>Providers that answer a completion otherwise than the sandbox's, in words that real ones use.</summary>
public sealed class CompletionTests : WithServer
{
    private const string OtherLimit = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    private const string TooFew = "Could not finish the message because max_tokens or model output limit was reached. Please try again with higher max_tokens.";

    private static string Error(string message) => $$$"""{"error":{"message":"{{{message}}}","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}""";

    private async Task<CheckResult> AskAsync(string url, string? model = "gpt-5", ProviderTrouble failing = ProviderTrouble.Any)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["LlmProvider:Providers:p:Url"] = url, ["LlmProvider:Providers:p:Model"] = model }).Build();
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddSingleton<TimeProvider>(_server.Time).AddLlmProvider().BuildServiceProvider();
        return await services.GetServices<ICheck>().Single().AskAsync(new LlmProviderParameters { Failing = failing }, _server.Step(), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task ProviderThatIsNotTrusted_WasReached()
    {
        await using var front = new TlsFront();
        await front.StartAsync(() => new Uri(_server.Url));

        var result = await AskAsync(front.Address.ToString());

        (result.Verdict, result.Value).ShouldBe((Verdict.Failing, "untrusted"));
        result.Summary.ShouldStartWith("p is reached, but no secure connection to it comes about: The remote certificate is invalid");
    }

    [Fact]
    public async Task AnswerThatBreaksOff_WasOne()
    {
        _server.Answer = context =>
        {
            // It closes the connection after less than that.
            context.Response.ContentLength = 100;
            return context.Response.WriteAsync("{");
        };

        var result = await AskAsync(_server.Url);

        (result.Verdict, result.Value).ShouldBe((Verdict.Failing, "cut off"));
        result.Summary.ShouldStartWith("p broke off in the middle of its answer: ");
    }

    /// <summary>The limit is ours: it says nothing of the provider.</summary>
    [Fact]
    public async Task AnswerThatIsLongerThanIsRead_IsNoOutage()
    {
        _server.Answer = context => context.Response.WriteAsync(new string(' ', 5 * 1024 * 1024));

        var result = await AskAsync(_server.Url, failing: ProviderTrouble.Outage);

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldStartWith("p is reached, but answers with more than is read: ");
    }

    [Theory]
    [InlineData(200, """{"choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant","content":""}}]}""", Verdict.Passing, "p answered 200 in 0 ms.")]
    [InlineData(400, TooFew, Verdict.Passing, "p thought for longer than 16 tokens, in 0 ms.")]
    [InlineData(400, "The model is not here.", Verdict.Unknown, "p answered 400 (\"The model is not here.\"), which says nothing about its health; check its Url and Model.")]
    [InlineData(429, "Too many.", Verdict.Failing, "p turns requests away: 429, too many requests (\"Too many.\").")]
    public async Task ModelThatRefusesMaxTokens_IsAskedWithTheOtherLimit(int status, string answer, Verdict verdict, string words)
    {
        _server.Answer = context =>
        {
            var isFirst = _server.Requests.Count == 1;
            context.Response.StatusCode = isFirst ? 400 : status;
            return context.Response.WriteAsync(isFirst ? Error(OtherLimit) : status == 200 ? answer : Error(answer));
        };

        var result = await AskAsync(_server.Url);

        (result.Verdict, result.Summary).ShouldBe((verdict, words));
        _server.Requests.Select(request => request.Body).ShouldBe(
        [
            """{"model":"gpt-5","max_tokens":1,"messages":[{"role":"user","content":"ok"}]}""",
            """{"model":"gpt-5","max_completion_tokens":16,"messages":[{"role":"user","content":"ok"}]}""",
        ]);
    }

    /// <summary>A server of one model takes a request that names none; so does Azure, where the address names the deployment.</summary>
    [Fact]
    public async Task ModelThatIsNotConfigured_IsNotNamed()
    {
        _server.Answer = context => context.Response.WriteAsync("""{"choices":[{"index":0}]}""");

        (await AskAsync(_server.Url, model: null)).Verdict.ShouldBe(Verdict.Passing);
        _server.Requests.Single().Body.ShouldBe("""{"max_tokens":1,"messages":[{"role":"user","content":"ok"}]}""");
    }

    [Fact]
    public async Task NameThatLeadsNowhere_IsNoOutageOfTheProvider() =>
        (await AskAsync("https://nobody.invalid/v1")).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldStartWith("p was not asked: its name leads to no address."));

    [Theory]
    [InlineData("40")]
    [InlineData("Tue, 24 Nov 2026 03:00:40 GMT")]
    public async Task ProviderThatAsksToWait_IsHeard(string after)
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = 429;
            (context.Response.Headers.RetryAfter, context.Response.Headers.Date) = (after, "Tue, 24 Nov 2026 03:00:00 GMT");
            return Task.CompletedTask;
        };

        (await AskAsync(_server.Url)).Summary.ShouldBe("p turns requests away: 429, too many requests; it asks to wait 40 s.");
    }

    /// <summary>The money is used up: that is every request, and waiting does not end it.</summary>
    [Theory]
    [InlineData(429, "insufficient_quota", "insufficient_quota", ProviderTrouble.Outage, Verdict.Failing, "")]
    [InlineData(429, "insufficient_quota", "credit_balance_exhausted", ProviderTrouble.Outage, Verdict.Failing, "")]
    [InlineData(402, "unknown_error", "invalid_request_error", ProviderTrouble.Outage, Verdict.Failing, "")]
    [InlineData(429, "insufficient_quota", "insufficient_quota", ProviderTrouble.Limited, Verdict.Unknown, " That is an outage, and no limit on requests.")]
    public async Task AccountThatIsUsedUp_IsNoLimitThatWaitingEnds(int status, string type, string code, ProviderTrouble failing, Verdict verdict, string more)
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync($$$"""{"error":{"message":"You exceeded your current quota.","type":"{{{type}}}","param":null,"code":"{{{code}}}"}}""");
        };

        var result = await AskAsync(_server.Url, failing: failing);

        (result.Verdict, result.Summary).ShouldBe((verdict, $"p refuses every request: {status}, its quota or credit is used up (\"You exceeded your current quota.\"). Waiting does not help; look at the account's billing.{more}"));
    }

    /// <summary>OpenRouter says so while other requests of the account take up what is left of its credit.</summary>
    [Theory]
    [InlineData(ProviderTrouble.Limited, Verdict.Failing)]
    [InlineData(ProviderTrouble.Outage, Verdict.Unknown)]
    public async Task AccountThatIsAskedToWait_IsLimited(ProviderTrouble failing, Verdict verdict)
    {
        _server.Answer = context =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (402, "20");
            return context.Response.WriteAsync("""{"error":{"code":402,"message":"In-flight budget exhausted."}}""");
        };

        var result = await AskAsync(_server.Url, failing: failing);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldStartWith("p turns requests away: 402 (\"In-flight budget exhausted.\"); it asks to wait 20 s.");
    }

    [Fact]
    public async Task OtherRefusal_IsSaidInItsOwnWordsAndNotRepeated()
    {
        _server.Answer = context =>
        {
            context.Response.StatusCode = 404;
            return context.Response.WriteAsync("""{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}""");
        };

        (await AskAsync(_server.Url)).Summary.ShouldBe("p answered 404 (\"The API deployment for this resource does not exist.\"), which says nothing about its health; check its Url and Model.");
        _server.Requests.Count.ShouldBe(1);
    }
}
