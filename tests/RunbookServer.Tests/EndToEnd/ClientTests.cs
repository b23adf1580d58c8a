using Microsoft.AspNetCore.Http;
using RunbookServer.Commands;
using RunbookServer.Hosting;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Commands that talk to a host, and what they take for one.</summary>
public sealed partial class ClientTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    /// <summary>The Functions host asks for the key itself, and knows one header.</summary>
    [Fact]
    public async Task FunctionsApp_GetsTheKeyUnderItsOwnName()
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            if (context.Request.Headers["x-functions-key"] != "a-key")
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return;
            }

            await context.Response.WriteAsJsonAsync(new { incidents = Array.Empty<string>() });
        });

        var (code, output, error) = await ProgramRun.RunAsync("incidents", "--url", host.Address, "--key", "a-key");

        (code, output, error).ShouldBe((0, "No incidents yet.\n", ""));
    }

    /// <summary>A repository may bring a data folder along, and the key that is given would go where its file says.</summary>
    [Theory]
    [InlineData("http://localhost:7071", true)]
    [InlineData("http://127.0.0.1:7072", true)]
    [InlineData("http://runbooks.example:7071", false)]
    [InlineData("https://runbooks.example", false)]
    [InlineData("http://localhost@runbooks.example", false)]
    public void AddressInADataFolder_IsOneOfThisMachine(string address, bool counts)
    {
        File.WriteAllText(Path.Combine(_home, ServerDefaults.AddressFile), $"{address}\n");

        (ClientOptions.AddressIn(new(_home), ServerDefaults.AddressFile) is not null).ShouldBe(counts);
    }

    public static TheoryData<string> Commands =>
        ["stop one --reason x", "note one text", "approve one --yes", "reject one", "done one", "start hanged-gpu", "incidents", "incidents --json", "show one", "show one --json", "export one", "fire hanged-gpu", "backtest --since 1d", "report one --out report.md"];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task SuccessOfAnotherProgram_IsNoneOfOurs(string command)
    {
        var file = Path.Combine(_home, "report.md");
        foreach (var (status, type, body) in new[] { (204, null, ""), (200, null, ""), (200, "text/html", "<h1>Sign in</h1>"), (200, "application/json", "[]"), (302, null, "") })
        {
            await using var other = await AnsweringHost.StartAsync(_ => Task.CompletedTask);
            await using var host = await AnsweringHost.StartAsync(async context =>
            {
                (context.Response.StatusCode, context.Response.ContentType) = (status, type);
                if (status == 302)
                {
                    context.Response.Headers.Location = $"{other.Address}/sign-in?secret=1";
                }

                await context.Response.WriteAsync(body);
            });

            var (code, output, error) = await ProgramRun.RunAsync([.. command.Replace("report.md", file, StringComparison.Ordinal).Split(' '), "--url", host.Address, "--key", "a-key"]);

            (code, output).ShouldBe((3, ""), $"{status} {type} {body}");
            error.ShouldContain("but not as this program does");
            error.ShouldContain("Name the running host itself with --url.");
            error.ShouldNotContain("secret");
            other.Asked.ShouldBeEmpty("the key would have gone there");
            File.Exists(file).ShouldBeFalse();
        }
    }

    /// <summary>The key would go there in clear text, and into its log.</summary>
    [Fact]
    public async Task HostOnThisMachine_IsNotAskedThroughAProxy()
    {
        await using var proxy = await AnsweringHost.StartAsync(_ => Task.CompletedTask);
        await using var host = await AnsweringHost.StartAsync(context => context.Response.WriteAsJsonAsync(new { incidents = Array.Empty<string>() }));

        var (code, output, error) = await ProgramRun.StartAsync(new Dictionary<string, string> { ["HTTP_PROXY"] = proxy.Address, ["http_proxy"] = proxy.Address, ["NO_PROXY"] = "", ["no_proxy"] = "" }, "incidents", "--url", host.Address, "--key", "a-key");

        (code, output, error).ShouldBe((0, "No incidents yet.\n", ""));
        proxy.Asked.ShouldBeEmpty();
    }

    /// <summary>The host was never asked, so it cannot have answered.</summary>
    [Fact]
    public async Task ProxyThatRefuses_IsNotTakenForTheHost()
    {
        await using var proxy = await AnsweringHost.StartAsync(context =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        });

        var (code, output, error) = await ProgramRun.StartAsync(new Dictionary<string, string> { ["HTTPS_PROXY"] = proxy.Address, ["https_proxy"] = proxy.Address, ["NO_PROXY"] = "", ["no_proxy"] = "" }, "incidents", "--url", "https://runbooks.example", "--key", "a-key");

        (code, output).ShouldBe((3, ""));
        error.ShouldStartWith("error: The proxy does not lead to https://runbooks.example/: ");
        error.ShouldContain("Name the address in NO_PROXY where it needs no proxy.");
    }

    [Theory]
    [InlineData("https", "An address with https needs a certificate that this machine trusts.")]
    [InlineData("http", "talked to")]
    public async Task HostThatCannotBeTalkedTo_IsNotTakenForNone(string scheme, string words)
    {
        await using var host = await AnsweringHost.StartAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        var (code, output, error) = await ProgramRun.RunAsync("incidents", "--url", host.Address.Replace("http", scheme, StringComparison.Ordinal), "--key", "a-key");

        (code, output).ShouldBe((3, ""));
        error.ShouldContain("answers, but it cannot be talked to: ");
        error.ShouldContain(words);
        error.ShouldNotContain("inner exception");
    }

    [Theory]
    [InlineData(202, 0, "$.labels.pod: missing; it was taken from the alert's name")]
    [InlineData(413, 1, "The body is larger than 1024 KB.")]
    public async Task Post_SaysWhatWasTakenOfItAndWhatWasGuessed(int status, int expected, string words)
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (status, status == 202 ? "application/json" : "application/problem+json");
            await context.Response.WriteAsync("""
                { "title": "The body is larger than 1024 KB.", "incidents": [{ "id": "one", "runbook": "hanged-gpu", "target": "llm-b-0", "outcome": "opened", "reason": null }],
                  "warnings": [{ "path": "$.labels.pod", "found": "missing", "remedy": "it was taken from the alert's name" }] }
                """);
        });

        var (code, output, error) = await ProgramRun.RunAsync("fire", "hanged-gpu", "--url", host.Address, "--key", "a-key");

        code.ShouldBe(expected);
        output.ShouldContain("opened: hanged-gpu on llm-b-0.");
        error.ShouldContain(words);
        error.ShouldStartWith(status == 202 ? "note: " : "error: ");
    }

    [Fact]
    public async Task KeyWithALineBreakBehindIt_IsTheKey()
    {
        await using var host = await AnsweringHost.StartAsync(context => context.Response.WriteAsJsonAsync(new { incidents = Array.Empty<string>(), key = context.Request.Headers["X-Api-Key"].ToString() }));

        (await ProgramRun.RunAsync("incidents", "--json", "--url", host.Address, "--key", "a-key\r\n")).Output.ShouldContain("\"key\": \"a-key\"");
        var (code, _, error) = await ProgramRun.RunAsync("incidents", "--url", host.Address, "--key", "a-\nkey");
        code.ShouldBe(3);
        error.ShouldContain("The key holds characters that no key has");
    }

    /// <summary>Colleagues are called so. To the parser it would be the name of a file with more arguments.</summary>
    [Fact]
    public async Task TextThatBeginsWithAnAt_IsSentAsItIs()
    {
        var sent = new List<string>();
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            sent.Add(await new StreamReader(context.Request.Body).ReadToEndAsync(Cancel));
            await context.Response.WriteAsJsonAsync(new { outcome = "noted" });
        });

        (await ProgramRun.RunAsync("note", "one", "@grace is on it", "--url", host.Address, "--key", "a-key")).Error.ShouldBe("");
        (await ProgramRun.RunAsync("stop", "one", "--reason", "@oncall asked for it", "--url", host.Address, "--key", "a-key")).Error.ShouldBe("");

        sent[0].ShouldContain("@grace is on it");
        sent[1].ShouldContain("@oncall asked for it");
    }

    [Theory]
    [InlineData("show", "")]
    [InlineData("show", " ")]
    [InlineData("show", ".")]
    [InlineData("report", "..")]
    [InlineData("approve", "")]
    [InlineData("export", "")]
    [InlineData("stop", "", "--reason", "x")]
    public async Task EmptyId_IsRefusedBeforeAnythingIsAsked(params string[] arguments)
    {
        await using var host = await AnsweringHost.StartAsync(context => context.Response.WriteAsJsonAsync(new { incidents = Array.Empty<string>() }));

        var (code, output, error) = await ProgramRun.RunAsync([.. arguments, "--url", host.Address, "--key", "a-key"]);

        (code, output).ShouldBe((2, ""));
        error.ShouldContain("is no incident's id");
        host.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task ItemsBesideAllItems_AreRefusedBeforeAnythingIsAsked()
    {
        await using var host = await AnsweringHost.StartAsync([]);

        var (code, _, error) = await ProgramRun.RunAsync("done", "one", "--all", "--item", "2", "--url", host.Address, "--key", "a-key");

        code.ShouldBe(2);
        error.ShouldContain("Leave one of them out.");
        host.Asked.ShouldBeEmpty();
    }

    [Fact]
    public async Task ListingThatIsFull_NamesNoLimitThatIsRefused()
    {
        await using var host = await AnsweringHost.StartAsync(context => context.Response.WriteAsJsonAsync(new { incidents = new[] { new { id = "one" } }, next = "more" }));

        (await ProgramRun.RunAsync("incidents", "--limit", "500", "--url", host.Address, "--key", "a-key")).Output.ShouldEndWith("There are more: name a state.\n");
        (await ProgramRun.RunAsync("incidents", "--limit", "20", "--url", host.Address, "--key", "a-key")).Output.ShouldEndWith("There are more: name a state, or a higher --limit than 20.\n");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;
}
