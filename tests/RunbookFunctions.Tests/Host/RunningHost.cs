using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace RunbookFunctions.Tests.Host;

/// <summary>
/// A Functions host that runs the app over Azurite and the sandbox, as local.settings.sample.json has it. Where it
/// is, the environment says; without that its tests are skipped.
/// </summary>
internal sealed class RunningHost : IDisposable
{
    private const string Url = "FUNCTIONS_TEST_URL";
    private const string Key = "FUNCTIONS_TEST_KEY";
    private const string Outbox = "FUNCTIONS_TEST_OUTBOX";
    private const string DurableKey = "FUNCTIONS_TEST_DURABLE_KEY";
    private const string Kill = "FUNCTIONS_TEST_KILL";
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static int s_pods;

    private readonly HttpClient _client = new() { Timeout = s_patience };
    private readonly string _outbox;

    public RunningHost()
    {
        var (url, key, outbox) = (Environment.GetEnvironmentVariable(Url), Environment.GetEnvironmentVariable(Key), Environment.GetEnvironmentVariable(Outbox));
        Assert.SkipWhen(
            url is null || outbox is null,
            $"No Functions host to test against: set {Url}, {Outbox} (its outbox folder) and, where the host checks keys, {Key}.");
        _outbox = outbox!;
        _client.BaseAddress = new Uri(url!);
        if (key is not null)
        {
            _client.DefaultRequestHeaders.Add("x-functions-key", key);
        }
    }

    /// <summary>A pod that no test has used before; any such pod of the sandbox hangs until it is recycled.</summary>
    public static string NewPod() =>
        $"llm-b-{2_000 + (DateTimeOffset.UtcNow.ToUnixTimeSeconds() % 7_000) + Interlocked.Increment(ref s_pods)}";

    public async Task<(string Id, string Outcome)> AlertAsync(string pod, string status = "firing", string fingerprint = "f")
    {
        var labels = new { alertname = "InferenceRequestsStuck", cluster = "b", @namespace = "inference", pod, severity = "critical" };
        var answer = await _client.PostAsJsonAsync("api/alerts/alertmanager", new
        {
            version = "4",
            status,
            commonLabels = labels,
            alerts = new[] { new { status, labels, startsAt = "2026-11-23T03:00:20Z", fingerprint = $"{pod}/{fingerprint}" } },
        });
        answer.StatusCode.ShouldBe(System.Net.HttpStatusCode.Accepted);
        var incident = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("incidents")[0];
        return (incident.GetProperty("id").GetString()!, incident.GetProperty("outcome").GetString()!);
    }

    public async Task<JsonElement> WaitForAsync(string id, string state)
    {
        var until = DateTimeOffset.UtcNow + s_patience;
        while (true)
        {
            var incident = await _client.GetFromJsonAsync<JsonElement>($"api/incidents/{id}?waitFor={state}&timeout=20");
            var reached = incident.GetProperty("state").GetString();
            if (reached == state || DateTimeOffset.UtcNow > until)
            {
                reached.ShouldBe(state);
                return incident;
            }
        }
    }

    public async Task<JsonElement> WaitUntilAsync(string id, Func<JsonElement, bool> holds)
    {
        for (var until = DateTimeOffset.UtcNow + s_patience; ; await Task.Delay(TimeSpan.FromMilliseconds(100)))
        {
            var incident = await GetAsync(id);
            if (holds(incident))
            {
                return incident;
            }

            DateTimeOffset.UtcNow.ShouldBeLessThan(until, $"Incident {id} does not come to it: {incident}");
        }
    }

    public async Task<JsonElement> GetAsync(string id) => await _client.GetFromJsonAsync<JsonElement>($"api/incidents/{id}");

    /// <summary>The approval link, as a person finds it: in a message about the incident, or behind the one about many at once.</summary>
    public async Task<Uri> LinkAsync(string id)
    {
        var until = DateTimeOffset.UtcNow + s_patience;
        while (true)
        {
            foreach (var own in await LinksInAsync($"*{id}*.json"))
            {
                return own;
            }

            foreach (var many in await LinksInAsync("*-storm-*.json"))
            {
                // To a question of this storm the page leads on; otherwise it shows itself.
                using var answer = await _client.GetAsync($"{many}&one={id}");
                if (answer.IsSuccessStatusCode && answer.RequestMessage!.RequestUri is { } one && !one.Query.Contains("&one=", StringComparison.Ordinal))
                {
                    return one;
                }
            }

            DateTimeOffset.UtcNow.ShouldBeLessThan(until, $"The outbox has no question about incident {id}.");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private async Task<List<Uri>> LinksInAsync(string files)
    {
        List<Uri> links = [];
        foreach (var file in Directory.EnumerateFiles(_outbox, files))
        {
            if (JsonElement.Parse(await File.ReadAllTextAsync(file)).GetProperty("approvalLink").GetString() is { } link)
            {
                links.Add(new Uri(_client.BaseAddress!, new Uri(link).PathAndQuery));
            }
        }

        return links;
    }

    public Task<HttpResponseMessage> OpenAsync(Uri link, HttpMethod method) => _client.SendAsync(new HttpRequestMessage(method, link));

    public async Task<int> DecideAsync(Uri link, string decision)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["decision"] = decision });
        return (int)(await _client.PostAsync(link, form)).StatusCode;
    }

    /// <summary>Raises an event past the app, through the engine's own web hook.</summary>
    public async Task RaiseAsync(string id, string name)
    {
        var key = Environment.GetEnvironmentVariable(DurableKey);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"runtime/webhooks/durabletask/instances/{id}/raiseEvent/{name}?code={key}")
        {
            Content = new StringContent("\"approve\"", Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("x-functions-key", key ?? "");
        var answer = await _client.SendAsync(request);
        Assert.SkipWhen(answer.StatusCode is System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Forbidden, $"The host wants its key for the engine's web hook: set {DurableKey}.");
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Kills host and worker as a machine that fails does, and starts them again.</summary>
    public static async Task KillAsync()
    {
        var command = Environment.GetEnvironmentVariable(Kill);
        Assert.SkipWhen(command is null, $"Nothing here kills the host: set {Kill} to a command that kills host and worker, starts them again and ends when they answer.");
        using var shell = Process.Start("sh", ["-c", command!]);
        await shell.WaitForExitAsync();
        shell.ExitCode.ShouldBe(0);
    }

    public void Dispose() => _client.Dispose();
}
