using System.Diagnostics;
using System.Globalization;

namespace LoadDriver;

/// <summary>What costs more when there is more of something: each as a curve, with the exponent that fits its ends (0 constant, 1 linear).</summary>
internal static class Growth
{
    private static readonly int[] s_incidents = [1_000, 10_000, 100_000];
    private static readonly int[] s_alerts = [1_000, 10_000, 30_000];
    private static readonly int[] s_runbooks = [10, 100, 1_000];
    private static readonly int[] s_steps = [4, 10, 20];

    public static async Task<object> MeasureAsync(string server, int percent) => new
    {
        waitingIncidents = await WaitingAsync(server, percent),
        alertsOnOneTarget = await CurveAsync("Alerts on one target", s_alerts, percent, count => AlertsAsync(server, count)),
        runbooks = await CurveAsync("Runbooks", s_runbooks, 100, count => RunbooksAsync(server, count)),
        stepsOfAStory = await CurveAsync("Steps of a story", s_steps, 100, count => StepsAsync(server, count)),
    };

    private static async Task<object> CurveAsync(string what, int[] counts, int percent, Func<int, Task<Dictionary<string, double>>> measure)
    {
        var points = new List<(int Count, Dictionary<string, double> Costs)>();
        foreach (var count in counts.Select(count => Math.Max(1, count * percent / 100)))
        {
            points.Add((count, await measure(count)));
        }

        var (first, last) = (points[0], points[^1]);
        var exponents = first.Costs.ToDictionary(cost => cost.Key, cost => Math.Round(Math.Log(last.Costs[cost.Key] / cost.Value) / Math.Log((double)last.Count / first.Count), 2));
        Machine.Table(what, [
            ["", .. points.Select(point => point.Count.ToString("#,0", CultureInfo.InvariantCulture)), "grows as n^"],
            .. first.Costs.Keys.Select(cost => (string[])[cost, .. points.Select(point => Machine.Text(point.Costs[cost])), exponents[cost].ToString("0.00", CultureInfo.InvariantCulture)])]);
        return new { points = points.Select(point => new { point.Count, point.Costs }), exponents };
    }

    private static async Task<object> WaitingAsync(string server, int percent)
    {
        await using var host = await Host.StartAsync(server);
        var there = 0;
        return await CurveAsync("Incidents that wait for a person", s_incidents, percent, async count =>
        {
            var (processor, more) = (host.ProcessorTime, count - there);
            await Load.EachAsync(more, 64, n => host.OpenAsync($"waiting-{there + n}"));
            there = count;
            var each = Load.Each(host.ProcessorTime - processor, more);
            await host.GetAsync("api/incidents?limit=1");
            var start = await host.RestartAsync();
            var resident = host.ResidentBytes / 1024.0 / 1024;
            await Load.StoriesAsync(host, $"warm-{count}", 300, 16);
            return new()
            {
                ["opening one, processor ms"] = each,
                ["a whole story beside them, processor ms"] = (await Load.StoriesAsync(host, $"beside-{count}", 300, 16)).ProcessorEach,
                ["start, ms"] = start.TotalMilliseconds,
                ["resident after it, MB"] = resident,
                ["database, MB"] = host.DatabaseBytes / 1024.0 / 1024,
                ["start page, ms"] = (await Load.PageAsync(host, "", 15)).Time.P50,
                ["page of open ones, ms"] = (await Load.PageAsync(host, "?state=open", 15)).Time.P50,
                ["api/incidents, ms"] = (await Load.PageAsync(host, "api/incidents?state=open&limit=50", 15)).Time.P50,
                ["search for one, ms"] = (await Load.PageAsync(host, "?q=waiting-77", 5)).Time.P50,
            };
        });
    }

