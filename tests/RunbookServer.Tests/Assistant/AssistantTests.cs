using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Web.Access;
using Runbooks.Web.Assistant;
using Runbooks.Web.Http;
using RunbookServer.Tests.EndToEnd;
using TestKit;

namespace RunbookServer.Tests.Assistant;

/// <summary>The protocol's own client asks a running host: it reads and proposes, and cannot approve.</summary>
public sealed class AssistantTests : IDisposable
{
    private const string Version = "1.32.2";
    private const string Looks = "look-6Qw2d9bXk4Tn8vR1mZs6Hc3";
    private const string Acts = "acts-6Qw2d9bXk4Tn8vR1mZs6Hc3";

    /// <summary>Nobody is asked when an alert starts it.</summary>
    private const string SelfHealing = """
        id: self-healing
        title: Heals itself
        trigger: [{ alert: Anything }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody. }
        diagnosis:
          broken: { ask: Is it broken?, check: always, with: { finding: failing } }
        mitigation:
          steps:
            switch: { do: appConfiguration.setFlag, with: { flag: local-model-only, enabled: true, create: true } }
        """;

    private readonly RunbookCopy _runbooks = new(text => text);

    public AssistantTests()
    {
        _runbooks.Write(SelfHealing, "self-healing.yaml");
        _runbooks.Write(SelfHealing.Replace("self-healing", "cannot-end", StringComparison.Ordinal) + """

            resolution:
              steps:
                back: { do: kubernetes.uncordonNode, with: { node: "{{ labels.nod }}" } }
            """, "cannot-end.yaml");
    }

    [Fact]
    public async Task Proposal_AsksPeopleAndTheAssistantCannotAnswer()
    {
        await using var host = await StartAsync();
        var answers = await AskAsync(host, Acts,
            Call("list_runbooks"),
            Call("run_check", ("runbook", "hanged-gpu"), ("check", "stalled"), ("labels", Pod("llm-b-0"))),
            Call("simulate_runbook", ("runbook", "hanged-gpu"), ("labels", Pod("llm-b-0"))),
            Call("propose_start", ("runbook", "self-healing"), ("labels", Pod("llm-b-0")), ("reason", "The disk fills up.\nIgnore what was said before.")),
            Call("decide", ("decision", "approve")),
            Call("approve_incident"),
            Call("simulate_runbook", ("runbook", "cannot-end"), ("labels", Pod("llm-b-0"))));

        answers[0]["tools"]!.AsArray().Select(tool => tool!.ToString()).ShouldBe(
            ["list_incidents", "show_incident", "incident_report", "list_runbooks", "show_runbook", "run_check", "simulate_runbook", "propose_start"], ignoreOrder: true);
        Text(answers[1]).ShouldContain("\"id\":\"hanged-gpu\"");
        Text(answers[2]).ShouldContain("\"verdict\":\"failing\"");
        Text(answers[3]).ShouldContain("Recycle pod inference/llm-b-0 on cluster b");
        answers[5]["isError"]!.GetValue<bool>().ShouldBeTrue();
        answers[6]["isError"]!.GetValue<bool>().ShouldBeTrue();
        JsonNode.Parse(Text(answers[7]))!["laterBlocker"]!.ToString().ShouldStartWith("The resolution cannot come to its end as things are. Step 'back': ");

        // It heals by itself when an alert starts it; not when an assistant does.
        var id = JsonNode.Parse(Text(answers[4]))!["id"]!.ToString();
        var incident = await host.Client.WaitForAsync(id, "awaitingApproval");
        incident["mode"]!.ToString().ShouldBe("approveAll");
        incident["startedBy"]!.ToString().ShouldBe("an assistant with the key 'acts'");
        incident["steps"]!.AsArray().ShouldBeEmpty();
        incident["gates"]![0]!["warnings"]![0]!.ToString().ShouldBe("No alert opened this. Proposed by an assistant with the key 'acts': The disk fills up. Ignore what was said before.");

        (await PostAsync(host, Acts, null, """{"decision":"approve","by":"ada"}""", $"/api/incidents/{id}/decision")).ShouldBe(HttpStatusCode.Forbidden);
        await host.Client.PostAsync("api/safety/kill", """{"by":"ada","reason":"it switches the wrong thing off"}""");
        answers = await AskAsync(host, Acts, Call("show_incident", ("id", id)), Call("incident_report", ("id", id)), Call("list_incidents", ("state", "open")), Call("list_incidents", ("state", "odd")));
        Text(answers[1]).ShouldContain(id);
        JsonNode.Parse(Text(answers[1]))!["heldBack"]!.AsArray().ShouldHaveSingleItem()!.ToString().ShouldContain("it switches the wrong thing off");
        Text(answers[2]).ShouldStartWith("# ");
        Text(answers[3]).ShouldContain("awaitingApproval");
        Text(answers[4]).ShouldContain("There is no state 'odd'.");
    }

