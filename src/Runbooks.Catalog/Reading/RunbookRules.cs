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
            errors.AtKey("mitigation.approval", $"asks, but there are no steps to approve{(runbook.Resolution.Steps.Count > 0 ? ": the resolution asks for itself" : "")}.", "Add steps to 'mitigation', or remove its 'approval'.");
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

        if (runbook.Mitigation.HoldUntil is not null && Listed(runbook.AllSteps().Where(one => one.Phase == Phase.Mitigation && IsIrreversible(one.Step))) is { } fixedOnes)
        {
            errors.AtKey("mitigation.holdUntil", $"reverts the mitigation, but these steps cannot be undone: {fixedOnes}.", "Use reversible actions, say how it is undone where an action takes 'undo', or remove it.");
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
            errors.AtKey("mitigation.verify", "has no steps to verify: what stands in 'resolution' would run only once it passes.", "Put the steps that it verifies into 'mitigation', or remove 'verify'.");
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
                "Use abort or escalate. Silence may run what only tells, and steps of the mitigation that can be undone, are not kept, and are not done by a person.");
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
            errors.AtKey(runbook.Mitigation.Steps.Count > 0 ? "mitigation" : "resolution", "acts without approval and without a diagnosis.", "Add 'diagnosis' with a check that shows the fault, or 'approval'.");
        }

        var acting = runbook.CoveredBy(Phase.Mitigation).ToList();
        foreach (var (phase, step) in acting.Where(pair => steps.FindAction(pair.Step.Do) is { Repeatable: false }))
        {
            errors.AtKey(PathOf(phase, step), $"runs without approval, but {step.Do} cannot be repeated safely: after a crash only a person can tell what happened.", "Add 'approval'.");
        }

        foreach (var (phase, step) in acting.Where(pair => AlwaysAsks(pair.Step)))
        {
            errors.AtKey(PathOf(phase, step), $"runs without approval, but {step.Do} with these parameters never runs unless a person says so.", "Add 'approval'.");
        }

        var irreversible = acting.FirstOrDefault(pair => steps.FindAction(pair.Step.Do) is { Repeatable: true, IsManual: false } && IsIrreversible(pair.Step));
        if (irreversible.Step is not null && runbook.Limits.MaxRuns is null)
        {
            errors.AtKey(PathOf(irreversible.Phase, irreversible.Step), $"runs without approval, and {irreversible.Step.Do} cannot be undone.", "Add 'limits: { maxRuns: 3, per: 1h }', or 'approval'.");
        }
    }

    public static string PathOf(Phase phase, StepSpec step) => $"{CamelCase.Of(phase)}.steps.{step.Name}";
}

/// <summary>Everybody whom a runbook asks has to be in the contacts.</summary>
internal sealed class ContactRules(KnownContacts contacts, StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        Check("reportTo", runbook.ReportTo);
        Check("mitigation.approval", runbook.Mitigation.Approval, runbook);
        Check("resolution.approval", runbook.Resolution.Approval, runbook);
        foreach (var (phase, step) in runbook.AllSteps())
        {
            foreach (var (path, name) in steps.FindAction(step.Do) is { } action ? ContactNameAttribute.NamesIn(step.With, action.ParametersType) : [])
            {
                Check($"{SafetyRules.PathOf(phase, step)}.with.{path}", name);
            }
        }

        if (runbook.Mitigation.Approval is { OwnerRequired: true } || runbook.Resolution.Approval is { OwnerRequired: true })
        {
            Check("owner", [runbook.Owner]);
        }
    }

    private void Check(string path, Approval? approval, Runbook runbook)
    {
        if (approval is null)
        {
            return;
        }

        if (approval.OnTimeout == OnTimeout.ProceedIfReversible && approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)).All(name => contacts.Unheard.Contains(name, StringComparer.OrdinalIgnoreCase)))
        {
            errors.Warn(
                WarningCodes.SilenceUnheard, $"{path}.onTimeout", "takes silence for a yes, but everybody who is asked is told by a channel that does not say whether a message arrived: their silence never counts, and nothing runs.",
                "Put a channel that says so, such as slack, pagerduty or email, before it in 'reach' of one of them, or use abort or escalate.");
        }

        CheckEnough(path, approval, runbook);
        Check($"{path}.from", approval.From);
        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            Check($"{path}.escalate[{index}].to", approval.Escalate[index].To);
        }
    }

    /// <summary>If everybody who may ever be asked, the fallback included, is too few, the approval can never be reached.</summary>
    private void CheckEnough(string path, Approval approval, Runbook runbook)
    {
        var asked = approval.From.Concat(approval.Escalate.SelectMany(escalation => escalation.To)).Concat(approval.OwnerRequired ? [runbook.Owner] : [])
            .Concat(contacts.Names.Contains(runbook.Fallback, StringComparer.OrdinalIgnoreCase) ? [runbook.Fallback] : []).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        if (asked.TrueForAll(contacts.People.ContainsKey)
            && asked.SelectMany(name => contacts.People[name]).Distinct(StringComparer.OrdinalIgnoreCase).ToList() is var people && people.Count < approval.Required)
        {
            errors.AtValue(
                $"{path}.required", $"needs {approval.Required} {(approval.Required == 1 ? "person" : "people")}, and behind {string.Join(", ", asked)} there {(people.Count switch { 0 => "is", 1 => "is only", _ => "are only" })} {(people.Count == 0 ? "nobody" : string.Join(", ", people))}.",
                "Put more people behind them in the contacts file, ask others as well, or ask for fewer.");
        }
    }

    private void Check(string path, IReadOnlyList<string> names)
    {
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            Check(names.Count > 1 ? $"{path}[{index}]" : path, name);
        }
    }

    private void Check(string path, string name)
    {
        if (!contacts.Names.Contains(name, StringComparer.OrdinalIgnoreCase))
        {
            errors.AtValue(
                path, $"names '{Clip.To(name, 80)}', and the contacts have nobody of that name.",
                $"{Suggestion.For(name, contacts.Names)}Add it under 'contacts' in the contacts file.");
        }
    }
}

/// <param name="Names">The names of the contacts.</param>
public sealed record KnownContacts(IReadOnlyCollection<string> Names)
{
    /// <summary>Reached only by channels that never report arrival, so their silence never counts.</summary>
    public IReadOnlyCollection<string> Unheard { get; init; } = [];

    /// <summary>The people of each contact, without contacts whose people the file does not know, such as a schedule.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> People { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
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
