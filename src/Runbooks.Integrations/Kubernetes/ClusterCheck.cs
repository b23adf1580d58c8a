using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Kubernetes;

/// <summary>A question to a cluster. One that cannot be reached, or that does not let this identity look, leaves the answer unknown.</summary>
internal abstract class ClusterCheck<TParameters>(string name, string summary) : Check<TParameters>(name, summary)
    where TParameters : ClusterParameters
{
    protected abstract Task<CheckResult> LookAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    protected sealed override async Task<CheckResult> AskAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(parameters, context, cancellationToken);
        }
        catch (Exception failed) when (failed is ClusterException or StepRefusedException)
        {
            return CheckResult.Unknown(failed.Message);
        }
    }
}

/// <summary>Which cluster.</summary>
public abstract record ClusterParameters
{
    [MaxLength(100)]
    [Description("The configured cluster, by its name there or its name in AKS; the default one when left out.")]
    public string? Cluster { get; init; }
}
