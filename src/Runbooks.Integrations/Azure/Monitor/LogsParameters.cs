using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Integrations.Metrics;

namespace Runbooks.Integrations.Azure.Monitor;

public sealed record LogsParameters
{
    [Required, RegularExpression("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    [Description("The workspace's id: a GUID, shown on its overview page.")]
    public required string Workspace { get; init; }

    [Required, QueryText, MaxLength(8000)]
    [Description("KQL that yields a number. Of several rows the worst one counts.")]
    public required string Query { get; init; }

    [Required]
    [Description("When the number is bad: '> 95', '< 1', '== 0', or 'absent' when there must be a row.")]
    public required FailingWhen Failing { get; init; }

    [RegularExpression("^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
    [Description("The column that holds the number; the first numeric one when left out.")]
    public string? Column { get; init; }

    [MaxLength(20)]
    [Description("The unit to show beside the value.")]
    public string? Unit { get; init; }

    [Range(typeof(TimeSpan), "00:01:00", "7.00:00:00")]
    [Description("How far back the query may look.")]
    public TimeSpan Over { get; init; } = TimeSpan.FromMinutes(30);

    [Description("The verdict when the query finds no row.")]
    public WhenEmpty WhenEmpty { get; init; } = WhenEmpty.Unknown;
}
