using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Benchmarks;

namespace CrashCampaign;

/// <summary>RunbookServer in a process of its own, which is killed and started again on the same folder and port.</summary>
internal sealed class Server : IDisposable
{
    private readonly string _home;
    private readonly IReadOnlyDictionary<string, string> _variables;
    private readonly HttpClient _http;
    private readonly StreamWriter _log;
    private readonly string[] _arguments;
    private Process? _process;

    public Server(string home, string config, string key, IReadOnlyDictionary<string, string> variables, params string[] more)
    {
        Directory.CreateDirectory(home);
        var port = Ports.Free();
        (_home, _variables, _log) = (home, variables, new StreamWriter(Path.Combine(home, "server.log")) { AutoFlush = true });
        _http = new HttpClient { BaseAddress = new Uri($"http://localhost:{port}"), Timeout = TimeSpan.FromSeconds(40) };
        _http.DefaultRequestHeaders.Add("X-Api-Key", key);
        _arguments =
        [
            Program, "serve", "--no-practice", "--port", port.ToString(CultureInfo.InvariantCulture), "--data", Path.Combine(home, "data"),
            "--runbooks", Path.Combine(AppContext.BaseDirectory, "campaign"), "--config", config, .. more,
        ];
    }

    public static string Program { get; } = Path.Combine(
        AppContext.BaseDirectory.Replace(Path.Combine("benchmarks", "CrashCampaign"), Path.Combine("src", "RunbookServer"), StringComparison.Ordinal), "runbook.dll");

    public string Outbox => Path.Combine(_home, "data", "outbox");

    public string LogFile => Path.Combine(_home, "server.log");

    public void Launch()
    {
        var start = new ProcessStartInfo("dotnet", _arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _variables)
        {
            start.Environment[name] = value;
        }

        // Half of what a start costs is compiling, and nothing here runs long enough to be compiled twice.
        start.Environment["DOTNET_TieredPGO"] = "0";
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Log(line.Data);
        _process.ErrorDataReceived += (_, line) => Log(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>SIGKILL: nothing of it runs on.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    /// <summary>Until it says that it is well.</summary>
    public async Task WellAsync()
    {
        for (var patience = Stopwatch.StartNew(); ; await Task.Delay(10))
        {
            if ((await GetAsync("healthz")).Status == HttpStatusCode.OK)
            {
                return;
            }

            if (_process!.HasExited || patience.Elapsed > TimeSpan.FromMinutes(2))
            {
                throw new InvalidOperationException($"The server does not come up; see {LogFile}.");
            }
        }
    }

    /// <summary>Status 0: nobody knows what became of it.</summary>
    public Task<Answer> PostAsync(string path, JsonNode body) =>
        AskAsync(() => _http.PostAsync(new Uri(path, UriKind.Relative), new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json")));

    /// <summary>Status 0: it does not answer.</summary>
    public Task<Answer> GetAsync(string path) => AskAsync(() => _http.GetAsync(new Uri(path, UriKind.Relative)));

    public void Dispose()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _http.Dispose();
        _log.Dispose();
    }

    private static async Task<Answer> AskAsync(Func<Task<HttpResponseMessage>> ask)
    {
        try
        {
            using var answer = await ask();
            return new Answer(answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException or TaskCanceledException)
        {
            return new Answer(0, "");
        }
    }

    private void Log(string? line)
    {
        if (line is { Length: > 0 })
        {
            lock (_log)
            {
                _log.WriteLine(line);
            }
        }
    }
}

internal sealed record Answer(HttpStatusCode Status, string Text)
{
    public JsonNode Json => JsonNode.Parse(Text)!;
}
