using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace LoadDriver;

/// <summary>RunbookServer in a process of its own, and a client of its outside contract.</summary>
internal sealed class Host : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-bench-").FullName;
    private readonly int _port = FreePort();
    private Process _process = null!;
    private HttpClient _http = new();

    public static async Task<Host> StartAsync()
    {
        var host = new Host();
        await host.LaunchAsync();
        return host;
    }

    public long ResidentBytes => long.Parse(
        File.ReadLines($"/proc/{_process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
        CultureInfo.InvariantCulture) * 1024;

    /// <summary>Processor time that the host has used: unlike a rate, it hardly depends on what else the machine does.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public long DatabaseBytes => new FileInfo(Path.Combine(_data, "runbooks.db")).Length;

    /// <summary>Kills it and starts it again. Returns the time from the start to the first healthy answer.</summary>
    public async Task<TimeSpan> RestartAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        return await LaunchAsync();
    }

    public async Task<JsonNode> PostAsync(string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _http.PostAsync(new Uri(path, UriKind.Relative), content);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {text}");
    }

    public Task<byte[]> GetBytesAsync(string path) => _http.GetByteArrayAsync(new Uri(path, UriKind.Relative));

    public async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await _http.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _http.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    private async Task<TimeSpan> LaunchAsync()
    {
        var began = Stopwatch.GetTimestamp();
        var program = Path.Combine(AppContext.BaseDirectory.Replace(Path.Combine("benchmarks", "LoadDriver"), Path.Combine("src", "RunbookServer"), StringComparison.Ordinal), "runbook.dll");
        _process = Process.Start(new ProcessStartInfo("dotnet",
        [
            program, "serve", "--no-practice", "--port", _port.ToString(CultureInfo.InvariantCulture), "--data", _data,
            "--runbooks", Path.Combine(AppContext.BaseDirectory, "runbooks"),
        ])
        { RedirectStandardOutput = true })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _http.Dispose();
        _http = new HttpClient { BaseAddress = new Uri($"http://localhost:{_port}"), Timeout = TimeSpan.FromMinutes(3) };
        while (true)
        {
            try
            {
                using var health = await _http.GetAsync(new Uri("healthz", UriKind.Relative));
                if (health.IsSuccessStatusCode)
                {
                    break;
                }
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // Not listening yet.
            }

            await Task.Delay(5);
        }

        var took = Stopwatch.GetElapsedTime(began);
        _http.DefaultRequestHeaders.Add("X-Api-Key", (await File.ReadAllTextAsync(Path.Combine(_data, "api-key"))).Trim());
        return took;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