    private static async Task<Dictionary<string, double>> AlertsAsync(string server, int count)
    {
        await using var host = await Host.StartAsync(server);
        var id = await host.OpenAsync("one");
        await host.GetAsync($"api/incidents/{id}?waitFor=awaitingApproval&timeout=60");
        await Load.EachAsync(1_000, 64, n => host.OpenAsync("one"));
        var (processor, began) = (host.ProcessorTime, Stopwatch.GetTimestamp());
        await Load.EachAsync(count, 64, n => host.OpenAsync("one", other: $"{n}"));
        var (each, rate) = (Load.Each(host.ProcessorTime - processor, count), count / Stopwatch.GetElapsedTime(began).TotalSeconds);
        return new()
        {
            ["one of them, processor ms"] = each,
            ["in a second"] = rate,
            ["the incident's page, ms"] = (await Load.PageAsync(host, $"incidents/{id}", 15)).Time.P50,
            ["the incident, KB"] = (await host.GetBytesAsync($"api/incidents/{id}")).Length / 1024.0,
        };
    }

    private static async Task<Dictionary<string, double>> RunbooksAsync(string server, int count)
    {
        using var folder = new RunbookFolder();
        var template = RunbookFolder.Measured;
        for (var n = 1; n < count; n++)
        {
            folder.Write($"other-{n}", template.Replace("id: measured", $"id: other-{n}", StringComparison.Ordinal).Replace("alert: Measured", $"alert: Other{n}", StringComparison.Ordinal));
        }

        folder.Write("measured", template);
        await using var host = await Host.StartAsync(server, folder.Path);
        var start = await host.RestartAsync();
        await Load.StoriesAsync(host, "warm", 300, 16);
        await Load.EachAsync(1_000, 64, n => host.OpenAsync("one"));
        var processor = host.ProcessorTime;
        await Load.EachAsync(2_000, 64, n => host.OpenAsync("one"));
        var alert = Load.Each(host.ProcessorTime - processor, 2_000);
        return new()
        {
            ["start, ms"] = start.TotalMilliseconds,
            ["an alert, processor ms"] = alert,
            ["a whole story, processor ms"] = (await Load.StoriesAsync(host, "story", 300, 16)).ProcessorEach,
            ["start page, ms"] = (await Load.PageAsync(host, "", 15)).Time.P50,
            ["page of runbooks, ms"] = (await Load.PageAsync(host, "runbooks", 15)).Time.P50,
            ["resident, MB"] = host.ResidentBytes / 1024.0 / 1024,
        };
    }

    private static async Task<Dictionary<string, double>> StepsAsync(string server, int count)
    {
        using var folder = new RunbookFolder();
        var steps = string.Join('\n', Enumerable.Range(1, count - 3).Select(n => $"    more{n}: {{ do: note, with: {{ text: Step {n}. }} }}"));
        folder.Write("measured", RunbookFolder.Measured.Replace("  verify:", $"{steps}\n  verify:", StringComparison.Ordinal));
        await using var host = await Host.StartAsync(server, folder.Path);
        await Load.StoriesAsync(host, "warm", 200, 16);
        var measured = await Load.StoriesAsync(host, "run", 200, 16);
        return new()
        {
            ["a story, processor ms"] = measured.ProcessorEach,
            ["a step of it, processor ms"] = measured.ProcessorEach / count,
            ["approval to end, p50 ms"] = measured.ApprovalToEnd.P50,
        };
    }
}

/// <summary>Runbooks of the driver's own making, with its contacts.</summary>
internal sealed class RunbookFolder : IDisposable
{
    private static readonly string s_own = System.IO.Path.Combine(AppContext.BaseDirectory, "measured");

    public RunbookFolder() => File.Copy(System.IO.Path.Combine(s_own, "contacts.yaml"), System.IO.Path.Combine(Path, "contacts.yaml"));

    public static string Measured => File.ReadAllText(System.IO.Path.Combine(s_own, "measured.yaml"));

    public string Path { get; } = Directory.CreateTempSubdirectory("runbooks-bench-files-").FullName;

    public void Write(string name, string yaml) => File.WriteAllText(System.IO.Path.Combine(Path, $"{name}.yaml"), yaml);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
