using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

/// <summary>What must not be in a file although each part of it is well written.</summary>
internal sealed class SafetyRules(StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        CheckGates(runbook);
        CheckReversible(runbook);
        if (runbook.Mitigation is { Approval: null, Steps.Count: > 0 })
        {
            CheckSelfHealing(runbook);
        }
    }

    private void CheckGates(Runbook runbook)
    {
        if (runbook.Mitigation is { Approval: not null, Steps.Count: 0 } && runbook.Resolution.Steps.Count == 0)
        {
            errors.AtKey("mitigation.approval", "asks, but there are no steps to approve.", "Add steps, or remove 'approval'.");
        }

        if (runbook.Resolution is { Approval: not null, Steps.Count: 0 })
        {
            errors.AtKey("resolution.approval", "asks, but there are no steps to approve.", "Add steps, or remove 'approval'.");
        }
    }

    private void CheckReversible(Runbook runbook)
    {
        var mitigation = Located(runbook, Phase.Mitigation);
        if (runbook.Mitigation.Approval?.OnTimeout == OnTimeout.ProceedIfReversible)
        {
            MustBeReversible("mitigation.approval.onTimeout", "is proceedIfReversible", CoveredByMitigation(runbook));
        }

        if (runbook.Resolution.Approval?.OnTimeout == OnTimeout.ProceedIfReversible)
        {
            MustBeReversible("resolution.approval.onTimeout", "is proceedIfReversible", Located(runbook, Phase.Resolution));
        }

        if (runbook.Mitigation.HoldUntil is not null)
        {
            MustBeReversible("mitigation.holdUntil", "reverts the mitigation", mitigation);
            if (runbook.Mitigation.Steps.Count == 0)
            {
                errors.AtKey("mitigation.holdUntil", "has no steps to revert.", "Add steps, or remove 'holdUntil'.");
            }
        }
    }

    private void MustBeReversible(string path, string why, IEnumerable<(string Path, StepSpec Step)> covered)
    {
        var fixedOnes = covered.Where(pair => steps.FindAction(pair.Step.Do) is { Reversible: false }).Select(pair => $"{pair.Path} ({pair.Step.Do})").ToList();
        if (fixedOnes.Count > 0)
        {
            errors.AtKey(path, $"{why}, but these steps cannot be undone: {string.Join(", ", fixedOnes)}.", "Use reversible actions, or remove it.");
        }
    }

    /// <summary>Nobody is asked, so the file itself has to say when it is right to act and how often.</summary>
    private void CheckSelfHealing(Runbook runbook)
    {
        if (runbook.Diagnosis.Count == 0)
        {
            errors.AtKey("mitigation", "acts without approval and without a diagnosis.", "Add 'diagnosis' with a check that shows the fault, or 'approval'.");
        }

        var acting = CoveredByMitigation(runbook).ToList();
        foreach (var (path, step) in acting.Where(pair => steps.FindAction(pair.Step.Do) is { Repeatable: false }))
        {
            errors.AtKey(path, $"runs without approval, but {step.Do} cannot be repeated safely: after a crash only a person can tell what happened.", "Add 'approval'.");
        }

        var irreversible = acting.FirstOrDefault(pair => steps.FindAction(pair.Step.Do) is { Reversible: false, Repeatable: true });
        if (irreversible.Path is not null && runbook.Limits.MaxRuns is null)
        {
            errors.AtKey(irreversible.Path, $"runs without approval, and {irreversible.Step.Do} cannot be undone.", "Add 'limits: { maxRuns: 3, per: 1h }', or 'approval'.");
        }
    }

    /// <summary>A resolution without an approval of its own runs on the mitigation's.</summary>
    private static IEnumerable<(string Path, StepSpec Step)> CoveredByMitigation(Runbook runbook) =>
        Located(runbook, Phase.Mitigation).Concat(runbook.Resolution.Approval is null ? Located(runbook, Phase.Resolution) : []);

    private static IEnumerable<(string Path, StepSpec Step)> Located(Runbook runbook, Phase phase) =>
        runbook.StepsOf(phase).Select(step => ($"{CamelCase.Of(phase)}.steps.{step.Name}", step));
}
