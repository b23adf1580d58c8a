using System.Text.Json;

namespace Runbooks.Model.Text;

/// <summary>Durations as runbook files write them: <c>20s</c>, <c>5m</c>, <c>1h30m</c>, <c>2d</c>, <c>500ms</c>.</summary>
public static class DurationText
{
    public const string Expected = "a duration such as 20s, 5m, 1h30m or 2d";

    /// <summary>About a year. Longer is a mistake, and timers have a limit.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    private static readonly (string Unit, TimeSpan Length)[] s_units =
    [
        ("d", TimeSpan.FromDays(1)),
        ("h", TimeSpan.FromHours(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("ms", TimeSpan.FromMilliseconds(1)),
    ];

    /// <summary>Units go from large to small, each at most once. A bare <c>0</c> needs no unit.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest is "0")
        {
            return true;
        }

        var nextUnit = 0;
        while (rest.Length > 0)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9)
            {
                return false;
            }

            var amount = int.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyInRange('0', '9');
            var unit = (letters < 0 ? rest : rest[..letters]).ToString();
            var index = Array.FindIndex(s_units, candidate => candidate.Unit == unit);
            if (index < nextUnit)
            {
                return false;
            }

            // Compared first: the product of both may be longer than any time that can be expressed.
            if (amount > (Longest - duration) / s_units[index].Length)
            {
                return false;
            }

            duration += amount * s_units[index].Length;

            nextUnit = index + 1;
            rest = rest[unit.Length..];
        }

        return nextUnit > 0;
    }

    /// <summary>In whole seconds, rounded down and never below 0.</summary>
    public static TimeSpan Whole(TimeSpan time) => TimeSpan.FromSeconds(Math.Max(0, Math.Floor(time.TotalSeconds)));

    public static string Format(TimeSpan duration)
    {
        var text = new StringBuilder();
        foreach (var (unit, length) in s_units)
        {
            var amount = duration.Ticks / length.Ticks;
            if (amount > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{amount}{unit}");
                duration -= amount * length;
            }
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }
}

public static class NumberText
{
    public static string Format(double value) => Math.Abs(value) is >= 1e15 or (> 0 and < 0.001)
        ? value.ToString("G4", CultureInfo.InvariantCulture)
        : value.ToString("0.###", CultureInfo.InvariantCulture);
}

public static class CountText
{
    /// <summary>"1 alert", "2 alerts".</summary>
    /// <param name="one">The noun in the singular. Its plural ends in s.</param>
    public static string Format(int count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";

    /// <summary>The verb that follows a count.</summary>
    public static string Are(int count) => count == 1 ? "is" : "are";

    public static string Were(int count) => count == 1 ? "was" : "were";

    public static string Have(int count) => count == 1 ? "has" : "have";

    /// <summary>"a, b and 3 more".</summary>
    public static string Names(IReadOnlyCollection<string> names, int most) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? $" and {names.Count - most} more" : "");
}

public static class Lines
{
    /// <summary>The lines that are not null, in order.</summary>
    public static IReadOnlyList<string> Of(params IEnumerable<string?> lines) => [.. lines.OfType<string>()];
}

public static class CamelCase
{
    /// <summary>Enumerations in JSON as words. Numbers are refused.</summary>
    public static JsonConverter Enums { get; } = new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

    public static string Of(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    public static string Of<T>(T value) where T : struct, Enum => Of(value.ToString());

    public static IReadOnlyList<string> Choices(Type enumeration) => [.. Enum.GetNames(enumeration).Select(Of)];
}
