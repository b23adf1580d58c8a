namespace Runbooks.Model.Text;

/// <summary>A number with its noun: "1 alert", "2 alerts".</summary>
public static class CountText
{
    /// <param name="one">The noun in the singular; its plural ends in s.</param>
    public static string Format(int count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";
}
