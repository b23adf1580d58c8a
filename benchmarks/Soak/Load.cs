using System.Diagnostics;

namespace Soak;

/// <summary>Incidents, as many as go or at a steady pace.</summary>
internal sealed class Load(HostProcess host)
{
    private const int AtOnce = 32;

    private int _begun, _ended, _failed;

    public int Ended => _ended;

    public int Failed => _failed;

    /// <returns>How many incidents a second ended.</returns>
    public async Task<double> AtMostAsync(TimeSpan lasting)
    {
        var (clock, before) = (Stopwatch.StartNew(), _ended);
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            while (clock.Elapsed < lasting)
            {
                await TellAsync();
            }
        }));
        return (_ended - before) / clock.Elapsed.TotalSeconds;
    }

    /// <returns>What the host held, every ten seconds.</returns>
    public async Task<IReadOnlyList<Sample>> SteadyAsync(double perSecond, TimeSpan lasting)
    {
        (_ended, _failed) = (0, 0);
        var (clock, stories, samples) = (Stopwatch.StartNew(), new List<Task>(), new List<Sample>());
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        using var room = new SemaphoreSlim(AtOnce * 8);
        var (due, lookAt) = (0.0, TimeSpan.Zero);
        while (clock.Elapsed < lasting && await pace.WaitForNextTickAsync())
        {
            if (clock.Elapsed >= lookAt)
            {
                samples.Add(host.Look());
                lookAt += TimeSpan.FromSeconds(10);
                stories.RemoveAll(story => story.IsCompletedSuccessfully);
            }

            // What falls behind on a busy machine is not made up for: the pace is what is wanted, not the number.
            for (due = Math.Min(due + (perSecond * 0.05), AtOnce); due >= 1 && room.Wait(0, CancellationToken.None); due--)
            {
                stories.Add(TellAsync(room));
            }
        }

        await Task.WhenAll(stories);
        return samples;
    }

    private async Task TellAsync(SemaphoreSlim? room = null)
    {
        try
        {
            if (await host.TellAsync($"t-{Interlocked.Increment(ref _begun)}"))
            {
                Interlocked.Increment(ref _ended);
                return;
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException)
        {
            await Console.Error.WriteLineAsync(failure.Message);
        }
        finally
        {
            room?.Release();
        }

        Interlocked.Increment(ref _failed);
    }
}

/// <summary>What the host held at one moment.</summary>
internal sealed record Sample(DateTimeOffset At, long Memory, int Handles, int Threads, long Database, int Messages)
{
    /// <summary>Compares with what was held once the first incidents had gone: what grows before that grows once.</summary>
    public static object Trends(IReadOnlyList<Sample> all)
    {
        var settled = all.Where(sample => sample.At > all[0].At + (SoakHost.KeepFor * 2.5)).ToList();
        return settled.Count < 3
            ? "too short: nothing had gone yet"
            : new
            {
                memoryMB = Trend(sample => sample.Memory / 1e6),
                handles = Trend(sample => sample.Handles),
                threads = Trend(sample => sample.Threads),
                databaseMB = Trend(sample => sample.Database / 1e6),
                outboxFiles = Trend(sample => sample.Messages),
            };

        object Trend(Func<Sample, double> of)
        {
            var points = settled.Select(sample => (X: (sample.At - settled[0].At).TotalMinutes, Y: of(sample))).ToList();
            var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
            var slope = points.Sum(point => (point.X - x) * (point.Y - y)) / points.Sum(point => (point.X - x) * (point.X - x));
            return new { atStart = Math.Round(of(all[0]), 1), least = Math.Round(points.Min(point => point.Y), 1), most = Math.Round(points.Max(point => point.Y), 1), last = Math.Round(points[^1].Y, 1), slopePerMinute = Math.Round(slope, 3) };
        }
    }
}
