using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using RunbookServer.Hosting;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// Two processes on one storage account, which take work over from each other within seconds. One that was killed is
/// started again, as a cluster would.
/// </summary>
internal sealed class TwoProcesses : ICrashingHost, IAsyncDisposable
{
    private static readonly string s_program = Path.Combine(
        AppContext.BaseDirectory.Replace("RunbookServer.Tests", "CrashHost", StringComparison.Ordinal), "CrashHost.dll");

    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly Host[] _hosts;
    private int _turn;

    private TwoProcesses(string account, SandboxServer sandbox)
    {
        Range = sandbox;
        _hosts = [.. Enumerable.Range(0, 2).Select(n => new Host(Path.Combine(_home, $"{n}"), account, sandbox))];
    }

    public SandboxServer Range { get; }

    public static async Task<TwoProcesses> StartAsync(string account)
    {
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero }, TestContext.Current.CancellationToken);
        var both = new TwoProcesses(account, sandbox);
        for (var n = 0; n < 2; n++)
        {
            both._hosts[n].Launch();
        }

        foreach (var host in both._hosts)
        {
            await UntilAsync<JsonNode>(() => host, async client => await client.GetAsync("api/incidents"));
        }

        return both;
    }

    /// <summary>The client of one of them.</summary>
    public HostClient Client(int n) => _hosts[n].Client();

    public string ApiKey(int n) => _hosts[n].ApiKey();

    public void Kill(int n) => _hosts[n].Kill();

    /// <summary>The approval link, whichever of them sent it.</summary>
    public Task<string> LinkAsync(string id) => Patience.UntilAsync(
        async () =>
        {
            foreach (var file in _hosts.SelectMany(host => Directory.EnumerateFiles(host.Outbox, $"*{id}*.json")))
            {
                if (JsonNode.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken))!["approvalLink"] is { } link)
                {
                    return new Uri(link.ToString()).PathAndQuery;
                }
            }

            return null;
        },
        () => $"Nobody was asked about {id}.");

    /// <summary>Each attempt asks the other one: a request goes wherever the cluster sends it.</summary>
    public Task<T> UntilAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class => UntilAsync(() => _hosts[(uint)Interlocked.Increment(ref _turn) % 2], attempt);

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            host.Dispose();
        }

        await Range.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    private static Task<T> UntilAsync<T>(Func<Host> next, Func<HostClient, Task<T?>> attempt)
        where T : class => Patience.UntilAsync(
        async () =>
        {
            var host = next();
            try
            {
                return await attempt(host.Client());
            }
            catch (Exception failure) when (failure is HttpRequestException or SocketException or IOException or TaskCanceledException)
            {
                host.LaunchIfDead();
                return null;
            }
        },
        () => "The hosts do not come to it.",
        TimeSpan.FromMilliseconds(25));

    private sealed class Host(string data, string account, SandboxServer sandbox) : IDisposable
    {
        private readonly int _port = FreePort.Next();
        private readonly Lock _gate = new();
        private Process _process = null!;
        private HostClient? _client;

        public string Outbox => Path.Combine(data, "outbox");

        public string ApiKey() => File.ReadAllText(Path.Combine(data, ServerDefaults.KeyFile)).Trim();

        // The key file is there once the host has asked the account for it.
        public HostClient Client() => _client ??= File.Exists(Path.Combine(data, ServerDefaults.KeyFile)) && ApiKey() is { Length: > 0 } key
            ? new HostClient(new Uri($"http://localhost:{_port}"), key)
            : throw new IOException("The host has not written its key yet.");

        public void Launch() => _process = Process.Start(new ProcessStartInfo("dotnet",
        [
            s_program, data, QuickRunbooks.Path, _port.ToString(CultureInfo.InvariantCulture), sandbox.BaseAddress.ToString(),
        ])
        {
            RedirectStandardInput = true,
            Environment = { ["DOTNET_TieredPGO"] = "0", ["RUNBOOK_Storage__ConnectionString"] = account },
        })!;

        public void Kill()
        {
            lock (_gate)
            {
                _process.Kill();
                _process.WaitForExit();
            }
        }

        public void LaunchIfDead()
        {
            lock (_gate)
            {
                if (_process.HasExited)
                {
                    _process.Dispose();
                    Launch();
                }
            }
        }

        public void Dispose()
        {
            Kill();
            _process.Dispose();
            _client?.Dispose();
        }
    }
}
