namespace Runbooks.Web;

/// <summary>
/// Section <c>Telemetry</c>. OTLP is set by OpenTelemetry's own variables (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and the rest).
/// </summary>
public sealed class TelemetryOptions
{
    public const string SectionName = "Telemetry";

    /// <summary>
    /// Who may scrape <c>/metrics</c> of the self-hosted program: <c>Viewer</c>, a key with that role (Prometheus: <c>authorization</c>);
    /// <c>Everybody</c>; or <c>Nobody</c>, and there is no such page. The Functions app has none.
    /// </summary>
    public MetricsReaders Metrics { get; set; } = MetricsReaders.Viewer;
}

public enum MetricsReaders { Viewer, Everybody, Nobody }
