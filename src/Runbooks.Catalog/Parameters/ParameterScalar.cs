using System.Globalization;
using System.Reflection;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Parameters;

/// <summary>Single values from their text: templates always yield text, so text that reads as a number is one.</summary>
internal static class ParameterScalar
{
    private static readonly MethodInfo s_tryParse =
        typeof(ParameterScalar).GetMethod(nameof(TryParse), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <returns>Null when the text does not fit.</returns>
    public static object? Convert(string text, Type type, ParameterShape shape) => shape switch
    {
        ParameterShape.Text => text,
        ParameterShape.Boolean => bool.TryParse(text, out var flag) ? flag : null,
        ParameterShape.WholeNumber when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null,
        ParameterShape.WholeNumber => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null,
        ParameterShape.Number when type == typeof(decimal) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
        ParameterShape.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
        ParameterShape.Duration => DurationText.TryParse(text, out var duration) ? duration : null,
        ParameterShape.Choice => Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name ? Enum.Parse(type, name) : null,
        _ => s_tryParse.MakeGenericMethod(type).Invoke(null, [text]),
    };

    private static object? TryParse<T>(string text) where T : IParsable<T> =>
        T.TryParse(text, CultureInfo.InvariantCulture, out var value) ? value : null;
}
