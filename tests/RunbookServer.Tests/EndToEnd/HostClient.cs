using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>A client of the outside contract, as senders, scripts and people are.</summary>
internal sealed class HostClient : IDisposable
{
    public HostClient(Uri address, string key)
    {
        Http = new HttpClient { BaseAddress = address, Timeout = Patience.Limit };
        Http.DefaultRequestHeaders.Add("X-Api-Key", key);
    }

    /// <summary>With the key.</summary>
    public HttpClient Http { get; }

    /// <summary>Posts an alert that opens, folds or resolves one incident.</summary>
    public async Task<JsonNode> AlertAsync(string source, string body)
    {
        var (status, answer) = await PostAsync($"api/alerts/{source}", body);
        status.ShouldBe(HttpStatusCode.Accepted, answer?.ToJsonString());
        return answer!["incidents"]!.AsArray().ShouldHaveSingleItem()!;
    }

    public Task<JsonNode> StuckAsync(string pod, string status = "firing") => AlertAsync("alertmanager", SomeAlert.Stuck(pod, status));

    /// <summary>The incident once it has come to that state.</summary>
    public async Task<JsonNode> WaitForAsync(string id, string state)
    {
        var (incident, waiting) = (await ComeToAsync(), Stopwatch.StartNew());
        while (!incident["final"]!.GetValue<bool>() && incident["state"]!.ToString() != state && waiting.Elapsed < Patience.Limit)
        {
            incident = await ComeToAsync();
        }

        (state == "final" ? incident["final"]!.GetValue<bool>().ToString() : incident["state"]!.ToString())
            .ShouldBe(state == "final" ? bool.TrueString : state, incident["reason"]?.ToString());
        return incident;

        Task<JsonNode> ComeToAsync() => GetAsync($"api/incidents/{id}?waitFor={state}&timeout=60");
    }

    public async Task<JsonNode> GetAsync(string path) =>
        JsonNode.Parse(await Http.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken))!;

    public Task<(HttpStatusCode Status, JsonNode? Answer)> DecideAsync(string id, string decision, string by = "ada", string? reason = null) =>
        PostAsync($"api/incidents/{id}/decision", new JsonObject { ["decision"] = decision, ["by"] = by, ["reason"] = reason }.ToJsonString());

    public async Task<(HttpStatusCode Status, JsonNode? Answer)> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    public void Dispose() => Http.Dispose();
}
