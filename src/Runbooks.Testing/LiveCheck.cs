using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>Asks the real check, by the real clock, of an incident that is only simulated: the simulation's own clock stands still meanwhile.</summary>
internal sealed class LiveCheck(ICheck real, Runbook runbook) : ICheck
{
    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public Type ParametersType => real.ParametersType;

    public async Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var longest = runbook.FindCheck(ScriptedCheck.NameOf(context))?.Timeout ?? CheckSpec.DefaultTimeout;
        try
        {
            return await real.AskAsync(parameters, context with { Time = TimeProvider.System }, cancellationToken).WaitAsync(longest, TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException)
        {
            return CheckResult.Unknown($"{Name}: not done within {DurationText.Format(longest)}.");
        }
    }
}
