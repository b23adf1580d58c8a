using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace CrashCampaign;

/// <summary>The sandbox, which outlives every kill and logs every request, and the servers that act on it.</summary>
internal sealed class World : IAsyncDisposable
{
    private readonly Process _sandbox;

    private World(string home, Process sandbox, Uri address, Server[] servers) =>
        (Home, _sandbox, Sandbox, Servers) = (home, sandbox, new HttpClient { BaseAddress = address }, servers);

    public string Home { get; }

    /// <summary>A client of the sandbox itself.</summary>
    public HttpClient Sandbox { get; }

    public Server[] Servers { get; }

    /// <summary>Every request to the sandbox, as it wrote them down.</summary>
    public string RequestLog => Path.Combine(Home, "requests.jsonl");

    /// <param name="account">The storage account that two servers share; null for one server on SQLite.</param>
    public static async Task<World> StartAsync(string? account)
    {
        var home = Directory.CreateTempSubdirectory("runbooks-campaign-").FullName;
        var start = new ProcessStartInfo("dotnet", [Server.Program, "sandbox", "--port", "0", "--log", Path.Combine(home, "requests.jsonl")]) { RedirectStandardOutput = true };
        var sandbox = Process.Start(start)!;

        // It prints its address, then the settings that lead to it, and then nothing more.
        var settings = new Dictionary<string, string>();
        var line = sandbox.StandardOutput.ReadLineAsync();
        while (settings.Count == 0 || await Task.WhenAny(line, Task.Delay(TimeSpan.FromSeconds(2))) == line)
        {
            if ((await line ?? throw new InvalidOperationException("The sandbox did not start.")).Split('=', 2) is [[' ', ' ', .. var name], var value])
            {
                settings[name.Replace("__", ":", StringComparison.Ordinal)] = value;
            }

            line = sandbox.StandardOutput.ReadLineAsync();
        }

        // Many stories at once, each with its messages, and failed ones among them: neither storms nor breakers are what is looked at here.
        settings["Storms:MoreThan"] = "10000";
        settings["Safety:BreakerAfter"] = "100";
        var key = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        settings["ApiKeys:Keys:0"] = key;
        var config = Path.Combine(home, "settings.json");
        await File.WriteAllTextAsync(config, JsonSerializer.Serialize(settings));
        Server[] servers = account is null
            ? [new Server(Path.Combine(home, "one"), config, key, new Dictionary<string, string>())]
            : [OnAccount("one"), OnAccount("two")];
        return new World(home, sandbox, new Uri(new Uri(settings["Azure:ManagementEndpoint"]).GetLeftPart(UriPartial.Authority)), servers);

        Server OnAccount(string name) => new(Path.Combine(home, name), config, key, Account(account, Path.GetFileName(home)), "--storage", "azure");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Servers)
        {
            server.Dispose();
        }

        Sandbox.Dispose();
        _sandbox.Kill();
        await _sandbox.WaitForExitAsync();
        _sandbox.Dispose();
    }

    private static Dictionary<string, string> Account(string connection, string campaign) => new()
    {
        ["RUNBOOK_Storage__ConnectionString"] = connection,

        // A hub of its own for each campaign. The other tables are shared and named alike in each, so the account has to be empty.
        ["RUNBOOK_Storage__TaskHubName"] = string.Concat(campaign.Where(char.IsAsciiLetterOrDigit)),
    };
}
