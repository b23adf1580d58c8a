using Runbooks.Guardrails;
using Runbooks.Intake;

namespace Runbooks.Web.Safety;

/// <summary>What whoever opens the console has to know before anything else.</summary>
public sealed class SafetyWords(KillSwitch killSwitch, Ledgers ledgers, LoadedRunbooks loaded)
{
    public async Task<IReadOnlyList<string>> WarningsAsync(CancellationToken cancellationToken)
    {
        var warnings = new List<string>();
        if ((await killSwitch.ReadAsync(cancellationToken)).Words() is { } handsOff)
        {
            warnings.Add(handsOff);
        }

        foreach (var runbook in loaded().OrderBy(runbook => runbook.Id, StringComparer.Ordinal))
        {
            if ((await ledgers.ReadAsync(runbook.Id, cancellationToken)).Breaker is { } open)
            {
                warnings.Add($"The breaker of {runbook.Id} is open, so it does not act: {open.Why} It is reset under Safety.");
            }
        }

        return warnings;
    }
}
