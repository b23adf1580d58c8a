using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;

namespace RunbookServer.Hosting;

/// <summary>The sandbox that a host acts on: its own, or that of another process with which it shares its incidents.</summary>
internal sealed class SandboxWorld(Uri address, SandboxServer? own) : IAsyncDisposable
{
    public static readonly Uri Usual = new($"http://127.0.0.1:{SandboxOptions.DefaultPort}");

    public Uri Address => address;

    /// <summary>It ends with the process that started it.</summary>
    public bool IsShared => own is null;

    /// <summary>The address, and why it is not the usual one.</summary>
    public string Where => address.Port == SandboxOptions.DefaultPort ? $"{address}" : $"{address} ({SandboxOptions.DefaultPort} is taken)";

    /// <summary>On the sandbox's usual port where that is free, so that its address can be remembered; the data folder says where.</summary>
    public static async Task<SandboxWorld> EnterAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        var world = await FindOrStartAsync(settings, cancellationToken);
        SecretFiles.WriteAddress(settings.DataDirectory, ServerDefaults.SandboxAddressFile, world.Address);
        return world;
    }

    private static async Task<SandboxWorld> FindOrStartAsync(ServerSettings settings, CancellationToken cancellationToken)
    {
        // What was done to it is there again at the next start, as it would be in the real world.
        var options = new SandboxOptions { StateFile = Path.Combine(settings.DataDirectory, "sandbox.json") };
        try
        {
            return Own(await SandboxServer.StartAsync(options, cancellationToken));
        }
        catch (IOException)
        {
            // Taken, most likely by the sandbox of another host. Who shares incidents acts on one world; others keep to their own.
            return settings.Storage == StorageKind.Azure && await AnswersAsync(Usual, cancellationToken)
                ? new SandboxWorld(Usual, null)
                : Own(await SandboxServer.StartAsync(options with { Port = 0 }, cancellationToken));
        }
    }

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static SandboxWorld Own(SandboxServer sandbox) => new(sandbox.BaseAddress, sandbox);

    public static async Task<bool> AnswersAsync(Uri sandbox, CancellationToken cancellationToken)
    {
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(sandbox, "/_sandbox/state"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception none) when (none is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
