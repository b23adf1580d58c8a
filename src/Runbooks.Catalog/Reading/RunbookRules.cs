namespace Runbooks.Catalog.Reading;

/// <summary>Combinations that are forbidden although each part is valid.</summary>
internal sealed class SafetyRules(StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        CheckGates(runbook);
        CheckReversible(runbook);
        CheckActs(runbook);
        if (IsSelfHealing(runbook, steps))
        {
            CheckSelfHealing(runbook);
        }
    }

    /// <summary>Whether something is changed outside without anybody being asked.</summary>
    public static bool IsSelfHealing(Runbook runbook, StepCatalog steps) =>
        runbook.Mitigation.Approval is null && steps.ActByThemselves(runbook.CoveredBy(Phase.Mitigation).Select(covered => covered.Step));

    private void CheckGates(Runbook runbook)
    {
        if (runbook.Mitigation.Approval is not null && !runbook.CoveredBy(Phase.Mitigation).Any())
        {
            errors.AtKey(
                "mitigation.approval",
                $"asks, but there are no steps to approve{(runbook.Resolution.Steps.Count > 0 ? ": the resolution asks for itself" : "")}.",
                "Add steps to 'mitigation', or remove its 'approval'.");
        }

        if (runbook.Resolution is { Approval: not null, Steps.Count: 0 })
        {
            errors.AtKey("resolution.approval", "asks, but there are no steps to approve.", "Add steps, or remove 'approval'.");
        }
    }

    private void CheckReversible(Runbook runbook)
    {
        if (runbook.Mitigation.Approval?.OnTimeout == OnTimeout.ProceedIfReversible)
        {
            MayRunUnanswered("mitigation.approval.onTimeout", runbook.CoveredBy(Phase.Mitigation));
        }

        if (runbook.Resolution.Approval?.OnTimeout == OnTimeout.ProceedIfReversible)
        {
            MayRunUnanswered("resolution.approval.onTimeout", runbook.CoveredBy(Phase.Resolution));
        }

        if (runbook.Mitigation.HoldUntil is not null
            && Listed(runbook.AllSteps().Where(one => one.Phase == Phase.Mitigation && IsIrreversible(one.Step))) is { } fixedOnes)
        {
            errors.AtKey(
                "mitigation.holdUntil",
                $"reverts the mitigation, but these steps cannot be undone: {fixedOnes}.",
                "Use reversible actions, say how it is undone where an action takes 'undo', or remove it.");
        }
    }

    private void CheckActs(Runbook runbook)
    {
        if (runbook.Mitigation.Steps.Count > 0 || errors.HasAt("mitigation.steps"))
        {
            return;
        }

        if (runbook.Mitigation.Verify is not null)
        {
            errors.AtKey(
                "mitigation.verify",
                "has no steps to verify: what stands in 'resolution' would run only once it passes.",
                "Put the steps that it verifies into 'mitigation', or remove 'verify'.");
        }

        if (runbook.Mitigation.HoldUntil is not null)
        {
            errors.AtKey("mitigation.holdUntil", "has no steps to take back.", "Add steps, or remove 'holdUntil'.");
        }
    }

    private void MayRunUnanswered(string path, IEnumerable<(Phase Phase, StepSpec Step)> covered)
    {
        const string Why = "is proceedIfReversible";
        if (Listed(covered.Where(one => !IsTakenBack(one.Phase, one.Step))) is { } staying)
        {
            errors.AtKey(path, $"{Why}, but this program does not take these steps back: {staying}.",
                "Use abort or escalate. Silence may run what only tells, and steps of the mitigation that can be undone, are not kept, "
                + "and are not done by a person.");
        }

        if (Listed(covered.Where(one => AlwaysAsks(one.Step))) is { } asking)
        {
            errors.AtKey(path, $"{Why}, but these steps never run unless a person says so: {asking}.", "Use abort or escalate.");
        }
    }

    private static string? Listed(IEnumerable<(Phase Phase, StepSpec Step)> some) =>
        some.Select(one => $"{PathOf(one.Phase, one.Step)} ({one.Step.Do})").ToList() is { Count: > 0 } listed ? string.Join(", ", listed) : null;

    /// <summary>As <see cref="PlannedStep.IsTakenBack"/>, as far as the file tells. An unknown action is reported elsewhere.</summary>
    private bool IsTakenBack(Phase phase, StepSpec step) =>
        steps.FindAction(step.Do) is not { TellsOnly: false } action
        || (phase == Phase.Mitigation && !action.IsManual && action.ReversalOf(step.With) == Reversal.Undone);

    private bool AlwaysAsks(StepSpec step) => steps.FindAction(step.Do)?.AlwaysAsks(step.With) == true;

    private bool IsIrreversible(StepSpec step) => steps.FindAction(step.Do)?.ReversalOf(step.With) == Reversal.None;

    /// <summary>Nobody is asked, so the file itself has to say when to act and how often.</summary>
    private void CheckSelfHealing(Runbook runbook)
    {
        if (runbook.Diagnosis.Count == 0)
        {
            errors.AtKey(
                runbook.Mitigation.Steps.Count > 0 ? "mitigation" : "resolution",
                "acts without approval and without a diagnosis.",
                "Add 'diagnosis' with a check that shows the fault, or 'approval'.");
        }

        var acting = runbook.CoveredBy(Phase.Mitigation).ToList();
        foreach (var (phase, step) in acting.Where(pair => steps.FindAction(pair.Step.Do) is { Repeatable: false }))
        {
            errors.AtKey(
                PathOf(phase, step),
                $"runs without approval, but {step.Do} cannot be repeated safely: after a crash only a person can tell what happened.",
                "Add 'approval'.");
        }

        foreach (var (phase, step) in acting.Where(pair => AlwaysAsks(pair.Step)))
        {
            errors.AtKey(
                PathOf(phase, step),
                $"runs without approval, but {step.Do} with these parameters never runs unless a person says so.",
                "Add 'approval'.");
        }

        var irreversible = acting.FirstOrDefault(pair => steps.FindAction(pair.Step.Do) is { Repeatable: true, IsManual: false } && IsIrreversible(pair.Step));
        if (irreversible.Step is not null && runbook.Limits.MaxRuns is null)
        {
            errors.AtKey(
                PathOf(irreversible.Phase, irreversible.Step),
                $"runs without approval, and {irreversible.Step.Do} cannot be undone.",
                "Add 'limits: { maxRuns: 3, per: 1h }', or 'approval'.");
        }
    }

    public static string PathOf(Phase phase, StepSpec step) => $"{CamelCase.Of(phase)}.steps.{step.Name}";
}

