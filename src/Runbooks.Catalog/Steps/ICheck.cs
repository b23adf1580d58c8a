namespace Runbooks.Catalog.Steps;

/// <summary>A diagnosis question that runbooks ask by name. Reads only. Written by deriving from <see cref="Check{TParameters}"/>.</summary>
public interface ICheck
{
    /// <summary>As runbooks write it: <c>area.question</c>, for example <c>prometheus.query</c>.</summary>
    string Name { get; }

    /// <summary>One sentence for the reference page.</summary>
    string Summary { get; }

    /// <summary>The least Azure or Kubernetes role that suffices; null when none is needed.</summary>
    string? Role { get; }

    /// <summary>The record that the <c>with</c> mapping is bound to.</summary>
    Type ParametersType { get; }

    /// <summary>How long it may take where the runbook's file does not say.</summary>
    TimeSpan UsualTimeout => CheckSpec.DefaultTimeout;

    /// <summary>The same for these parameters: a check that has a limit of its own must have the time to come to it.</summary>
    /// <param name="with">As the runbook's file has it, with its templates unfilled.</param>
    TimeSpan UsualTimeoutOf(JsonElement with) => UsualTimeout;

    /// <summary>What is probably not meant in these parameters.</summary>
    /// <param name="with">As the runbook's file has it, valid, with its templates unfilled.</param>
    IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) => [];

    /// <summary>Whether it stays unknown while there is nothing to measure, and the file does not say what that means.</summary>
    bool MayFindNothing(JsonElement with) => false;

    /// <summary>For how long after a change its answer still rests on what was before it; null where it is about now, and where the file does not tell.</summary>
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

    /// <summary>Long enough that a check whose own <c>timeout</c> is over can still say so.</summary>
    public virtual TimeSpan UsualTimeoutOf(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("timeout", out var own) && own.ValueKind == JsonValueKind.String
        && DurationText.TryParse(own.GetString()!, out var limit) && limit + s_spare > UsualTimeout ? limit + s_spare : UsualTimeout;

    public virtual IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) => [];

    public virtual bool MayFindNothing(JsonElement with) => false;

    public virtual TimeSpan? LookBackOf(JsonElement with) => null;

    /// <summary>
    /// Asks the question. An exception counts as unknown and its message is shown, so messages name the system, what
    /// was asked and the remedy, and never carry a secret.
    /// </summary>
    protected abstract Task<CheckResult> AskAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken);

    Task<CheckResult> ICheck.AskAsync(object parameters, StepContext context, CancellationToken cancellationToken) =>
        AskAsync((TParameters)parameters, context, cancellationToken);
}

/// <summary>Something in the parameters that is valid and probably not meant.</summary>
/// <param name="Code">A warning's code.</param>
/// <param name="Problem">A sentence that continues the key.</param>
public sealed record ParameterWarning(string Code, string Key, string Problem, string Remedy);
