using Azure.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed partial class AzureClientTests : OnTheSandbox
{
    private readonly List<string> _seen = [];
    private readonly StepProgress _progress = new();

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["OutboundHttp:Retries"] = "2",
        ["OutboundHttp:RetryDelay"] = "00:00:00.001",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzure().AddSingleton<TokenCredential, NoToken>();

    private async Task<AzureResponse> SendAsync(RequestMethod method, Func<HttpRequest, int, IResult> answer, bool onlyReads = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapFallback("/{**path}", (HttpRequest request) =>
        {
            _seen.Add($"{request.Method} {request.Path}");
            return answer(request, _seen.Count);
        });
        await app.StartAsync(Cancel);
        var endpoint = new Uri(app.Urls.First());
        var call = new AzureRequest(method, new Uri(endpoint, "/thing"), "restart thing", "thing", "Owner") { Body = method == RequestMethod.Get ? null : BinaryData.FromString("{}") };
        call = onlyReads ? call with { OnlyReads = true } : call;
        return await Services.GetRequiredService<AzurePipelines>().To(endpoint, "https://management.azure.com/.default").SendToEndAsync(call, new SkippingTime(Clock), Cancel, _progress);
    }

    /// <summary>Whoever is told to grant a role that is there already looks in the wrong place.</summary>
    [Theory]
    [InlineData("LinkedAuthorizationFailed")]
    [InlineData("DenyAssignmentAuthorizationFailed")]
    [InlineData("RequestDisallowedByPolicy")]
    public async Task RefusalThatNoRoleLifts_IsToldInAzuresWords(string code)
    {
        const string permitted = "The client 'c' has permission to perform action 'Microsoft.Thing/things/write' on scope '/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-with-a-long-name-of-its-own/providers/Microsoft.Thing/things/thing-with-a-long-name-of-its-own/parts/part-with-a-long-name-of-its-own'; ";
        const string lacking = "however, it does not have permission to perform action 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action' on the linked scope(s) '/subscriptions/s/id-thing'.";

        var refused = await Should.ThrowAsync<StepRefusedException>(() => SendAsync(RequestMethod.Put, (_, _) => Results.Json(new { error = new { code, message = permitted + lacking } }, statusCode: 403)));

        refused.Message.ShouldBe($"Azure does not let this identity restart thing on thing (403): {code}: {permitted}{lacking}");
    }

    /// <summary>The provider is away for a while, the operation is not: nobody who waits for it may call it failed.</summary>
    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task LookThatNobodyAnswers_IsMadeAgain(int status)
    {
        var answer = await SendAsync(RequestMethod.Post, (request, n) =>
        {
            request.HttpContext.Response.Headers["Azure-AsyncOperation"] = "/operation";
            request.HttpContext.Response.Headers["retry-after-ms"] = "1";
            return n == 1 ? Results.StatusCode(202) : n < 20 ? Results.StatusCode(status) : Results.Json(new { status = "Succeeded" });
        });

        answer.Body.ToString().ShouldContain("Succeeded");
        _seen.Count(seen => seen.StartsWith("POST ", StringComparison.Ordinal)).ShouldBe(1);
        _progress.Text.ShouldNotBeNull().ShouldStartWith("thing took the request to restart thing, and cannot be asked how that goes: thing");
    }

    [Fact]
    public async Task LookThatNobodyAnswersAtAWrite_IsMadeAgain()
    {
        (await SendAsync(RequestMethod.Put, (_, n) => n is > 1 and < 12 ? Results.StatusCode(503) : Results.Json(new { properties = new { provisioningState = n == 1 ? "Updating" : "Succeeded" } })))
            .Body.ToString().ShouldContain("Succeeded");
    }

    /// <summary>What the look is answered says nothing of the request before it, which was accepted.</summary>
    [Fact]
    public async Task LookThatIsTurnedAway_DoesNotSayThatNothingWasDone()
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, n) => n == 1 ? Accepted(request, 202) : Results.StatusCode(409)));

        (failed.NothingDone, failed.IsBusy).ShouldBe((false, false));
    }

    [Theory]
    [InlineData(400, "BadRequest", true, false)]
    [InlineData(409, "Conflict", true, false)]
    [InlineData(409, "RequestConflict", true, true)]
    [InlineData(409, "AnotherOperationInProgress", true, true)]
    [InlineData(412, "PreconditionFailed", true, false)]
    [InlineData(400, "AnotherOperationInProgress", true, true)]
    [InlineData(429, "TooManyRequests", true, true)]
    [InlineData(408, "RequestTimeout", false, false)]
    [InlineData(500, "InternalServerError", false, false)]
    [InlineData(503, "ServiceUnavailable", false, false)]
    public async Task RequestThatIsTurnedAway_SaysWhetherItDidNothing(int status, string code, bool nothingDone, bool isBusy)
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, _) =>
        {
            request.HttpContext.Response.Headers["retry-after-ms"] = "1";
            return Results.Json(new { error = new { code, message = "no" } }, statusCode: status);
        }));

        (failed.NothingDone, failed.IsBusy).ShouldBe((nothingDone, isBusy));
    }

    [Fact]
    public async Task RequestThatNeverLeft_DidNothing()
    {
        using var free = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        var endpoint = new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)free.LocalEndpoint).Port}");
        free.Stop();
        var client = Services.GetRequiredService<AzurePipelines>().To(endpoint, "https://management.azure.com/.default");
        var call = new AzureRequest(RequestMethod.Post, new Uri(endpoint, "/thing"), "restart thing", "thing", "Owner");

        for (var attempt = 1; attempt <= 6; attempt++)
        {
            // The sixth is not sent at all, since nobody has answered for a while.
            (await Should.ThrowAsync<AzureRequestException>(() => client.SendAsync(call, Cancel))).NothingDone.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task RequestThatNobodyAnswered_MayHaveDoneSomething()
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, _) =>
        {
            request.HttpContext.Abort();
            return Results.Ok();
        }));

        failed.NothingDone.ShouldBeFalse();
    }

    [Theory]
    [InlineData("Succeeded", true)]
    [InlineData("Updating Updating Succeeded", true)]
    [InlineData("Failed", false)]
    [InlineData("Updating Canceled", false)]
    public async Task WhatAResourceShows_IsInForceOnceAzureSaysThatItSucceeded(string states, bool inForce)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        var queue = new Queue<string>(states.Split(' '));
        app.MapFallback("/{**path}", () => Results.Json(new { properties = new { provisioningState = queue.Dequeue() } }));
        await app.StartAsync(Cancel);
        var arm = new ArmResources(Services.GetRequiredService<AzurePipelines>(), Microsoft.Extensions.Options.Options.Create(new AzureOptions { ManagementEndpoint = app.Urls.First() }));

        (await arm.IsInForceAsync(new ArmTarget(Resource("Microsoft.Network/things", "one"), "2025-01-01", "Owner"), Context(new SkippingTime(Clock)), Cancel)).ShouldBe(inForce);

        queue.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Azure-AsyncOperation")]
    [InlineData("Location")]
    public async Task AcceptedOperation_IsFollowedToItsEnd(string header)
    {
        var answer = await SendAsync(RequestMethod.Post, (request, n) =>
        {
            request.HttpContext.Response.Headers[header] = "/operation";
            return n switch
            {
                1 => Results.StatusCode(202),
                2 when header == "Location" => Results.StatusCode(202),
                2 => Results.Json(new { status = "InProgress" }),
                _ => Results.Json(new { status = "Succeeded", properties = new { output = "done" } }),
            };
        });

        answer.Body.ToString().ShouldContain("done");
        _seen.ShouldBe(["POST /thing", "GET /operation", "GET /operation"]);
    }

    [Theory]
    [InlineData("PUT", 201, "Creating")]
    [InlineData("PATCH", 200, "Updating")]
    [InlineData("PUT", 200, "Accepted")]
    public async Task WriteThatIsAnsweredWhileAzureIsAtWork_IsDoneWhenItSucceeded(string method, int status, string state)
    {
        var answer = await SendAsync(new RequestMethod(method), (_, n) => Results.Json(new { properties = new { provisioningState = n < 3 ? state : "Succeeded" } }, statusCode: n == 1 ? status : 200));

        answer.Body.ToString().ShouldContain("Succeeded");
        _seen.ShouldBe([$"{method} /thing", "GET /thing", "GET /thing"]);
    }

    [Theory]
    [InlineData("Failed")]
    [InlineData("Canceled")]
    public async Task WriteThatFailsWhileAzureIsAtWork_IsAFailure(string end)
    {
        var failure = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Put, (_, n) => Results.Json(new { properties = new { provisioningState = n == 1 ? "Updating" : end } })));

        failure.Message.ShouldEndWith($"it ended as {end}.");
    }

    [Theory]
    [InlineData(202, "Azure accepted the request to restart it, and does not tell when that is done.")]
    [InlineData(200, "Restarted it.")]
    public async Task AcceptedWithNothingToFollow_IsNotCalledDone(int status, string words) =>
        (await SendAsync(RequestMethod.Post, (_, _) => Results.StatusCode(status))).Describe("Restarted it.", "restart it").ShouldBe(words);

    [Fact]
    public async Task OperationThatFails_IsAnErrorInItsOwnWords()
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, n) =>
        {
            request.HttpContext.Response.Headers["Azure-AsyncOperation"] = "/operation";
            return n == 1 ? Results.StatusCode(202) : Results.Json(new { status = "Failed", error = new { code = "Conflict", message = "Another run is active." } });
        }));

        failed.Message.ShouldContain("ended as Failed: Conflict: Another run is active.");
    }

    private static IResult Accepted(HttpRequest request, int status)
    {
        request.HttpContext.Response.Headers["Azure-AsyncOperation"] = "/operation";
        return Results.Json(new { properties = new { provisioningState = "Updating" } }, statusCode: status);
    }

    [Fact]
    public async Task OperationOnAnotherHost_IsNotFollowed()
    {
        var failed = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Post, (request, _) =>
        {
            request.HttpContext.Response.Headers["Azure-AsyncOperation"] = "http://elsewhere.example/operation";
            return Results.StatusCode(202);
        }));

        failed.Message.ShouldContain("not a host of 127.0.0.1");
    }

    [Fact]
    public async Task PlainHttpBeyondLoopback_GetsNoToken()
    {
        var caller = Services.GetRequiredService<AzurePipelines>().To(new Uri("http://azure.invalid"), "https://management.azure.com/.default");

        await Should.ThrowAsync<Exception>(() => caller.SendAsync(new AzureRequest(RequestMethod.Get, new Uri("http://azure.invalid/x"), "look", "x", "Reader"), Cancel));

        NoToken.Asked.ShouldBe(0);
    }

    private sealed class NoToken : TokenCredential
    {
        public static int Asked { get; private set; }

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw Count();

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw Count();

        private static InvalidOperationException Count()
        {
            Asked++;
            return new InvalidOperationException("A token was asked for.");
        }
    }
}
