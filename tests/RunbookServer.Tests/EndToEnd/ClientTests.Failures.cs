using Microsoft.AspNetCore.Http;

namespace RunbookServer.Tests.EndToEnd;

/// <content>What a host says that cannot do what it was asked for.</content>
public sealed partial class ClientTests
{
    /// <summary>Whether it was recorded is then not known: a script tries again, where a no would be the end.</summary>
    [Theory]
    [InlineData(503, "application/problem+json", """{"title":"It is not known whether it was recorded. Send it again in a few seconds.","status":503}""", 3, "It is not known whether it was recorded.")]
    [InlineData(500, "text/plain", "", 3, "no details.")]
    [InlineData(502, "text/html", "<html><style>body { color: red }</style><h1>Bad\n Gateway</h1></html>", 3, "502: Bad Gateway")]
    [InlineData(403, "application/problem+json", """{"title":"This needs the role operator.","status":403}""", 1, "This needs the role operator.")]
    [InlineData(403, "text/html", "<html><h1>Error 403 - This web app is stopped.</h1></html>", 3, "answers 403, but not as this program does (Error 403 - This web app is stopped.). Name the running host itself with --url.")]
    [InlineData(429, "application/json", """{"statusCode":429,"message":"Rate limit is exceeded."}""", 3, "not as this program does (Rate limit is exceeded.)")]
    [InlineData(404, "text/html", "<html><h1>404 Not Found</h1></html>", 3, "answers 404, but not as this program does")]
    public async Task FaultOfTheHost_IsNoAnswer(int status, string type, string body, int expected, string words)
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, type);
            await context.Response.WriteAsync(body);
        });

        var (code, output, error) = await ProgramRun.RunAsync("reject", "one", "--url", host.Address, "--key", "a-key");

        (code, output).ShouldBe((expected, ""));
        error.ShouldContain(words);
        error.ShouldNotContain("<");
        error.ShouldNotContain("color");
    }

    [Fact]
    public async Task RemedyThatTheMessageHasAlready_IsSaidOnce()
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsJsonAsync(new
            {
                message = "It cannot be used. Use open.",
                errors = new[] { new { path = "?state", found = "'foo'", remedy = "Use open." }, new { path = "$.by", found = "nothing", remedy = "Name somebody." } },
            });
        });

        var (_, _, error) = await ProgramRun.RunAsync("incidents", "--state", "foo", "--url", host.Address, "--key", "a-key");

        error.Trim().ReplaceLineEndings("\n").ShouldBe("error: The host answered 400: It cannot be used. Use open.\n$.by: nothing; Name somebody.");
    }

    /// <summary>Not every host writes problems as this program does.</summary>
    [Fact]
    public async Task ProblemInOtherWords_IsSaidUnlessTheMessageHasIt()
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsJsonAsync(new
            {
                message = "It cannot be used.",
                errors = new object[] { "", "It cannot be used.", "Xt cannot be used.", new { path = "$.by", found = "nothing", remedy = "" } },
            });
        });

        var (_, _, error) = await ProgramRun.RunAsync("incidents", "--url", host.Address, "--key", "a-key");

        error.Trim().ReplaceLineEndings("\n").ShouldBe("error: The host answered 400: It cannot be used.\nXt cannot be used.\n$.by: nothing");
    }

    [Theory]
    [InlineData("", 1, "The host has no sandbox: it was not started to practise.")]
    [InlineData("<h1>404 Not Found</h1>", 3, "but not as this program does")]
    public async Task ResetWhereThereIsNoSandbox_TellsAHostFromAnotherProgram(string body, int expected, string words)
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            context.Response.StatusCode = 404;
            await context.Response.WriteAsync(body);
        });

        var (code, _, error) = await ProgramRun.RunAsync("fire", "--reset", "--url", host.Address, "--key", "a-key");

        code.ShouldBe(expected);
        error.ShouldContain(words);
    }
}
