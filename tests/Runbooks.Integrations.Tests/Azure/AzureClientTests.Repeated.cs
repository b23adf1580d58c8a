using Azure.Core;
using Microsoft.AspNetCore.Http;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>Which requests are sent again, and which are left to their step or check.</content>
public sealed partial class AzureClientTests
{
    [Fact]
    public async Task FailedRead_IsRepeated()
    {
        (await SendAsync(RequestMethod.Get, (_, n) => n < 3 ? Results.StatusCode(503) : Results.Ok())).Status.ShouldBe(200);

        _seen.Count.ShouldBe(3);
    }

    [Fact]
    public async Task FailedPost_IsNeverRepeated()
    {
        (await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (_, _) => Results.StatusCode(503)))).Status.ShouldBe(503);

        _seen.Count.ShouldBe(1);
    }

    [Fact]
    public async Task ThrottledChange_IsLeftToTheNextAttempt()
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, _) => AsksToWait(request, 429, "1")));

        _seen.Count.ShouldBe(1);
        failed.RetryAfter.ShouldBe(TimeSpan.FromSeconds(1));
    }

    /// <summary>Its step is tried every 2 minutes for hours, and the reason is noted once.</summary>
    [Fact]
    public async Task ThrottledChange_IsToldInTheSameWordsHoweverLongItIsToWait()
    {
        var words = new List<string>();
        foreach (var seconds in new[] { "17", "37" })
        {
            var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, _) =>
            {
                request.HttpContext.Response.Headers.RetryAfter = seconds;
                return Results.Json(new { error = new { code = "TooManyRequests", message = $"Please retry after '{seconds}' seconds." } }, statusCode: 429);
            }));
            words.Add(failed.Message);
        }

        words.ShouldBe(Enumerable.Repeat("thing answered 429 to: restart thing. TooManyRequests: Please retry after 'some' seconds.", 2));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    public async Task ThrottledQuery_IsRepeated(string method)
    {
        (await SendAsync(new RequestMethod(method), (request, n) => n == 1 ? AsksToWait(request, 429, "0") : n == 2 ? Results.StatusCode(503) : Results.Ok(), onlyReads: true)).Status.ShouldBe(200);

        _seen.Count.ShouldBe(3);
    }

    /// <summary>A check would have no time left, and say that nobody answered.</summary>
    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public async Task ReadThatIsToWaitForLong_IsToldAtOnce(int status)
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Get, (request, _) => AsksToWait(request, status, "600")));

        _seen.Count.ShouldBe(1);
        failed.Message.ShouldContain($"answered {status} to: restart thing.");
        failed.Message.ShouldEndWith("It asks to wait 600 s.");
    }

    /// <summary>Both while an operation runs and while nobody answers: it would be asked again without a pause.</summary>
    [Theory]
    [InlineData("Retry-After", "0")]
    [InlineData("retry-after-ms", "0")]
    [InlineData("retry-after-ms", "-1")]
    [InlineData("retry-after-ms", "-2")]
    public async Task AnswerThatAsksForNoWait_GetsTheUsualPause(string header, string value)
    {
        var began = Clock.GetUtcNow();

        await SendAsync(RequestMethod.Post, (request, n) =>
        {
            request.HttpContext.Response.Headers["Azure-AsyncOperation"] = "/operation";
            request.HttpContext.Response.Headers[header] = value;
            // A read is sent three times before nobody has answered it.
            return n == 1 ? Results.StatusCode(202) : n < 5 ? Results.StatusCode(503) : Results.Json(new { status = "Succeeded" });
        });

        (Clock.GetUtcNow() - began).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(10));
    }

    private static IResult AsksToWait(HttpRequest request, int status, string seconds)
    {
        request.HttpContext.Response.Headers.RetryAfter = seconds;
        return Results.StatusCode(status);
    }

    /// <summary>Everybody has an id at hand, and nobody knows which lock it is.</summary>
    [Fact]
    public async Task LockThatForbidsIt_IsNamed()
    {
        const string item = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-with-a-long-name-of-its-own/providers/Microsoft.CognitiveServices/accounts/account-with-a-long-name-of-its-own/raiBlocklists/incidents/raiBlocklistItems/inc-20261124-0300-toxic-loop-mitigation-block-the-prompt";
        const string message = $"The scope '{item}' cannot perform delete operation because following scope(s) are locked: '/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-with-a-long-name-of-its-own'. Please remove the lock and try again.";

        var locked = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Delete, (_, _) => Results.Json(new { error = new { code = "ScopeLocked", message } }, statusCode: 409)));

        (locked.Message, locked.NothingDone, locked.IsBusy).ShouldBe(($"thing answered 409 to: restart thing. ScopeLocked: {message}", true, false));
    }
}
