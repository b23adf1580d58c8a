using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Prometheus;

/// <summary>A question to Prometheus. One that cannot be reached, or that does not understand the query, leaves the answer unknown.</summary>
internal abstract class PrometheusCheck<TParameters>(PrometheusClient prometheus, string name, string summary) : Check<TParameters>(name, summary)
    where TParameters : PrometheusParameters
{
    public override string Role => $"{PrometheusClient.AzureRole} on the Azure Monitor workspace; none for a Prometheus of your own";

    protected PrometheusClient Prometheus => prometheus;

    protected abstract Task<CheckResult> LookAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    /// <summary>What the value is held against, shown beside an unknown one as well; null when there is no such limit.</summary>
    protected virtual string? Limit(TParameters parameters) => null;

    protected sealed override async Task<CheckResult> AskAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await LookAsync(parameters, context, cancellationToken);
        }
        catch (PrometheusException failed)
        {
            return CheckResult.Unknown(failed.Message) with { Threshold = Limit(parameters) };
        }
    }
}

/// <summary>Which Prometheus.</summary>
public abstract record PrometheusParameters
{
    [MaxLength(100)]
    [Description("The configured Prometheus to ask; the default one when left out.")]
    public string? Endpoint { get; init; }
}

/// <summary>Which pods' series, and over how long.</summary>
public abstract record WorkloadParameters : PrometheusParameters
{
    [Required, KubernetesName]
    [Description("The namespace of the pods.")]
    public required string Namespace { get; init; }

    [KubernetesName(Subdomain = true)]
    [Description("The pod; all of the namespace when left out.")]
    public string? Pod { get; init; }

    [Range(typeof(TimeSpan), "00:00:30", "01:00:00")]
    [Description("How far back is looked; at least four times the scrape interval.")]
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(5);
}

/// <summary>A time as PromQL and as people write it.</summary>
internal static class PromDuration
{
    public static string Of(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0}s");

    public static string Words(TimeSpan time) => time.TotalSeconds < 120 ? FormattableString.Invariant($"{time.TotalSeconds:0} s") : FormattableString.Invariant($"{time.TotalMinutes:0.#} min");
}
