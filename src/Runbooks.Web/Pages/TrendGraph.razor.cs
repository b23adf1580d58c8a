using System.Globalization;

namespace Runbooks.Web.Pages;

public partial class TrendGraph
{
    /// <summary>Where everything in the graph stands.</summary>
    internal sealed record Shape(IReadOnlyList<double> Values, double Bottom, double Top, double? Limit, string? Unit, TimeSpan? Span)
        : GraphShape(Bottom, Top, Limit, High: 8, Low: 84)
    {
        private const double Left = 44;
        private const double Right = 316;

        public double Last => Values[^1];

        public string Description =>
            $"{Caption} From {Format(Values[0])} to {Format(Last)}{UnitText}, lowest {Format(Values.Min())}, highest {Format(Values.Max())}{(Limit is { } limit ? $"; limit {Format(limit)}{UnitText}" : "")}.";

        public string Caption => $"{(Span is { } span ? $"The {DurationText.Format(span)} before that" : $"The {Values.Count} values before that")}{(Unit is null ? "" : $", in {Unit}")}.";

        public string Points => string.Join(' ', Values.Select((value, i) =>
            string.Create(CultureInfo.InvariantCulture, $"{Left + (i * (Right - Left) / (Values.Count - 1)):0.#},{Y(value)}")));

        private string UnitText => Unit is null ? "" : $" {Unit}";

        /// <returns>Null where there is nothing to draw.</returns>
        public static Shape? Of(CheckResult result)
        {
            var values = result.Series.Where(double.IsFinite).ToList();
            if (values.Count < 2)
            {
                return null;
            }

            var limit = FindingCourse.LimitOf(result);
            var (bottom, top) = FindingCourse.ScaleOf(values, limit, result.Unit);
            return new(values, bottom, top, limit, result.Unit, result.SeriesSpan);
        }

        public static string Format(double value) => FindingCourse.Format(value);
    }
}
