using System.Globalization;

namespace Runbooks.Model.Text;

public static class NumberText
{
    /// <summary>A measured value as a person reads it.</summary>
    public static string Format(double value) => Math.Abs(value) is >= 1e15 or (> 0 and < 0.001)
        ? value.ToString("G4", CultureInfo.InvariantCulture)
        : value.ToString("0.###", CultureInfo.InvariantCulture);
}
