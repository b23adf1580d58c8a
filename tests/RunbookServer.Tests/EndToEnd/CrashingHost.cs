using System.Text.Json.Nodes;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// The host in a process of its own that kills itself at one write point when it is armed, and is started again without that.
/// The sandbox lives in the test: what was done to it outlives the crash, as a real cluster does.
/// </summary>
internal sealed class CrashingHost : ICrashingHost, IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly HostProcess _host;

    private CrashingHost(SandboxServer sandbox, string? account, IReadOnlyDictionary<string, string>? variables) =>
        (Range, _host) = (sandbox, new HostProcess(_data, sandbox, account, variables));

    public SandboxServer Range { get; }

    /// <summary>Whether the kill came, since it was armed last.</summary>
    public bool Crashed => _host.Died;

    /// <param name="account">The storage account that it works in; null for its own database.</param>
    /// <param name="variables">What its environment has beside; null for nothing.</param>
    public static async Task<CrashingHost> StartAsync(string? account = null, IReadOnlyDictionary<string, string>? variables = null)
    {
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, TerminatesAfter = TimeSpan.Zero, ReadyAfter = TimeSpan.Zero }, TestContext.Current.CancellationToken);
        var host = new CrashingHost(sandbox, account, variables);
        host._host.Launch();
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
        }
        while (!await _host.TryArmAsync(killAt));
    }

    /// <summary>Tries until it works, as a sender does; a host that died is started again meanwhile.</summary>
    public Task<T> UntilAsync<T>(Func<HostClient, Task<T?>> attempt)
        where T : class => Patience.UntilAsync(() => _host.TryAsync(attempt), () => "The host does not come to it.", TimeSpan.FromMilliseconds(15));

    /// <summary>Ends it now, as a power cut does; the next attempt at anything starts it again.</summary>
    public void Kill() => _host.Kill();

    public async ValueTask DisposeAsync()
    {
        _host.Dispose();
        await Range.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }
}