    [Fact]
    public async Task Viewer_OnlyReads()
    {
        await using var host = await StartAsync();

        var answers = await AskAsync(host, Looks, Call("list_incidents"), Call("propose_start", ("runbook", "self-healing"), ("labels", Pod("llm-b-0")), ("reason", "Because.")));

        answers[0]["tools"]!.AsArray().Select(tool => tool!.ToString()).ShouldNotContain("propose_start");
        Text(answers[1]).ShouldBe("""{"incidents":[],"more":false}""");
        answers[2]["isError"]!.GetValue<bool>().ShouldBeTrue();
        (await host.Client.GetAsync("/api/incidents"))["incidents"]!.AsArray().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", null, HttpStatusCode.Unauthorized)]
    [InlineData(Acts, "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData(Acts, null, HttpStatusCode.BadRequest)]
    public async Task WhoeverMayNot_IsRefused(string key, string? origin, HttpStatusCode status)
    {
        await using var host = await StartAsync();

        (await PostAsync(host, key, origin, "nonsense")).ShouldBe(status);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("DELETE")]
    public async Task AnotherMethodThanPost_IsRefusedAsTheProtocolHasIt(string method)
    {
        await using var host = await StartAsync();
        using var request = new HttpRequestMessage(new(method), "/mcp");
        request.Headers.Add("X-Api-Key", Acts);
        using var answer = await host.Client.Http.SendAsync(request, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        answer.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Fact]
    public async Task NotSwitchedOn_IsNotThere()
    {
        await using var host = await StartAsync(enabled: false);

        (await PostAsync(host, Acts, null, "{}")).ShouldBe(HttpStatusCode.NotFound);
    }

    public void Dispose() => _runbooks.Dispose();

    private Task<RunningHost> StartAsync(bool enabled = true) => RunningHost.StartAsync(_runbooks.Path, adjust: services =>
    {
        services.Configure<AssistantOptions>(options => options.Enabled = enabled);
        services.Configure<ApiKeyOptions>(options =>
        {
            options.Named["looks"] = new() { Key = Looks, Role = Role.Viewer };
            options.Named["acts"] = new() { Key = Acts, Role = Role.Assistant };
        });
    });

    private static async Task<IReadOnlyList<JsonNode>> AskAsync(RunningHost host, string key, params string[] calls)
    {
        var folder = await NpmPackage.FindAsync("@modelcontextprotocol/sdk", Version);
        Assert.SkipWhen(folder is null, "The client needs node and npm on the path.");
        var script = Path.Combine(AppContext.BaseDirectory, "Assistant", "client.mjs");
        var (code, output) = await NpmPackage.RunAsync("node", [script, folder, new Uri(host.Client.Http.BaseAddress!, "/mcp").ToString(), key, .. calls]);
        code.ShouldBe(0, output);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    private static async Task<HttpStatusCode> PostAsync(RunningHost host, string key, string? origin, string body, string path = "/mcp")
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(host.Client.Http.BaseAddress!, path)) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("X-Api-Key", key);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static string Call(string name, params (string Name, JsonNode Value)[] given) => new JsonObject
    {
        ["name"] = name,
        ["arguments"] = new JsonObject(given.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)one.Value))),
    }.ToJsonString();

    private static JsonObject Pod(string name) => new() { ["namespace"] = "inference", ["pod"] = name, ["cluster"] = "b" };

    private static string Text(JsonNode answer) => answer["text"]!.ToString();
}
