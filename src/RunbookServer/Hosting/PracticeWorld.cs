using Runbooks.Sandbox;
using Runbooks.Sandbox.Apis;

namespace RunbookServer.Hosting;

/// <summary>The practice range that a host acts on: its own, or that of another process with which it shares its incidents.</summary>
internal sealed class PracticeWorld(Uri address, PracticeRangeServer? own) : IAsyncDisposable
{
    public Uri Address => address;

    /// <summary>It ends with the process that started it.</summary>
    public bool IsShared => own is null;

    /// <summary>On the range's usual port where that is free, so that its address can be remembered.</summary>
    public static async Task<PracticeWorld> EnterAsync(LocalSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            return Own(await PracticeRangeServer.StartAsync(new PracticeRangeOptions(), cancellationToken));
        }
        catch (IOException)
        {
            // Taken, most likely by the range of another host. Who shares incidents acts on one world; others keep to their own.
            var usual = new Uri($"http://127.0.0.1:{PracticeRangeOptions.DefaultPort}");
            return settings.Storage == StorageKind.Azure && await AnswersAsync(usual, cancellationToken)
                ? new PracticeWorld(usual, null)
                : Own(await PracticeRangeServer.StartAsync(new PracticeRangeOptions { Port = 0 }, cancellationToken));
        }
    }

    public ValueTask DisposeAsync() => own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static PracticeWorld Own(PracticeRangeServer range) => new(range.BaseAddress, range);

    private static async Task<bool> AnswersAsync(Uri range, CancellationToken cancellationToken)
    {
        try
        {
            using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
            using var answer = await http.GetAsync(new Uri(range, "/_range/state"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception none) when (none is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
