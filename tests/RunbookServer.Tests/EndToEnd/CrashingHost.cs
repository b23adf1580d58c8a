using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// The host in a process of its own that kills itself at one write point when it is armed, and is started again without that.
/// The sandbox lives in the test: what was done to it outlives the crash, as a real cluster does.
/// </summary>
internal sealed class CrashingHost : ICrashingHost, IAsyncDisposable
{
    private static readonly string s_program = Path.Combine(
        AppContext.BaseDirectory.Replace("RunbookServer.Tests", "CrashHost", StringComparison.Ordinal), "CrashHost.dll");

    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly int _port = FreePort.Next();
    private Process _process = null!;
    private HostClient? _client;
    private TaskCompletionSource _armed = new();

    public required SandboxServer Range { get; init; }

    /// <summary>The storage account that it works in; null for its own database.</summary>
    public string? Account { get; init; }

    /// <summary>What its environment has beside; null for nothing.</summary>
    public IReadOnlyDictionary<string, string>? Variables { get; init; }

    /// <summary>Whether the kill came, since it was armed last.</summary>
    public bool Crashed { get; private set; }

    public static async Task<CrashingHost> StartAsync(string? account = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero }, TestContext.Current.CancellationToken);
        var host = new CrashingHost { Range = sandbox, Account = account, Variables = variables };
        host.Launch();
        await host.UntilAsync<JsonNode>(async client => await client.GetAsync("api/incidents"));
        return host;
    }

    /// <summary>It dies that many write points from now, counted from 0.</summary>
    public async Task ArmAsync(int killAt)
    {
        do
        {
            // The last story may have left it armed, to die of a write after the end that everybody sees.
            await UntilAsync<JsonNode>(async client => await client.GetAsync("api/incidents"));
            _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await TryWriteAsync(killAt);
            await Task.WhenAny(_armed.Task, _process.WaitForExitAsync(TestContext.Current.CancellationToken));
        }
        while (!_armed.Task.IsCompleted);
        Crashed = false;
    }

    /// <summary>Tries until it works, as a sender does; a host that died is started again meanwhile.</summary>
    public Task<T> UntilAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class => Patience.UntilAsync(
        async () =>
        {
            try
            {
                return await attempt(Client());
            }
            catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException or TaskCanceledException)
            {
                if (_process.HasExited)
                {
                    Crashed = true;
                    _process.Dispose();
                    Launch();
                }

                return null;
            }
        },
        () => "The host does not come to it.",
        TimeSpan.FromMilliseconds(15));

    /// <summary>Ends it now, as a power cut does; the next attempt at anything starts it again.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _client?.Dispose();
        await Range.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    private async Task TryWriteAsync(int killAt)
    {
        try
        {
            await _process.StandardInput.WriteLineAsync(killAt.ToString(CultureInfo.InvariantCulture));
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException) when (_process.HasExited)
        {
            // It is started again by the next attempt.
        }
    }

    // The key file is there once the host has prepared its folder.
    private HostClient Client() => _client ??= File.Exists(KeyFile) && File.ReadAllText(KeyFile).Trim() is { Length: > 0 } key
        ? new HostClient(new Uri($"http://localhost:{_port}"), key)
        : throw new IOException("The host has not made its key yet.");

    private string KeyFile => Path.Combine(_data, ServerDefaults.KeyFile);

    private void Launch()
    {
        var start = new ProcessStartInfo("dotnet",
        [
            s_program, _data, QuickRunbooks.Path, _port.ToString(CultureInfo.InvariantCulture), Range.BaseAddress.ToString(),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,

            // Half of what a start costs is compiling, and nothing here runs long enough to be compiled twice.
            Environment = { ["DOTNET_TieredPGO"] = "0", ["RUNBOOK_Storage__ConnectionString"] = Account },
        };
        foreach (var (name, value) in Variables ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data == "armed")
            {
                _armed.TrySetResult();
            }
        };
        _process.BeginOutputReadLine();
    }
}
