using Azure.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class AzureClientTests : OnTheSandbox
{
    private readonly List<string> _seen = [];

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["OutboundHttp:Retries"] = "2",
        ["OutboundHttp:RetryDelay"] = "00:00:00.001",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzure().AddSingleton<TokenCredential, NoToken>();

    private async Task<AzureResponse> SendAsync(RequestMethod method, Func<HttpRequest, int, IResult> answer)
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
        return await Services.GetRequiredService<AzurePipelines>().To(endpoint, "https://management.azure.com/.default").SendToEndAsync(call, new SkippingTime(Clock), Cancel);
    }

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
    public async Task ThrottledPost_IsRepeatedForItWasNotCarriedOut()
    {
        (await SendAsync(RequestMethod.Post, (request, n) =>
        {
            request.HttpContext.Response.Headers["retry-after-ms"] = "1";
            return n < 2 ? Results.StatusCode(429) : Results.Ok();
        })).Status.ShouldBe(200);

        _seen.Count.ShouldBe(2);
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
        (await SendAsync(RequestMethod.Post, (_, _) => Results.StatusCode(status))).Words("Restarted it.", "restart it").ShouldBe(words);

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

    [Theory]
    [InlineData("PUT", 201, 403)]
    [InlineData("PATCH", 202, 401)]
    [InlineData("PUT", 202, 404)]
    public async Task WriteWhoseOperationCannotBeFollowed_IsLookedForOnItsResource(string method, int status, int followed)
    {
        var answer = await SendAsync(new RequestMethod(method), (request, n) => n switch
        {
            1 => Accepted(request, status),
            2 => Results.Json(new { error = new { code = "AuthorizationFailed", message = "no operations/read" } }, statusCode: followed),
            _ => Results.Json(new { properties = new { provisioningState = n == 3 ? "Updating" : "Succeeded" } }),
        });

        answer.IsOnlyAccepted.ShouldBeTrue();
        answer.NotFollowed.ShouldNotBeNull().ShouldContain($"({followed})");
        _seen.ShouldBe([$"{method} /thing", "GET /operation", "GET /thing", "GET /thing"]);
    }

    [Fact]
    public async Task WriteWhoseOperationCannotBeFollowed_HasFailedWhenItsResourceSaysSo()
    {
        var failure = await Should.ThrowAsync<AzureRequestException>(() => SendAsync(RequestMethod.Put, (request, n) => n switch
        {
            1 => Accepted(request, 202),
            2 => Results.StatusCode(403),
            _ => Results.Json(new { properties = new { provisioningState = "Failed" } }),
        }));

        failure.Message.ShouldEndWith("it ended as Failed.");
    }

    [Fact]
    public async Task PostWhoseOperationCannotBeFollowed_IsNotRefusedAndNotDone()
    {
        var answer = await SendAsync(RequestMethod.Post, (request, n) => n == 1 ? Accepted(request, 202) : Results.Json(new { error = new { code = "AuthorizationFailed", message = "no operations/read" } }, statusCode: 403));

        answer.Words("Restarted it.", "restart it").ShouldBe(
            "Azure accepted the request to restart it, and does not tell when that is done. This identity may not follow the operation (403): that is not below the resource, and takes a right at the subscription. Azure says: AuthorizationFailed: no operations/read");
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
