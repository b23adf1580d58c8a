namespace Runbooks.Catalog.Steps;

/// <summary>A diagnosis question that runbooks ask by name. Only reads. Derive from <see cref="Check{TParameters}"/>.</summary>
public interface ICheck
{
    /// <summary>As runbooks write it: <c>area.question</c>, for example <c>prometheus.query</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for the reference page.</summary>
    string Summary { get; }

    /// <summary>The least Azure or Kubernetes role that suffices. Null if none is needed.</summary>
    string? Role { get; }

    Type ParametersType { get; }

    TimeSpan UsualTimeout => CheckSpec.DefaultTimeout;

    /// <summary>A check with its own limit must have the time to reach it.</summary>
    /// <param name="with">As in the runbook's file, with unfilled templates.</param>
    TimeSpan UsualTimeoutOf(JsonElement with) => UsualTimeout;

    /// <summary>What is probably not meant in these parameters.</summary>
    /// <param name="with">As in the runbook's file, valid, with unfilled templates.</param>
    IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) => [];

    /// <summary>Unknown while there is nothing to measure, and the file does not say what that means.</summary>
    bool MayFindNothing(JsonElement with) => false;

    /// <summary>
    /// How long after a change the answer includes data from before it. Null if it is about the present, or if the file does not tell.
    /// </summary>
    TimeSpan? LookBackOf(JsonElement with) => null;

    /// <param name="parameters">An instance of <see cref="ParametersType"/>, validated.</param>
    Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken);
}

/// <inheritdoc cref="ICheck"/>
public abstract class Check<TParameters>(string name, string summary) : ICheck
    where TParameters : notnull
{
    private static readonly TimeSpan s_spare = TimeSpan.FromSeconds(5);

    public string Name => name;

    public string Summary => summary;

    public virtual string? Role => null;

    public Type ParametersType => typeof(TParameters);

    public virtual TimeSpan UsualTimeout => CheckSpec.DefaultTimeout;

    /// <summary>Enough for a check to report that its own <c>timeout</c> is over.</summary>
    public virtual TimeSpan UsualTimeoutOf(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("timeout", out var own) && own.ValueKind == JsonValueKind.String
        && DurationText.TryParse(own.GetString()!, out var limit) && limit + s_spare > UsualTimeout ? limit + s_spare : UsualTimeout;

    public virtual IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) => [];

    public virtual bool MayFindNothing(JsonElement with) => false;

    public virtual TimeSpan? LookBackOf(JsonElement with) => null;

    /// <summary>An exception counts as unknown and its message is shown: the system, what was asked and the remedy, and never a secret.</summary>
    protected abstract Task<CheckResult> AskAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    Task<CheckResult> ICheck.AskAsync(object parameters, StepContext context, CancellationToken cancellationToken) =>
        AskAsync((TParameters)parameters, context, cancellationToken);
}

/// <summary>A valid parameter that is probably not meant.</summary>
/// <param name="Problem">A sentence that continues the key.</param>
public sealed record ParameterWarning(string Code, string Key, string Problem, string Remedy);
