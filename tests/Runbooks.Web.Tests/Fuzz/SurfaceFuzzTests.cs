using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Runbooks.Notifications;
using TestKit;
using TestKit.Fuzz;

namespace Runbooks.Web.Tests.Fuzz;

/// <summary>
/// Damaged requests to every part of the HTTP surface. Whatever comes, nothing breaks: no answer is a fault of ours, what is JSON is
/// whole, a refusal says what is wrong with what, and what was accepted is in the store. An example is a line with method, path and
/// content type, and then the body; <c>{id}</c> and <c>{token}</c> are those of an incident that waits.
/// </summary>
public sealed class SurfaceFuzzTests : IAsyncLifetime
{
    private const string Secret = "8f742231b10e8888abcd99yyyzzz85a5";

    /// <summary>So many incidents make the listing of this test's store slow, and prove nothing more.</summary>
    private const int MaxIncidents = 2_000;

    private static readonly string s_cases = Path.Combine(AppContext.BaseDirectory, "cases");

    private WebHost _host = null!;
    private string _id = "", _token = "";

    [Theory]
    [InlineData("alerts")]
    [InlineData("api")]
    [InlineData("forms")]
    [InlineData("links")]
    [InlineData("pages")]
    [InlineData("slack")]
    [InlineData("mcp")]
    public Task DamagedRequest_IsAnsweredAndBreaksNothing(string surface) => Fuzzing.RunAsync(surface, Examples(surface), input => SendAsync(input, slack: surface == "slack"));

    [Fact]
    public async Task DamagedAlerts_LeaveNothingBehindButIncidents()
    {
        var examples = Examples("alerts").ToList();
        var mutator = new Mutator(7, examples);
        await ManyAsync(300);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await ManyAsync(1_000);

        _host.Logged.Clear();
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(16_000_000L + (_host.Store.All.Count * 20_000L));

        async Task ManyAsync(int count)
        {
            for (var n = 0; n < count; n++)
            {
                await SendAsync(mutator.Next(), slack: false);
            }
        }
    }

