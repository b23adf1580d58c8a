using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace LoadDriver;

/// <summary>What is measured, each as an object for the JSON result. Times are in milliseconds.</summary>
internal static class Measurements
{
    /// <summary>Whole incidents from alert to end, so many at the same time.</summary>
    public static async Task<object> ThroughputAsync(Host host, string name, int count, int atOnce)
    {
        var firstStep = new ConcurrentBag<double>();
        var (began, processor) = (Stopwatch.GetTimestamp(), host.ProcessorTime);
        await EachAsync(count, atOnce, async n =>
        {
            var id = await OpenAsync(host, $"{name}-{n}");
            await host.GetAsync($"api/incidents/{id}?waitFor=awaitingApproval&timeout=60");
            await host.PostAsync($"api/incidents/{id}/decision", """{"decision":"approve","by":"ada"}""");
            var ended = await host.GetAsync($"api/incidents/{id}?waitFor=final&timeout=60");
            if (ended["state"]!.ToString() != "resolved")
            {
                throw new InvalidOperationException($"{id} ended {ended["state"]}: {ended["reason"]}");
            }

            firstStep.Add((Time(ended["steps"]![0]!["startedAt"]!) - Time(ended["gate"]!["decisions"]![0]!["at"]!)).TotalMilliseconds);
        });
        var took = Stopwatch.GetElapsedTime(began);
        return new { incidents = count, atOnce, perSecond = Math.Round(count / took.TotalSeconds, 1), processorEach = Each(host.ProcessorTime - processor, count), approvalToFirstStep = Spread(firstStep) };
    }

    /// <summary>Very many alerts on some targets.</summary>
    public static async Task<object> StormAsync(Host host, string name, int count, int targets, int atOnce)
    {
        var latencies = new ConcurrentBag<double>();
        var ids = new ConcurrentDictionary<string, bool>();
        var (began, processor) = (Stopwatch.GetTimestamp(), host.ProcessorTime);
        await EachAsync(count, atOnce, async n =>
        {
            var sent = Stopwatch.GetTimestamp();
            ids[await OpenAsync(host, $"{name}-{n % targets}")] = true;
            latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        });
        var took = Stopwatch.GetElapsedTime(began);
        return new { alerts = count, targets, atOnce, incidents = ids.Count, perSecond = Math.Round(count / took.TotalSeconds), processorEach = Each(host.ProcessorTime - processor, count), intake = Spread(latencies), residentBytes = host.ResidentBytes };
    }

    /// <summary>What incidents cost that wait for a person, and how long a start takes with them.</summary>
    public static async Task<object> ParkedAsync(Host host, int count)
    {
        var restartBefore = await host.RestartAsync();
        var (memory, disk) = (host.ResidentBytes, host.DatabaseBytes);
        await EachAsync(count, 64, async n => await OpenAsync(host, $"parked-{n}"));
        await host.GetAsync("api/incidents?limit=1");
        var restart = await host.RestartAsync();
        return new
        {
            incidents = count,
            databaseBytesEach = (host.DatabaseBytes - disk) / count,
            residentBytesEach = (host.ResidentBytes - memory) / count,
            startWithoutThem = Math.Round(restartBefore.TotalMilliseconds),
            startWithThem = Math.Round(restart.TotalMilliseconds),
        };
    }

    /// <summary>What a page costs, one after the other: size in bytes and time.</summary>
    public static async Task<object> PagesAsync(Host host)
    {
        var measured = new Dictionary<string, object>();
        foreach (var path in (string[])["", "?state=open", "?state=final", "?q=parked-7", "runbooks", "statistics", "safety", "unmatched"])
        {
            var times = new List<double>();
            var bytes = 0;
            for (var i = 0; i < 30; i++)
            {
                var began = Stopwatch.GetTimestamp();
                bytes = (await host.GetBytesAsync(path)).Length;
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            measured[$"/{path}"] = new { bytes, time = Spread(times) };
        }

        return measured;
    }

    private static async Task<string> OpenAsync(Host host, string target)
    {
        var answer = await host.PostAsync("api/alerts/generic", new JsonObject { ["name"] = "Measured", ["labels"] = new JsonObject { ["target"] = target } }.ToJsonString());
        return answer["incidents"]![0]!["id"]!.ToString();
    }

    private static Task EachAsync(int count, int atOnce, Func<int, Task> work) =>
        Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (n, _) => await work(n));

    private static DateTimeOffset Time(JsonNode text) => DateTimeOffset.Parse(text.ToString(), CultureInfo.InvariantCulture);

    private static double Each(TimeSpan time, int count) => Math.Round(time.TotalMilliseconds / count, 2);

    private static object Spread(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        double At(double part) => Math.Round(sorted[(int)((sorted.Count - 1) * part)], 1);
        return new { p50 = At(0.5), p95 = At(0.95), p99 = At(0.99), max = At(1) };
    }
}
