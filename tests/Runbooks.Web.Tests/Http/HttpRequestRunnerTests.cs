using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Runbooks.Model.Storage;
using Runbooks.Web.Http;
using TestKit.Engine;

namespace Runbooks.Web.Tests.Http;

/// <summary>What becomes of a fault once nobody waits for the answer any more.</summary>
public sealed class HttpRequestRunnerTests
{
    [Theory]
    [InlineData("GET", "canceled", 499, null)]
    [InlineData("POST", "canceled", 500, "Error")]
    [InlineData("POST", "reset", 499, null)]
    [InlineData("POST", "half", 499, null)]
    [InlineData("POST", "io", 499, "Warning")]
    [InlineData("POST", "file", 500, "Error")]
    public async Task FaultAfterTheCallerLeft_IsLoggedUnlessTheirGoingCausedIt(string method, string what, int status, string? level)
    {
        var log = new ListLogger();
        var context = new DefaultHttpContext { RequestAborted = new CancellationToken(canceled: true) };
        context.Request.Method = method;

        var result = await new HttpRequestRunner(log.CreateLogger<HttpRequestRunner>()).RunAsync(context.Request, _ => throw Fault(what));

        ((IStatusCodeHttpResult)result).StatusCode.ShouldBe(status);
        log.Lines.Select(line => line.Split(':')[0]).ShouldBe(level is null ? [] : [level]);
    }

    /// <summary>Of a store that is away the place says nothing.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FaultInAProgram_KeepsItsPlaceInTheLogAlthoughTheStoreIsCalledAway(bool isOurs)
    {
        var log = new ListLogger();

        await new HttpRequestRunner(log.CreateLogger<HttpRequestRunner>()).RunAsync(
            new DefaultHttpContext().Request,
            _ => throw new StoreUnavailableException("away", isOurs ? new System.Text.Json.JsonException("ours") : new IOException("theirs")));

        (log.Lines.Count, log.Faults.Count).ShouldBe((1, isOurs ? 1 : 0));
    }

    private static Exception Fault(string what) => what switch
    {
        "canceled" => new OperationCanceledException("a time limit of ours"),
        "reset" => new ConnectionResetException("gone"),
        "half" => new BadHttpRequestException("Unexpected end of request content."),
        "io" => new IOException("The client reset the request stream."),
        _ => new FileNotFoundException("a file of ours"),
    };
}
