using System.Diagnostics;

namespace LoadDriver;

/// <summary>Many alerts in one post, each on a target of its own, on the storage account that the settings name. Times are in milliseconds.</summary>
internal static class Burst
{
    private const int Rounds = 5;

    public static async Task<object> MeasureAsync(string server, int alerts)
    {
        await using var host = await Host.StartAsync(server, options: ["--storage", "azure"]);
        var run = Guid.NewGuid().ToString("N")[..8];
        await PostAsync(host, $"{run}-warm", alerts);
        var answered = new List<double>();
        for (var round = 1; round <= Rounds; round++)
        {
            answered.Add(await PostAsync(host, $"{run}-{round}", alerts));
        }

        Machine.Table($"{alerts} alerts on {alerts} targets in one post", [["round", "answered after, ms"], .. answered.Select((time, at) => new[] { $"{at + 1}", $"{time}" })]);
        return new { alerts, answered };
    }

    /// <returns>The time until the post was answered: by then each is recorded, and its workflow started.</returns>
    private static async Task<double> PostAsync(Host host, string name, int alerts)
    {
        var began = Stopwatch.GetTimestamp();
        var opened = await host.OpenAllAsync(Enumerable.Range(1, alerts).Select(n => $"{name}-{n}"));
        var took = Math.Round(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        if (opened != alerts)
        {
            throw new InvalidOperationException($"{opened} of {alerts} alerts opened an incident.");
        }

        // The next round is not to be measured beside the diagnoses of this one.
        while ((await host.GetAsync("api/incidents?state=diagnosing&limit=1")).GetProperty("incidents").GetArrayLength() > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }

        return took;
    }
}
