using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Runbooks.Sandbox;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>The host in a process of its own, which may be killed and is started again by whoever asks it next.</summary>
/// <param name="data">Its data folder.</param>
/// <param name="account">The storage account that it works in; null for its own database.</param>
/// <param name="variables">What its environment has beside; null for nothing.</param>
internal sealed class HostProcess(string data, SandboxServer sandbox, string? account, IReadOnlyDictionary<string, string>? variables = null) : IDisposable
{
    private static readonly string s_program = Path.Combine(
        AppContext.BaseDirectory.Replace("RunbookServer.Tests", "CrashHost", StringComparison.Ordinal), "CrashHost.dll");

    private readonly int _port = FreePort.Next();
    private readonly Lock _gate = new();
    private Process _process = null!;
    private HostClient? _client;
    private TaskCompletionSource _armed = new();

    public string Outbox => Path.Combine(data, "outbox");

    /// <summary>Whether it was found dead, and started again, since it was armed last.</summary>
    public bool Died { get; private set; }

    /// <summary>Nobody starts it again.</summary>
    public bool StaysDead { get; set; }

    private string KeyFile => Path.Combine(data, ServerDefaults.KeyFile);

    public string ApiKey() => File.ReadAllText(KeyFile).Trim();

    // The key file is there once the host has prepared its folder, or asked its account.
    public HostClient Client() => _client ??= File.Exists(KeyFile) && ApiKey() is { Length: > 0 } key
        ? new HostClient(new Uri($"http://localhost:{_port}"), key)
        : throw new IOException("The host has not made its key yet.");

    public void Launch()
    {
        var start = new ProcessStartInfo("dotnet",
        [
            s_program, data, QuickRunbooks.Path, _port.ToString(CultureInfo.InvariantCulture), sandbox.BaseAddress.ToString(),
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,

            // Half of what a start costs is compiling, and nothing here runs long enough to be compiled twice.
            Environment = { ["DOTNET_TieredPGO"] = "0", ["RUNBOOK_Storage__ConnectionString"] = account },
        };
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
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

    /// <summary>Null while it does not answer; one that died is started again meanwhile.</summary>
    public async Task<T?> TryAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class
    {
        try
        {
            return await attempt(Client());
        }
        catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException or TaskCanceledException)
        {
            LaunchIfDead();
            return null;
        }
    }

    /// <summary>It dies that many write points from now, counted from 0. False when it died before it heard of it.</summary>
    public async Task<bool> TryArmAsync(int killAt)
    {
        _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _process.StandardInput.WriteLineAsync(killAt.ToString(CultureInfo.InvariantCulture));
            await _process.StandardInput.FlushAsync();
        }
        catch (IOException) when (_process.HasExited)
        {
            return false;
        }

        await Task.WhenAny(_armed.Task, _process.WaitForExitAsync(TestContext.Current.CancellationToken));
        Died = false;
        return _armed.Task.IsCompleted;
    }

    /// <summary>Ends it now, as a power cut does.</summary>
    public void Kill()
    {
        lock (_gate)
        {
            _process.Kill();
            _process.WaitForExit();
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        _client?.Dispose();
    }

    private void LaunchIfDead()
    {
        lock (_gate)
        {
            if (_process.HasExited && !StaysDead)
            {
                Died = true;
                _process.Dispose();
                Launch();
            }
        }
    }
}