    public async ValueTask InitializeAsync()
    {
        _host = new WebHost
        {
            Book = new ContactBook([new("oncall", [new("ada", [new("test", "ada", "ada")]) { Identities = [Identity.Slack("U0ADA")] }])]),
            Settings = { ["Slack:SigningSecret"] = Secret, ["Mcp:Enabled"] = "true" },
        };
        await _host.InitializeAsync();
        var waiting = Some.Waiting();
        _id = await _host.OpenAsync(waiting);
        _token = _host.Token(waiting, "ada");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static IEnumerable<byte[]> Examples(string surface) => surface switch
    {
        "alerts" =>
        [
            .. Directory.EnumerateFiles(s_cases, "alert.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file =>
                (byte[])[.. Encoding.UTF8.GetBytes($"POST /api/alerts/{Path.GetRelativePath(s_cases, file).Split(Path.DirectorySeparatorChar)[0]} application/json\n"), .. File.ReadAllBytes(file)]),
        ],
        "api" => Texts(
            """POST /api/incidents/{id}/decision application/json""" + "\n" + """{"decision":"approve","by":"ada","gate":"mitigation-1","planHash":"plan-1","reason":"seen before","items":[1,2]}""",
            """POST /api/incidents/{id}/cancel application/json""" + "\n" + """{"by":"ada","reason":"false alarm"}""",
            """POST /api/incidents/{id}/close application/json""" + "\n" + """{"by":"ada","reason":"over"}""",
            """POST /api/incidents/{id}/acknowledge application/json""" + "\n" + """{"by":"ada","note":"on it"}""",
            """POST /api/incidents/{id}/retry application/json""" + "\n" + """{"by":"ada","reason":"again"}""",
            """POST /api/incidents/{id}/notes application/json""" + "\n" + """{"by":"ada","reason":"a note"}""",
            """POST /api/incidents/{id}/take-back application/json""" + "\n" + """{"by":"ada","reason":"now"}""",
            """POST /api/runbooks/hanged-gpu/incidents application/json""" + "\n" + """{"by":"ada","reason":"by hand","labels":{"namespace":"inference","pod":"llm-b-0"}}""",
            """POST /api/runbooks/hanged-gpu/breaker/reset application/json""" + "\n" + """{"by":"ada","reason":"mended"}""",
            """POST /api/safety/kill application/json""" + "\n" + """{"by":"ada","reason":"stop"}""",
            """POST /api/safety/release application/json""" + "\n" + """{"by":"ada","reason":"go on"}"""),
        "forms" => Texts(
            "POST /incidents/{id}/decision application/x-www-form-urlencoded\nby=ada&reason=seen&gate=mitigation-1&plan=plan-1&decision=approve&item=1",
            "POST /incidents/{id}/stop application/x-www-form-urlencoded\nby=ada&reason=false+alarm",
            "POST /incidents/{id}/notes application/x-www-form-urlencoded\nby=ada&reason=a+note",
            "POST /runbooks/hanged-gpu/start application/x-www-form-urlencoded\nby=ada&reason=by+hand&label.pod=llm-b-0&label.namespace=inference",
            "POST /safety/kill application/x-www-form-urlencoded\nby=ada&reason=stop",
            "POST /safety/release multipart/form-data;boundary=x\n--x\r\nContent-Disposition: form-data; name=\"by\"\r\n\r\nada\r\n--x--"),
        "links" => Texts(
            "GET /decide?token={token} -\n", "HEAD /decide?token={token}&one={id} -\n", "GET /decide?token={token}&tick=all -\n", "GET /decide/{token} -\n",
            "POST /decide?token={token} application/x-www-form-urlencoded\ndecision=approve&reason=seen",
            "POST /decide/{token} application/x-www-form-urlencoded\ndecision=reject&ticket={token}&item=1&by=ada"),
        "pages" => Texts(
            "GET /?state=open&runbook=hanged-gpu&q=llm&after=x -\n", "GET /incidents/{id} -\n", "GET /incidents/{id}/report -\n", "GET /incidents/{id}/evidence/pod.log -\n", "GET /unmatched -\n",
            "GET /statistics -\n", "GET /runbooks/hanged-gpu -\n", "GET /safety -\n", "GET /assets/console.css -\n", "GET /healthz -\n", "GET /api/incidents?state=final&limit=10&q=a+b&after=MjYx -\n",
            "GET /api/incidents/{id} -\n", "GET /api/incidents/{id}/audit -\n", "GET /api/runbooks/hanged-gpu/report -\n", "GET /api/safety -\n"),
        "slack" => Texts("POST /api/slack/interactions application/x-www-form-urlencoded\npayload=" + """{"type":"block_actions","user":{"id":"U0ADA","username":"somebody"},"response_url":"","actions":[{"action_id":"approve","value":"{id}|mitigation-1|plan-1"}]}"""),
        _ => Texts(
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}""",
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","id":2,"method":"tools/list"}""",
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"show_incident","arguments":{"id":"{id}"}}}""",
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"list_incidents","arguments":{"state":"open","limit":3,"after":"x"}}}""",
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"propose_start","arguments":{"runbook":"hanged-gpu","labels":{"pod":"llm-b-0"},"reason":"stuck"}}}""",
            """POST /mcp application/json""" + "\n" + """{"jsonrpc":"2.0","method":"notifications/initialized"}"""),
    };

    private static IEnumerable<byte[]> Texts(params string[] texts) => texts.Select(Encoding.UTF8.GetBytes);

    private async Task SendAsync(byte[] input, bool slack)
    {
        if (_host.Store.All.Count > MaxIncidents)
        {
            await _host.DisposeAsync();
            await InitializeAsync();
        }

        var end = Array.IndexOf(input, (byte)'\n') is >= 0 and var at ? at : input.Length;
        var line = Filled(Encoding.UTF8.GetString(input, 0, end)).Split(' ');
        var body = Encoding.Latin1.GetBytes(Filled(Encoding.Latin1.GetString(input, Math.Min(end + 1, input.Length), Math.Max(0, input.Length - end - 1))));
        using var request = Request(line, body);
        if (request is null)
        {
            return;
        }

        if (slack)
        {
            Sign(request, body);
        }

        using var answer = await (slack ? _host.Browser : _host.Api).SendAsync(request, TestContext.Current.CancellationToken);
        await CheckAsync(request, answer);
    }

    /// <returns>Null for what no client could send.</returns>
    private HttpRequestMessage? Request(string[] line, byte[] body)
    {
        try
        {
            // Waiting for a state takes as long as it was asked to.
            if (line.Length < 2 || line[1].Contains("waitFor", StringComparison.OrdinalIgnoreCase) || !Uri.TryCreate(_host.Api.BaseAddress, line[1], out var address) || address.Authority != _host.Api.BaseAddress!.Authority)
            {
                return null;
            }

            var request = new HttpRequestMessage(new HttpMethod(line[0]), address);
            if (line[0] is not ("GET" or "HEAD"))
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.ContentType = MediaTypeHeaderValue.TryParse(line.ElementAtOrDefault(2), out var type) ? type : null;
            }

            request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream, text/html");
            return request;
        }
        catch (Exception impossible) when (impossible is FormatException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }

    private void Sign(HttpRequestMessage request, byte[] body)
    {
        var stamp = _host.Time.GetUtcNow().ToUnixTimeSeconds();
        request.Headers.Add("X-Slack-Request-Timestamp", $"{stamp}");
        request.Headers.Add("X-Slack-Signature", "v0=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), (byte[])[.. Encoding.UTF8.GetBytes($"v0:{stamp}:"), .. body])));
    }

    private async Task CheckAsync(HttpRequestMessage request, HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        ((int)answer.StatusCode).ShouldBeLessThan(500, text);
        lock (_host.Logged)
        {
            _host.Logged.Where(line => line.Contains("broke", StringComparison.Ordinal) || line.Contains("unhandled exception", StringComparison.OrdinalIgnoreCase)).ShouldBeEmpty();
            _host.Logged.Clear();
        }

        if (text.Length == 0 || answer.Content.Headers.ContentType?.MediaType is not ("application/json" or "application/problem+json"))
        {
            return;
        }

        using var json = JsonDocument.Parse(text);
        if (!request.RequestUri!.AbsolutePath.StartsWith("/api/alerts/", StringComparison.Ordinal))
        {
            return;
        }

        if (answer.StatusCode == HttpStatusCode.Accepted)
        {
            var stored = _host.Store.All.Select(incident => incident.Id).ToHashSet();
            json.RootElement.GetProperty("incidents").EnumerateArray().Select(each => each.GetProperty("id").GetString()).OfType<string>().ShouldAllBe(id => stored.Contains(id));
        }
        else if (answer.StatusCode == HttpStatusCode.BadRequest)
        {
            json.RootElement.GetProperty("errors").EnumerateArray().ShouldNotBeEmpty();
            json.RootElement.GetProperty("errors").EnumerateArray().ShouldAllBe(error => error.GetProperty("path").GetString()!.Length > 0 && error.GetProperty("remedy").GetString()!.Length > 0);
        }
    }

    private string Filled(string text) => text.Replace("{id}", _id, StringComparison.Ordinal).Replace("{token}", _token, StringComparison.Ordinal);
}