/// <summary>Names that authors choose. They appear in links, file names, metrics and placeholders.</summary>
public static class NameRules
{
    private const int Longest = 64;

    public const string IdFormat = "at most 64 lower-case letters, digits and dashes, beginning with a letter";
    public const string Expected = "at most 64 letters, digits, dashes and underscores, beginning with a letter";

    public static bool IsId(string text) =>
        text.Length is > 0 and <= Longest && char.IsAsciiLetterLower(text[0]) && text[^1] != '-'
        && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '-');

    /// <summary>An id that was typed in another program: in any case, with blanks around it, with _ for -.</summary>
    /// <returns>Null if it cannot be an id, such as the address of a page.</returns>
    public static string? ReadId(string? text) => text?.Trim().ToLowerInvariant().Replace('_', '-') is { } id && IsId(id) ? id : null;

    public static bool IsName(string text) =>
        text.Length is > 0 and <= Longest && char.IsAsciiLetter(text[0])
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    internal static void Check(YamlSection section, string name)
    {
        if (!IsName(name))
        {
            section.Errors.AtKey(section.Path, "is not a name.", $"Use {Expected}.");
        }
    }

    internal static IReadOnlyList<string> OfChecks(YamlSection section, string key, IReadOnlyCollection<string> checks)
    {
        var names = section.TextList(key);
        for (var index = 0; index < names.Count; index++)
        {
            var path = section.PathOf(key) + (names.Count > 1 ? $"[{index}]" : "");
            if (!checks.Contains(names[index]))
            {
                section.Errors.AtValue(path, $"names the check '{Clip.To(names[index], 80)}', which the diagnosis does not have.",
                    $"{Suggestion.For(names[index], checks)}{(checks.Count == 0 ? "Add it to 'diagnosis'." : $"The checks are: {string.Join(", ", checks)}.")}");
            }
            else if (names.Take(index).Contains(names[index]))
            {
                section.Errors.AtValue(path, $"names the check '{names[index]}' twice.", "Remove one of them.");
            }
        }

        return names;
    }
}
