using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Monitor;

public sealed record ResourceHealthParameters
{
    [Required, ArmResourceId]
    [Description("The resource.")]
    public required string Resource { get; init; }
}

/// <summary>Asks Azure whether it sees a problem of its own with a resource.</summary>
internal sealed class ResourceHealthCheck(ArmResources arm)
    : Check<ResourceHealthParameters>("resourceHealth", "Asks Azure Resource Health whether the platform itself has a problem with a resource.")
{
    public override string Role => "Reader";

    protected override async Task<CheckResult> AskAsync(ResourceHealthParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = new ArmTarget(parameters.Resource, "2023-10-01-preview", Role);
        var health = await arm.GetAsync(target with { Id = $"{target.Id}/providers/Microsoft.ResourceHealth/availabilityStatuses/current" }, cancellationToken);
        var state = health.Text("availabilityState") ?? "Unknown";
        var why = health.Text("summary") ?? health.Text("reasonType");
        return new CheckResult(
            state switch { "Available" => Verdict.Passing, "Unavailable" or "Degraded" => Verdict.Failing, _ => Verdict.Unknown },
            $"Azure says that {target.Words} is {Words(state)}{(why is null ? "." : $": {why}")}")
        {
            Value = state,
            Threshold = "not Available",
            Link = $"{target.PortalLink}/resourceHealth",
        };
    }

    private static string Words(string state) => state switch
    {
        "Available" => "available",
        "Unavailable" => "unavailable",
        "Degraded" => "degraded",
        _ => "of unknown health",
    };
}
