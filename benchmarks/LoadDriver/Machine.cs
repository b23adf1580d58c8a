using System.Globalization;

namespace LoadDriver;

internal static class Machine
{
    public static string Name { get; } =
        $"{Environment.ProcessorCount} cores ({Processor()}), {Environment.OSVersion}, .NET {Environment.Version}";

    /// <summary>What else the machine did in the last minute, in busy processors: only beside a low figure do rates mean much.</summary>
    public static double Load() =>
        File.Exists("/proc/loadavg") ? double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture) : double.NaN;

    /// <summary>Prints rows under a title, with the columns aligned.</summary>
    public static void Table(string title, params IReadOnlyList<string[]> rows)
    {
        Console.Error.WriteLine($"\n{title}");
        var widths = Enumerable.Range(0, rows.Max(row => row.Length)).Select(column => rows.Max(row => column < row.Length ? row[column].Length : 0)).ToList();
        foreach (var row in rows)
        {
            Console.Error.WriteLine("  " + string.Join("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))));
        }
    }

    public static string Text(double value) => value.ToString(value >= 100 ? "#,0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    private static string Processor() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]
            : "unknown";
}
