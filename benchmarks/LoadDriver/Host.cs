using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Benchmarks;

namespace LoadDriver;

/// <summary>RunbookServer in a process of its own, and a client of its outside contract.</summary>
internal sealed class Host(string program, string runbooks, params string[] options) : IStories
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-bench-").FullName;
    private readonly int _port = Ports.Free();
    private Process _process = null!;
    private HttpClient _http = new();

    public string Name => "RunbookServer";

    public static async Task<Host> StartAsync(string program, string? runbooks = null, params string[] options)
    {
        var host = new Host(program, runbooks ?? Path.Combine(AppContext.BaseDirectory, "measured"), options);
        await host.LaunchAsync();
        return host;
    }

    /// <summary>The one that was built together with the driver.</summary>
    public static string Built() => Path.Combine(
        AppContext.BaseDirectory.Replace(Path.Combine("benchmarks", "LoadDriver"), Path.Combine("src", "RunbookServer"), StringComparison.Ordinal), "runbook.dll");

    public long ResidentBytes => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) * 1024;

    public TimeSpan ProcessorTime => _process.UsedTime();

    public long DatabaseBytes => new FileInfo(Path.Combine(_data, "runbooks.db")).Length;

    /// <summary>Kills it and starts it again. Returns the time from the start to the first healthy answer.</summary>
    public async Task<TimeSpan> RestartAsync()
    {
        await _process.EndAsync();
        return await LaunchAsync();
    }

    public async Task<TimeSpan> RunAsync(string name)
    {
        var id = await OpenAsync(name);
        await GetAsync($"api/incidents/{id}?waitFor=awaitingApproval&timeout=60");
        var approved = Stopwatch.GetTimestamp();
        await PostAsync($"api/incidents/{id}/decision", """{"decision":"approve","by":"ada"}""");
        var ended = await GetAsync($"api/incidents/{id}?waitFor=final&timeout=60");
        return ended.GetProperty("state").ValueEquals("resolved")
            ? Stopwatch.GetElapsedTime(approved)
            : throw new InvalidOperationException($"{id} ended as {ended}");
    }

    /// <summary>Posts an alert on a target. Returns the incident that it opened or joined.</summary>
    /// <param name="other">Makes it another alert than others on the target.</param>
    public async Task<string> OpenAsync(string target, string other = "")
    {
        var answer = await PostAsync("api/alerts/generic", Alert(target, other).ToJsonString());
        return answer.GetProperty("incidents")[0].GetProperty("id").GetString()!;
    }

    /// <summary>Posts an alert on each target, all at once.</summary>
    /// <returns>How many incidents that opened.</returns>
    public async Task<int> OpenAllAsync(IEnumerable<string> targets)
    {
        var alerts = new JsonArray([.. targets.Select(target => Alert(target, ""))]);
        var answer = await PostAsync("api/alerts/generic", alerts.ToJsonString());
        return answer.GetProperty("incidents").EnumerateArray().Count(incident => incident.GetProperty("outcome").ValueEquals("opened"));
    }

    /// <summary>Whether this version has such a page.</summary>
    public async Task<bool> HasAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        return answer.StatusCode != HttpStatusCode.NotFound;
    }

    public Task<byte[]> GetBytesAsync(string path) => _http.GetByteArrayAsync(new Uri(path, UriKind.Relative));

    public Task<JsonElement> GetAsync(string path) => _http.GetFromJsonAsync<JsonElement>(new Uri(path, UriKind.Relative));

    public async ValueTask DisposeAsync()
    {
        await _process.EndAsync();
        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private static JsonObject Alert(string target, string other) =>
        new() { ["name"] = "Measured", ["labels"] = new JsonObject { ["target"] = target, ["other"] = other } };

    private async Task<JsonElement> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>()
            : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
    }

    private async Task<TimeSpan> LaunchAsync()
    {
        // As in the container image.
        Environment.SetEnvironmentVariable("DOTNET_GCgen0size", "0x2000000");
        var began = Stopwatch.GetTimestamp();
        _process = Processes.Start(
            "dotnet", [program, "serve", "--no-practice", "--port", _port.ToString(CultureInfo.InvariantCulture), "--data", _data, "--runbooks", runbooks, .. options]);
        _http.Dispose();
        _http = new HttpClient { BaseAddress = new Uri($"http://localhost:{_port}"), Timeout = TimeSpan.FromMinutes(3) };
        await Processes.WhenAnswersAsync(_http, "healthz", _process);
        var took = Stopwatch.GetElapsedTime(began);
        _http.DefaultRequestHeaders.Add("X-Api-Key", (await File.ReadAllTextAsync(Path.Combine(_data, "api-key"))).Trim());
        return took;
    }
}

/// <summary>What can run the measured story from its start over an approval to its end.</summary>
internal interface IStories : IAsyncDisposable
{
    string Name { get; }

    /// <summary>Of all its processes. Unlike a rate, it hardly depends on what else the machine does.</summary>
    TimeSpan ProcessorTime { get; }

    /// <returns>The time from sending the approval to knowing the end.</returns>
    Task<TimeSpan> RunAsync(string name);
}
