using System.Globalization;
using System.Text.Json;
using Soak;

// Soak [MINUTES=30] [--rate PER-SECOND]: incidents from alert to end, minute after minute, with retention on; prints what the host held as
// JSON, with the slope of each figure once the first incidents have gone. Without a rate it is half of what the host does at most.
// Soak host DATA PORT: the host, in a process of its own.
if (args is ["host", var data, var port])
{
    return await SoakHost.RunAsync(data, int.Parse(port, CultureInfo.InvariantCulture));
}

var lasting = TimeSpan.FromMinutes(args.Length > 0 && !args[0].StartsWith('-') ? double.Parse(args[0], CultureInfo.InvariantCulture) : 30);
await using var host = await HostProcess.StartAsync();
var load = new Load(host);
await load.AtMostAsync(TimeSpan.FromSeconds(10));
var most = await load.AtMostAsync(TimeSpan.FromSeconds(20));
var rate = Array.IndexOf(args, "--rate") is >= 0 and var at ? double.Parse(args[at + 1], CultureInfo.InvariantCulture) : most / 2;
var samples = await load.SteadyAsync(rate, lasting);
Console.WriteLine(JsonSerializer.Serialize(
    new
    {
        machine = $"{Environment.ProcessorCount} cores, {Environment.OSVersion}, .NET {Environment.Version}",
        minutes = Math.Round(lasting.TotalMinutes, 1),
        mostPerSecond = Math.Round(most, 1),
        perSecond = Math.Round(load.Ended / lasting.TotalSeconds, 1),
        incidents = load.Ended,
        failed = load.Failed,
        keptFor = SoakHost.KeepFor.ToString(),
        figures = Sample.Trends(samples),
    },
    new JsonSerializerOptions { WriteIndented = true }));
return load.Failed == 0 ? 0 : 1;
