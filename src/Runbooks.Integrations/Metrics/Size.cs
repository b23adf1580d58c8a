namespace Runbooks.Integrations.Metrics;

/// <summary>An amount of bytes as a person reads it: <c>26.9 GiB</c>.</summary>
internal static class Size
{
    private static readonly string[] s_units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Words(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        // A value that would be rounded up to 1024 belongs to the next unit.
        while (Math.Round(value, 1) >= 1024 && unit < s_units.Length - 1)
        {
            (value, unit) = (value / 1024, unit + 1);
        }

        return bytes == 1 ? "1 byte" : FormattableString.Invariant($"{value:0.#} {s_units[unit]}");
    }
}
