using Azure.Core;
using Microsoft.AspNetCore.Http;
using Runbooks.Integrations.Azure;

namespace Runbooks.Integrations.Tests.Azure;

/// <content>Operations that cannot be followed to their end.</content>
public sealed partial class AzureClientTests
{
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

    [Theory]
    [InlineData("40", 40)]
    [InlineData("Tue, 24 Nov 2026 03:00:40 GMT", 40)]
    [InlineData("Tue, 24 Nov 2026 02:59:00 GMT", 5)]
    [InlineData("soon", 5)]
    public async Task OperationThatAsksToWait_IsLookedAtThen(string after, int seconds)
    {
        var began = Clock.GetUtcNow();

        await SendAsync(RequestMethod.Post, (request, n) =>
        {
            var headers = request.HttpContext.Response.Headers;
            (headers.RetryAfter, headers.Date) = (after, "Tue, 24 Nov 2026 03:00:00 GMT");
            return n == 1 ? Accepted(request, 202) : Results.Json(new { status = "Succeeded" });
        });

        (Clock.GetUtcNow() - began).ShouldBe(TimeSpan.FromSeconds(seconds));
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

        answer.Describe("Restarted it.", "restart it").ShouldBe(
            "Azure accepted the request to restart it, and does not tell when that is done. This identity may not follow the operation (403): that is not below the resource, and takes a right at the subscription. Azure says: AuthorizationFailed: no operations/read");
    }
}
