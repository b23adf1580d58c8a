using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Benchmarks;
using RunbookServer.Hosting;

namespace Soak;

/// <summary>The host in a process of its own: what it answers, and what it holds.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private readonly string _data;
    private readonly Process _process;
    private readonly HttpClient _http;

    private HostProcess(string data, Process process, HttpClient http) => (_data, _process, _http) = (data, process, http);

    public static async Task<HostProcess> StartAsync()
    {
        var data = Directory.CreateTempSubdirectory("runbooks-soak-").FullName;
        var port = Ports.Free();
        var process = Processes.Start("dotnet", Path.Combine(AppContext.BaseDirectory, "Soak.dll"), "host", data, port.ToString(CultureInfo.InvariantCulture));
        var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{port}"), Timeout = TimeSpan.FromMinutes(2) };
        await Processes.WhenAnswersAsync(http, "healthz", process);
        http.DefaultRequestHeaders.Add("X-Api-Key", (await File.ReadAllTextAsync(Path.Combine(data, ServerDefaults.KeyFile))).Trim());
        return new HostProcess(data, process, http);
    }

    /// <summary>One incident from its alert to its end.</summary>
    /// <returns>False when it did not end as it should.</returns>
    public async Task<bool> TellAsync(string target)
    {
        var opened = await PostAsync("api/alerts/generic", new JsonObject { ["name"] = "Measured", ["labels"] = new JsonObject { ["target"] = target } });
        var id = opened["incidents"]![0]!["id"]!.ToString();
        await GetAsync($"api/incidents/{id}?waitFor=awaitingApproval&timeout=60");
        await PostAsync($"api/incidents/{id}/decision", new JsonObject { ["decision"] = "approve", ["by"] = "ada" });
        return (await GetAsync($"api/incidents/{id}?waitFor=final&timeout=60"))["state"]!.ToString() == "resolved";
    }

    public Sample Look()
    {
        _process.Refresh();
        var database = new DirectoryInfo(_data).EnumerateFiles("runbooks.db*").Sum(file => file.Length);
        return new Sample(
            DateTimeOffset.UtcNow, _process.WorkingSet64, Directory.GetFileSystemEntries($"/proc/{_process.Id}/fd").Length, _process.Threads.Count,
            database, Directory.GetFiles(Path.Combine(_data, "outbox")).Length);
    }

    public async ValueTask DisposeAsync()
    {
        await _process.EndAsync();
        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<JsonNode> PostAsync(string path, JsonObject body)
    {
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new HttpRequestException($"{path}: {(int)answer.StatusCode} {text}");
    }

    private async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await _http.GetStringAsync(new Uri(path, UriKind.Relative)))!;
}
