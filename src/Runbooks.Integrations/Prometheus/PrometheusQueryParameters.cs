using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Prometheus;

public sealed record PrometheusQueryParameters
{
    [Required, QueryText, MaxLength(4000)]
    [Description("PromQL whose value now is looked at. Of several series the worst one counts.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Description("The verdict when the query finds nothing.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;

    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}
