using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Benchmarks;

namespace LoadDriver;

/// <summary>
/// Restate's server, as it is set up when nothing is set, with a service of the measured shape on its JavaScript SDK
/// (restate/service.mjs). Both come from npm, into a folder beside the driver.
/// </summary>
internal sealed class Restate : IStories
{
    private readonly string _data = Directory.CreateTempSubdirectory("restate-bench-").FullName;
    private readonly int _ingress = Ports.Free();
    private readonly int _admin = Ports.Free();
    private readonly List<Process> _processes = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(3) };

    public string Name => "Restate 1.7.12";

    public TimeSpan ProcessorTime => _processes.Aggregate(TimeSpan.Zero, (sum, process) => sum + process.UsedTime());

    /// <returns>Null where npm is missing or does not have it; why is on the error output.</returns>
    public static async Task<Restate?> StartAsync()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "restate");
        if (await InstallAsync(folder) is { } lack)
        {
            Console.Error.WriteLine($"Restate is not measured: {lack}");
            return null;
        }

        var restate = new Restate();
        await restate.LaunchAsync(folder);
        return restate;
    }

    public async Task<TimeSpan> RunAsync(string name)
    {
        using var started = await SendAsync(HttpMethod.Post, $"story/{name}/run/send", null);
        using var asked = await SendAsync(HttpMethod.Post, $"story/{name}/asked", null);
        var approved = Stopwatch.GetTimestamp();
        using var decided = await SendAsync(HttpMethod.Post, $"story/{name}/decide", """{"decision":"approve","by":"ada"}""");
        using var ended = await SendAsync(HttpMethod.Get, $"restate/workflow/story/{name}/attach", null);
        return ended.RootElement.GetProperty("state").GetString() == "resolved"
            ? Stopwatch.GetElapsedTime(approved)
            : throw new InvalidOperationException($"{name} ended as {ended.RootElement}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.EndAsync();
        }

        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<JsonDocument> SendAsync(HttpMethod method, string path, string? body)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://localhost:{_ingress}/{path}"));
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return !answer.IsSuccessStatusCode ? throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {text}")
            : JsonDocument.Parse(text.Length == 0 ? "null" : text);
    }

    private async Task LaunchAsync(string folder)
    {
        var service = Ports.Free();
        Environment.SetEnvironmentVariable("RESTATE_LOGGING", "ERROR");
        _processes.Add(Processes.Start("node", Path.Combine(folder, "service.mjs"), service.ToString(CultureInfo.InvariantCulture)));
        Environment.SetEnvironmentVariable("RESTATE_INGRESS__BIND_PORT", _ingress.ToString(CultureInfo.InvariantCulture));
        Environment.SetEnvironmentVariable("RESTATE_ADMIN__BIND_PORT", _admin.ToString(CultureInfo.InvariantCulture));
        Environment.SetEnvironmentVariable("RESTATE_LOG_FILTER", "off");
        var program = Directory.GetFiles(Path.Combine(folder, "node_modules", "@restatedev"), "restate-server", SearchOption.AllDirectories)[0];
        var server = Processes.Start(
            program, "--base-dir", _data, "--bind-port", Ports.Free().ToString(CultureInfo.InvariantCulture), "--listen-mode", "tcp", "--no-logo");
        _processes.Add(server);
        using var admin = new HttpClient { BaseAddress = new Uri($"http://localhost:{_admin}") };
        await Processes.WhenAnswersAsync(admin, "health", server);
        using var deployment = new StringContent($$"""{"uri":"http://localhost:{{service}}"}""", Encoding.UTF8, "application/json");
        using var registered = await admin.PostAsync(new Uri("deployments", UriKind.Relative), deployment);
        registered.EnsureSuccessStatusCode();
    }

    /// <returns>What is missing; null when it is there.</returns>
    private static async Task<string?> InstallAsync(string folder)
    {
        if (Directory.Exists(Path.Combine(folder, "node_modules", "@restatedev")))
        {
            return null;
        }

        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]) { WorkingDirectory = folder, RedirectStandardOutput = true })!;
            await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            return npm.ExitCode == 0 ? null : $"npm could not install what {Path.Combine(folder, "package.json")} names (exit code {npm.ExitCode}).";
        }
        catch (Win32Exception)
        {
            return "there is no npm on the path. Install Node 20 or later.";
        }
    }
}
