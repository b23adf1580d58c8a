using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Azure.Monitor;

public sealed record MetricParameters
{
    [Required, ArmResourceId]
    [Description("The resource that is measured.")]
    public required string Resource { get; init; }

    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9 ._/:%()-]{0,199}$")]
    [Description("The metric's name as Azure's API has it, for example `BackendLastByteResponseTime`.")]
    public required string Metric { get; init; }

    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,199}$")]
    [Description("The metric's namespace, where the resource has more than one.")]
    public string? Namespace { get; init; }

    [Description("How the values of one minute are put together.")]
    public MetricAggregation Aggregation { get; init; } = MetricAggregation.Average;

    [Required]
    [Description("When the latest value is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a value.")]
    public required FailingWhen Failing { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [QueryText, MaxLength(1000)]
    [Description("Which dimensions to look at: `Region eq 'westeurope'`; `Origin eq '*'` looks at each, and the worst one counts.")]
    public string? Filter { get; init; }

    [Range(typeof(TimeSpan), "00:02:00", "1.00:00:00")]
    [Description("How far back to look for the latest value.")]
    public TimeSpan Over { get; init; } = TimeSpan.FromMinutes(15);

    [Description("The verdict when there is no value.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
