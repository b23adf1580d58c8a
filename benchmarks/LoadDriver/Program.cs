using System.Text.Json;
using LoadDriver;

// LoadDriver [INCIDENTS] [STORM] [PARKED]: starts the built RunbookServer beside it on a data folder of its own, drives it over
// HTTP as senders and people do, and prints what it measured as JSON.
var incidents = Number(0, 500);
var storm = Number(1, 2_000);
var parked = Number(2, 5_000);

await using var host = await Host.StartAsync();
var result = new
{
    machine = $"{Environment.ProcessorCount} cores, {Environment.OSVersion}, .NET {Environment.Version}",
    warmUp = await Measurements.ThroughputAsync(host, "warm", Math.Min(incidents, 100), 16),
    throughput = await Measurements.ThroughputAsync(host, "run", incidents, 32),
    oneTarget = await Measurements.StormAsync(host, "one", storm, targets: 1, atOnce: 64),
    storm = await Measurements.StormAsync(host, "storm", storm * 5, targets: 200, atOnce: 64),
    parked = await Measurements.ParkedAsync(host, parked),
    pages = await Measurements.PagesAsync(host),
};
Console.WriteLine(JsonSerializer.Serialize(result, new JsonSerializerOptions { WriteIndented = true }));

int Number(int place, int usual) => args.Length > place ? int.Parse(args[place], System.Globalization.CultureInfo.InvariantCulture) : usual;
