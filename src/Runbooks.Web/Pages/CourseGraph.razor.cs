using System.Globalization;

namespace Runbooks.Web.Pages;

public partial class CourseGraph
{
    /// <summary>The positions of everything in the graph. A long time without values is drawn short, and marked.</summary>
    internal sealed record Shape(FindingCourse Course, double Bottom, double Top) : GraphShape(Bottom, Top, Course.Limit, High: 34, Low: 146)
    {
        private const double Left = 46;
        private const double Right = 352;

        /// <summary>Wide enough that the circles of marks do not cover each other.</summary>
        private const double MarkWidth = 18;

        /// <summary>The longest a gap is drawn, as a share of the time in which something was measured.</summary>
        private const double MostOfAGap = 0.25;

        private static readonly TimeSpan s_shortestGap = TimeSpan.FromMinutes(2);

        private readonly List<(DateTimeOffset At, double X)> _knots = [];

        public static string LeftText => Number(Left);

        public static string RightText => Number(Right);

        public string Caption
        {
            get
            {
                var unit = Course.Unit is null ? "" : $", in {Course.Unit}";
                var gaps = Gaps.Count > 0 ? "; a dotted line stands for a time without values, drawn shorter than it was" : "";
                return $"{(Course.After.Count > 0 ? "Before and after" : "Before")}{unit}. Times are UTC{gaps}.";
            }
        }

        public string Description
        {
            get
            {
                var after = Course.After.Count > 0 ? $" {Part("After", Course.After)}" : "";
                var limit = Course.Limit is { } value ? $" The limit is {NumberText.Format(value)}{UnitText}." : "";
                return $"{Part("Before", Course.Before)}{after}{limit}"
                    + string.Concat(Marks.Select(mark => $" At {mark.At} {mark.What}."));
            }
        }

        /// <summary>Each without a break. One line where the values go on from the first answer to the last.</summary>
        public IReadOnlyList<string> Lines
        {
            get
            {
                IReadOnlyList<CoursePoint>[] parts = GoesOn ? [[.. Course.Points]] : [Course.Before, Course.After];
                return [.. parts.Where(part => part.Count > 0).Select(Line)];
            }
        }

        public IReadOnlyList<string> Gaps { get; private init; } = [];

        public IReadOnlyList<(string X, string Anchor, string Text)> Ticks =>
            [(LeftText, "start", Clock(_knots[0].At)), (RightText, "end", Clock(_knots[^1].At))];

        public IReadOnlyList<MarkShape> Marks
        {
            get
            {
                var free = 0.0;
                List<(CourseMark Mark, double X, double Label)> placed = [];
                foreach (var mark in Course.Marks)
                {
                    var x = X(mark.At);
                    free = Math.Max(x, free);
                    placed.Add((mark, x, free));
                    free += MarkWidth;
                }

                // Labels beyond the right edge move back to the left.
                var limit = Right;
                for (var at = placed.Count - 1; at >= 0; at--)
                {
                    placed[at] = placed[at] with { Label = Math.Min(placed[at].Label, limit) };
                    limit = placed[at].Label - MarkWidth;
                }

                return [.. placed.Select((mark, at) => Shown(at + 1, mark.Mark, mark.X, mark.Label))];
            }
        }

        private bool GoesOn => Course is { Before: [.., var earlier, var last], After: [var next, ..] }
            && next.At - last.At <= 2 * (last.At - earlier.At);

        private string UnitText => Course.Unit is null ? "" : $" {Course.Unit}";

        private string Line(IReadOnlyList<CoursePoint> points) =>
            string.Join(' ', points.Select(point => $"{Number(X(point.At))},{Y(point.Value)}"));

        private MarkShape Shown(int number, CourseMark mark, double x, double label)
        {
            var path = $"M{Number(label)} 18 L{Number(x)} 28 V{Number(Low)}";
            return new(number, Number(label), path, Clock(mark.At), mark.What);
        }

        public static Shape Of(FindingCourse course)
        {
            var (bottom, top) = FindingCourse.ScaleOf(course.Points.Select(point => point.Value), course.Limit, course.Unit);
            List<DateTimeOffset> times =
            [
                .. course.Points.Select(point => point.At)
                    .Concat(course.Marks.Select(mark => mark.At))
                    .Distinct()
                    .Order(),
            ];
            var measured = Span(course.Before) + Span(course.After);
            var most = measured * MostOfAGap > s_shortestGap ? measured * MostOfAGap : s_shortestGap;
            var gaps = times.Zip(times.Skip(1), (from, to) => to - from).ToList();
            var whole = gaps.Sum(gap => Math.Min(gap.TotalSeconds, most.TotalSeconds));
            var passed = 0.0;
            List<(DateTimeOffset, double)> knots = [(times[0], Left)];
            List<string> shortened = [];
            for (var at = 0; at < gaps.Count; at++)
            {
                var from = Left + (passed / whole * (Right - Left));
                passed += Math.Min(gaps[at].TotalSeconds, most.TotalSeconds);
                var to = Left + (passed / whole * (Right - Left));
                knots.Add((times[at + 1], to));
                if (gaps[at] > most)
                {
                    shortened.Add(Number((from + to) / 2));
                }
            }

            var shape = new Shape(course, bottom, top) { Gaps = shortened };
            shape._knots.AddRange(knots);
            return shape;
        }

        private double X(DateTimeOffset at)
        {
            var next = Math.Clamp(_knots.FindIndex(knot => knot.At >= at), 0, _knots.Count - 1);
            var to = _knots[next];
            if (to.At <= at || next == 0)
            {
                return to.X;
            }

            var from = _knots[next - 1];
            return from.X + ((at - from.At) / (to.At - from.At) * (to.X - from.X));
        }

        private string Part(string name, IReadOnlyList<CoursePoint> points)
        {
            var (lowest, highest) = (points.Min(point => point.Value), points.Max(point => point.Value));
            return $"{name}, from {Clock(points[0].At)} to {Clock(points[^1].At)}: "
                + $"from {NumberText.Format(points[0].Value)} to {NumberText.Format(points[^1].Value)}{UnitText}, "
                + $"lowest {NumberText.Format(lowest)}, highest {NumberText.Format(highest)}.";
        }

        private static TimeSpan Span(IReadOnlyList<CoursePoint> points) => points.Count == 0 ? TimeSpan.Zero : points[^1].At - points[0].At;

        private string Clock(DateTimeOffset at) => _knots[0].At.UtcDateTime.Date == _knots[^1].At.UtcDateTime.Date
            ? at.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)
            : at.UtcDateTime.ToString("MM-dd HH:mm", CultureInfo.InvariantCulture);
    }

    /// <param name="LabelX">Where its number is, which may be moved aside.</param>
    internal sealed record MarkShape(int Number, string LabelX, string Path, string At, string What);
}

/// <summary>The heights of values in a graph, from <paramref name="Low"/> up to <paramref name="High"/>; y grows downwards.</summary>
internal abstract record GraphShape(double Bottom, double Top, double? Limit, double High, double Low)
{
    /// <summary>Below the line of the limit where there is no room above it.</summary>
    public string LimitTextY => Number(Limit is { } limit && Height(limit) > High + 12 ? Height(limit) - 3 : Height(Limit ?? 0) + 11);

    public string Y(double value) => Number(Height(value));

    public string TextY(double value) => Number(Height(value) + 4);

    internal static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private double Height(double value) => Low - (Math.Clamp((value - Bottom) / (Top - Bottom), 0, 1) * (Low - High));
}
