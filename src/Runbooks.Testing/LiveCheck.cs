using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Testing;

/// <summary>Asks the real check, by the real clock, of an incident that is only simulated.</summary>
internal sealed class LiveCheck(ICheck real) : ICheck
{
    /// <summary>The simulation's clock stands still meanwhile, so the runbook's own time limit does not end it.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(1);

    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public Type ParametersType => real.ParametersType;

    public async Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            return await real.AskAsync(parameters, context with { Time = TimeProvider.System }, cancellationToken).WaitAsync(s_longest, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            return CheckResult.Unknown($"{Name}: no answer within a minute.");
        }
    }
}
