using System.Collections.Concurrent;
using System.Diagnostics;

namespace LoadDriver;

/// <summary>What one host does under load. Times are in milliseconds.</summary>
internal static class Load
{
    public static async Task<object> MeasureAsync(string server, int incidents, int alerts, int waiting)
    {
        await using var host = await Host.StartAsync(server);
        await StoriesAsync(host, "warm", Math.Min(incidents, 300), 16);
        return new
        {
            throughput = await StoriesAsync(host, "run", incidents, 32),
            oneTarget = await AlertsAsync(host, "one", alerts, targets: 1, atOnce: 64),
            manyTargets = await AlertsAsync(host, "storm", alerts * 5, targets: 200, atOnce: 64),
            waiting = await WaitingAsync(host, waiting),
            pages = await PagesAsync(host),
        };
    }

    /// <summary>Whole incidents from alert to end, so many at the same time.</summary>
    public static async Task<Throughput> StoriesAsync(IStories stories, string name, int count, int atOnce)
    {
        var approvals = new ConcurrentBag<double>();
        var (began, processor) = (Stopwatch.GetTimestamp(), stories.ProcessorTime);
        await EachAsync(count, atOnce, async n => approvals.Add((await stories.RunAsync($"{name}-{n}")).TotalMilliseconds));
        var took = Stopwatch.GetElapsedTime(began);
        return new(count, atOnce, Math.Round(count / took.TotalSeconds, 1), Each(stories.ProcessorTime - processor, count), Spread.Of(approvals));
    }

    /// <summary>Very many alerts on some targets.</summary>
    private static async Task<object> AlertsAsync(Host host, string name, int count, int targets, int atOnce)
    {
        var latencies = new ConcurrentBag<double>();
        var ids = new ConcurrentDictionary<string, bool>();
        var (began, processor) = (Stopwatch.GetTimestamp(), host.ProcessorTime);
        await EachAsync(count, atOnce, async n =>
        {
            var sent = Stopwatch.GetTimestamp();
            ids[await host.OpenAsync($"{name}-{n % targets}")] = true;
            latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        });
        var took = Stopwatch.GetElapsedTime(began);
        return new { alerts = count, targets, atOnce, incidents = ids.Count, perSecond = Math.Round(count / took.TotalSeconds), processorEach = Each(host.ProcessorTime - processor, count), intake = Spread.Of(latencies), residentBytes = host.ResidentBytes };
    }

    /// <summary>What incidents cost that wait for a person, and how long a start takes with them.</summary>
    private static async Task<object> WaitingAsync(Host host, int count)
    {
        var startWithout = await host.RestartAsync();
        var (memory, disk) = (host.ResidentBytes, host.DatabaseBytes);
        await EachAsync(count, 64, async n => await host.OpenAsync($"waiting-{n}"));
        await host.GetAsync("api/incidents?limit=1");
        var startWith = await host.RestartAsync();
        return new
        {
            incidents = count,
            databaseBytesEach = (host.DatabaseBytes - disk) / Math.Max(1, count),
            residentBytesEach = (host.ResidentBytes - memory) / Math.Max(1, count),
            startWithoutThem = Math.Round(startWithout.TotalMilliseconds),
            startWithThem = Math.Round(startWith.TotalMilliseconds),
        };
    }

    /// <summary>What a page costs, one after the other: size in bytes and time.</summary>
    private static async Task<object> PagesAsync(Host host)
    {
        var measured = new Dictionary<string, object>();
        foreach (var path in (string[])["", "?state=open", "?state=final", "?q=waiting-7", "runbooks", "statistics", "safety", "unmatched"])
        {
            if (await host.HasAsync(path))
            {
                measured[$"/{path}"] = await PageAsync(host, path);
            }
        }

        return measured;
    }

    public static async Task<Page> PageAsync(Host host, string path, int times = 30)
    {
        var took = new List<double>();
        var bytes = 0;
        for (var i = 0; i < times; i++)
        {
            var began = Stopwatch.GetTimestamp();
            bytes = (await host.GetBytesAsync(path)).Length;
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return new(bytes, Spread.Of(took));
    }

    public static Task EachAsync(int count, int atOnce, Func<int, Task> work) =>
        Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (n, _) => await work(n));

    public static double Each(TimeSpan time, int count) => Math.Round(time.TotalMilliseconds / count, 2);
}

/// <param name="ProcessorEach">Processor time of an incident, in milliseconds.</param>
/// <param name="ApprovalToEnd">From sending the approval to knowing the end.</param>
internal sealed record Throughput(int Incidents, int AtOnce, double PerSecond, double ProcessorEach, Spread ApprovalToEnd);

internal sealed record Page(int Bytes, Spread Time);

internal sealed record Spread(double P50, double P95, double P99, double Max)
{
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        double At(double part) => sorted.Count == 0 ? double.NaN : Math.Round(sorted[(int)((sorted.Count - 1) * part)], 1);
        return new(At(0.5), At(0.95), At(0.99), At(1));
    }
}
