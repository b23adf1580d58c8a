using System.Text.Json.Nodes;
using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;
using TestKit;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>
/// Two processes on one storage account, which take work over from each other within seconds. One that was killed is
/// started again, as a cluster would.
/// </summary>
internal sealed class TwoProcesses : ICrashingHost, IAsyncDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;
    private readonly HostProcess[] _hosts;
    private int _turn;

    private TwoProcesses(string account, SandboxServer sandbox)
    {
        Range = sandbox;
        _hosts = [.. Enumerable.Range(0, 2).Select(n => new HostProcess(Path.Combine(_home, $"{n}"), sandbox, account))];
    }

    public SandboxServer Range { get; }

    public static async Task<TwoProcesses> StartAsync(string account)
    {
        var sandbox = await SandboxServer.StartAsync(
            new SandboxOptions { Port = 0, TerminatesAfter = TimeSpan.FromSeconds(2), ReadyAfter = TimeSpan.Zero }, TestContext.Current.CancellationToken);
        var both = new TwoProcesses(account, sandbox);
        for (var n = 0; n < 2; n++)
        {
            both._hosts[n].Launch();
        }

        foreach (var host in both._hosts)
        {
            await UntilAsync(() => host.TryAsync<JsonNode>(async client => await client.GetAsync("api/incidents")));
        }

        return both;
    }

    /// <summary>The client of one of them.</summary>
    public HostClient Client(int n) => _hosts[n].Client();

    public string ApiKey(int n) => _hosts[n].ApiKey();

    /// <param name="n">Which of them.</param>
    /// <param name="forGood">Until <see cref="Revive"/>; else whoever asks it next starts it again.</param>
    public void Kill(int n, bool forGood)
    {
        _hosts[n].StaysDead = forGood;
        _hosts[n].Kill();
    }

    public void Revive(int n) => _hosts[n].StaysDead = false;

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
        where T : class => UntilAsync(() => _hosts[(uint)Interlocked.Increment(ref _turn) % 2].TryAsync(attempt));

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            host.Dispose();
        }

        await Range.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }

    private static Task<T> UntilAsync<T>(Func<Task<T?>> attempt)
        where T : class => Patience.UntilAsync(attempt, () => "The hosts do not come to it.", TimeSpan.FromMilliseconds(25));
}
