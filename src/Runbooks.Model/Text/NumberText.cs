namespace Runbooks.Model.Text;

public static class NumberText
{
    /// <summary>A measured value as a person reads it.</summary>
    public static string Format(double value) => Math.Abs(value) is >= 1e15 or (> 0 and < 0.001)
        ? value.ToString("G4", CultureInfo.InvariantCulture)
        : value.ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>Counts in words.</summary>
public static class CountText
{
    /// <summary>A number with its noun: "1 alert", "2 alerts".</summary>
    /// <param name="one">The noun in the singular; its plural ends in s.</param>
    public static string Format(int count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";

    /// <summary>The first of them by name, and how many there are beside: "a, b and 3 more".</summary>
    public static string Names(IReadOnlyCollection<string> names, int most) =>
        string.Join(", ", names.Take(most)) + (names.Count > most ? string.Create(CultureInfo.InvariantCulture, $" and {names.Count - most} more") : "");
}
