using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;

namespace RunbookServer.Hosting;

/// <summary>The sandbox that a host acts on: its own, or that of another process with which it shares its incidents.</summary>
internal sealed class SandboxWorld(Uri address, SandboxServer? own) : IAsyncDisposable
{
    public Uri Address => address;

    /// <summary>It ends with the process that started it.</summary>
    public bool IsShared => own is null;

    /// <summary>On the sandbox's usual port where that is free, so that its address can be remembered.</summary>
    public static async Task<SandboxWorld> EnterAsync(ServerSettings settings, CancellationToken cancellationToken)
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
            return settings.Storage == StorageKind.Azure && await FindAsync(null, cancellationToken) is { } usual
                ? new SandboxWorld(usual, null)
                : Own(await SandboxServer.StartAsync(options with { Port = 0 }, cancellationToken));
        }
    }

    /// <summary>The sandbox at this address, or on the usual port of this machine; null where none answers.</summary>
    public static async Task<Uri?> FindAsync(Uri? named, CancellationToken cancellationToken)
    {
        var sandbox = named ?? new Uri($"http://127.0.0.1:{SandboxOptions.DefaultPort}");
        return await AnswersAsync(sandbox, cancellationToken) ? sandbox : null;
    }

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static SandboxWorld Own(SandboxServer sandbox) => new(sandbox.BaseAddress, sandbox);

    private static async Task<bool> AnswersAsync(Uri sandbox, CancellationToken cancellationToken)
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
