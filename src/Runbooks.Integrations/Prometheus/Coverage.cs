namespace Runbooks.Integrations.Prometheus;

/// <summary>
/// For how much of a time series were there: <c>min_over_time</c> and <c>rate</c> answer from two samples on, however young they
/// are and however long nobody answered between them.
/// </summary>
internal static class Coverage
{
    private const int Moments = 20;

    /// <summary>One scrape that failed, and what is missing before the first one, is no reason for doubt.</summary>
    private const double Enough = 0.75;

    /// <summary>At how many moments of the time there was a value.</summary>
    public static string Around(TimeSpan window) => $"count_over_time({{0}}[{PromDuration.Of(window)}:{PromDuration.Of(StepOf(window))}])";

    /// <returns>Nothing where this one cannot be asked such a thing: then what the other questions say has to do.</returns>
    public static async Task<IReadOnlyList<PrometheusSeries>> AskAsync(PrometheusClient prometheus, string? endpoint, string query, CancellationToken cancellationToken)
    {
        try
        {
            return await prometheus.QueryAsync(endpoint, query, cancellationToken);
        }
        catch (PrometheusException)
        {
            return [];
        }
    }

    /// <param name="moments">As <see cref="Around"/> counts them; null where that was not answered.</param>
    /// <returns>For how long there was a value; the whole time where that was not answered.</returns>
    public static TimeSpan Of(double? moments, TimeSpan window) =>
        moments is { } counted && counted * StepOf(window).TotalSeconds < window.TotalSeconds ? counted * StepOf(window) : window;

    public static bool IsEnough(TimeSpan covered, TimeSpan window) => covered >= window * Enough;

    private static TimeSpan StepOf(TimeSpan window) => TimeSpan.FromSeconds(Math.Max(1, Math.Round(window.TotalSeconds / Moments)));
}
