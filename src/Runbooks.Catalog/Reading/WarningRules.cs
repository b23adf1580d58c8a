using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Reading;

/// <summary>Valid and allowed, but probably not meant. docs/warnings.md says why.</summary>
internal sealed partial class WarningRules(StepCatalog steps, FileErrors errors)
{
    public void Check(Runbook runbook)
    {
        CheckWords(runbook);
        CheckTriggers(runbook);
        CheckTarget(runbook);
        CheckMeasuring(runbook);
        CheckPatience(runbook);
        CheckVerifyTime(runbook);
        CheckQueries(runbook);
        CheckAlways(runbook);
        CheckTelling(runbook);
        CheckLease(runbook);
        if (runbook.Limits.SettleFor > TimeSpan.Zero && runbook.Mitigation.Verify is null)
        {
            errors.Warn(
                WarningCodes.SettleUnchecked,
                "limits.settleFor",
                "has no effect: without checks that verify the fix nothing can tell whether it holds, so the next alert opens a new "
                + "incident.",
                "Add checks to 'diagnosis', or remove 'settleFor'; 'coolDown' makes a pause between two runs.");
        }

        if (SafetyRules.IsSelfHealing(runbook, steps))
        {
            CheckSelfHealing(runbook);
        }
    }

    private void CheckWords(Runbook runbook)
    {
        if (runbook.Owner.Length == 0)
        {
            errors.Warn(WarningCodes.NoOwner, "owner", "is missing.", "Add the team that keeps this runbook.");
        }

        if (runbook.Impact.Data.Length == 0)
        {
            errors.Warn(
                WarningCodes.NoDataImpact,
                "impact",
                "does not say what happens to data.",
                "Add 'data:'; 'Data is safe.' calms people as well.");
        }
    }

    private void CheckTriggers(Runbook runbook)
    {
        for (var index = 0; index < runbook.Trigger.Count; index++)
        {
            var trigger = runbook.Trigger[index];
            if (trigger.Alert.Trim('*').Length == 0
                && trigger.Severity.Count == 0
                && trigger.Labels.Count == 0
                && trigger.Source != AlertSource.Manual)
            {
                errors.Warn(
                    WarningCodes.TriggerAny,
                    $"trigger[{index}].alert",
                    $"takes every alert{(trigger.Source is { } source ? $" from {source}" : "")}.",
                    "Write the name of the rule, a pattern of such names, or labels that the alerts have.");
            }

            foreach (var (key, problem, remedy) in TriggerWarnings.Of(trigger))
            {
                errors.Warn(WarningCodes.TriggerNever, $"trigger[{index}].{key}", problem, remedy);
            }

            foreach (var (key, shown) in TriggerWarnings.Hidden(trigger))
            {
                errors.Warn(
                    WarningCodes.TriggerHidden,
                    $"trigger[{index}].{key}",
                    $"looks like a secret: the alert starts this runbook, and is kept and shown as '{shown}'.",
                    key == "alert"
                        ? "Name the rule without the colon, or say that it is meant."
                        : "Match by another label, or say that it is meant.");
            }

            var covering = runbook.Trigger.Index().FirstOrDefault(other =>
                other.Index != index
                && TriggerOverlap.Covers(other.Item, trigger)
                && (other.Index < index || !TriggerOverlap.Covers(trigger, other.Item)));
            if (covering.Item is { } wider)
            {
                errors.Warn(
                    WarningCodes.TriggerOverlap,
                    $"trigger[{index}].alert",
                    $"is needless: trigger {covering.Index + 1} ('{wider.Alert}') takes every alert that this one takes.",
                    "Remove one of the two.");
            }
        }
    }

    private void CheckTarget(Runbook runbook)
    {
        var looksLikeTemplate = runbook.Target.Contains('{', StringComparison.Ordinal)
            || Template.Parse($"${runbook.Target}").Lookalikes.Any();
        if (!Template.HasPlaceholder(runbook.Target) && looksLikeTemplate)
        {
            errors.Warn(
                WarningCodes.TargetFixed,
                "target",
                "has no placeholder: every alert is about the same target, and one incident.",
                "A placeholder has two braces: {{ labels.pod }}.");
        }
    }

    /// <summary>Only a warning: while a runbook is tried out, note steps stand in for the real ones.</summary>
    private void CheckTelling(Runbook runbook)
    {
        if (runbook.Mitigation.Steps.Count == 0 || steps.ChangeSomething(runbook.Mitigation.Steps))
        {
            return;
        }

        if (runbook.Mitigation.Verify is not null)
        {
            errors.Warn(
                WarningCodes.NothingToVerify,
                "mitigation.verify",
                "has nothing to verify: the steps of the mitigation only tell. "
                + "While the checks fail, that counts as a fix that did not help, and the resolution does not run.",
                "Put what only tells into 'resolution', or remove 'verify'.");
        }

        if (runbook.Mitigation.HoldUntil is not null)
        {
            errors.Warn(
                WarningCodes.NothingToVerify,
                "mitigation.holdUntil",
                "has nothing to hold: the steps of the mitigation only tell. "
                + "A person is paged when it lasts until 'atMost', and there is nothing to take back.",
                "Put what only tells into 'resolution', or remove 'holdUntil'.");
        }
    }

    private void CheckLease(Runbook runbook)
    {
        if (runbook.Mitigation.HoldUntil is not { } lease)
        {
            return;
        }

        if (runbook.Mitigation.Verify is { } verify && lease.Checks.All(verify.Checks.Contains))
        {
            errors.Warn(
                WarningCodes.LeaseWatchesItself,
                "mitigation.holdUntil",
                "waits for checks that pass because the mitigation works: "
                + "it is taken back while the fault is still there, and the alert comes again.",
                "Name a check that sees the cause whether or not the mitigation works, as the one that says when the provider is "
                + "healthy again.");
        }

        if (steps.LongestLookBack(runbook.Diagnosis.Where(check => lease.Checks.Contains(check.Name))) is var (check, back)
            && back + lease.StableFor >= lease.AtMost)
        {
            errors.Warn(
                WarningCodes.LeaseTooShort,
                "mitigation.holdUntil.atMost",
                $"is {DurationText.Format(lease.AtMost)}. '{check.Name}' still measures what was before for {DurationText.Format(back)} "
                + $"after the cause is gone, and has to pass for {DurationText.Format(lease.StableFor)} then: "
                + "a person is paged although all goes well.",
                $"Make it longer than {DurationText.Format(back + lease.StableFor)}, or let the check look at a shorter time.");
        }

        foreach (var (phase, approval) in new[] { Phase.Mitigation, Phase.Resolution }.Select(phase => (phase, runbook.ApprovalOf(phase))))
        {
            if (approval?.Timeout > lease.AtMost)
            {
                errors.Warn(
                    WarningCodes.ApprovalOutlastsLease,
                    $"{CamelCase.Of(phase)}.approval.timeout",
                    $"is {DurationText.Format(approval.Timeout)}, longer than the lease may last ({DurationText.Format(lease.AtMost)}).",
                    "Make it shorter, or 'holdUntil.atMost' longer.");
            }
        }

        foreach (var step in runbook.Mitigation.Steps.Where(step => steps.FindAction(step.Do)?.ReversalOf(step.With) == Reversal.Kept))
        {
            var surely = step.With.TryGetProperty("keep", out var keep) && bool.TryParse(keep.ToString(), out _);
            errors.Warn(
                WarningCodes.LeaseKeeps,
                $"mitigation.steps.{step.Name}.with.keep",
                $"{(surely ? "lets" : "may let")} the step stay when the lease is taken back.",
                "Remove 'keep', or do it in 'resolution'.");
        }
    }

    private void CheckSelfHealing(Runbook runbook)
    {
        if (runbook.Limits is { MaxRuns: null, MaxTargets: null } && runbook.Limits.CoolDown == TimeSpan.Zero)
        {
            errors.Warn(
                WarningCodes.SelfHealingUnlimited,
                "limits",
                "do not say how often this runbook may act by itself.",
                "Add 'limits: { maxRuns: 3, per: 1h }'; beyond them a person is asked.");
        }

        if (runbook.Limits.SettleFor == TimeSpan.Zero && runbook.Mitigation is { Steps.Count: > 0, Verify: not null })
        {
            errors.Warn(
                WarningCodes.SelfHealingUnsettled,
                "limits",
                "have no 'settleFor': an alert that was on its way when the fix was verified starts the runbook again.",
                "Add 'settleFor: 5m', the time that your alert rule takes to calm down.");
        }
    }
}

/// <summary>Triggers that no alert fits because they use another tool's syntax. Prometheus' matchers are regular expressions, ours are not.</summary>
internal static partial class TriggerWarnings
{
    private static readonly string[] s_azure = ["Sev0", "Sev1", "Sev2", "Sev3", "Sev4"];

    /// <returns>The problem is a sentence that continues the key.</returns>
    public static IEnumerable<(string Key, string Problem, string Remedy)> Of(Trigger trigger)
    {
        var alert = trigger.Alert;
        if (IsExpression(alert) || (alert.Contains(".*", StringComparison.Ordinal) && alert.Count(c => c == '.') == 1))
        {
            yield return (
                "alert",
                $"is '{alert}', which looks like a regular expression; only '*' and '?' mean anything here.",
                "'*' stands for any text and '?' for one character; write a trigger for each name.");
        }
        else if (Listed().IsMatch(alert))
        {
            yield return ("alert", $"is '{alert}', one name with a comma in it.", "Write a trigger for each name.");
        }

        foreach (var (index, severity) in trigger.Severity.Index())
        {
            var key = trigger.Severity.Count > 1 ? $"severity[{index}]" : "severity";
            if (severity.Contains(',', StringComparison.Ordinal)
                || IsExpression(severity)
                || severity.Contains('*', StringComparison.Ordinal))
            {
                yield return (
                    key,
                    $"is '{severity}', and an alert has one severity, which is compared as it stands.",
                    "Write a list: [critical, warning].");
            }
            else if (trigger.Source == AlertSource.AzureMonitor && !s_azure.Contains(severity, StringComparer.OrdinalIgnoreCase))
            {
                yield return (key, $"is '{severity}', which Azure Monitor never sends.", $"It sends {string.Join(", ", s_azure)}.");
            }
        }

        foreach (var (name, value) in trigger.Labels.Where(label => IsExpression(label.Value)))
        {
            yield return (
                $"labels.{name}",
                $"is '{value}', which looks like a regular expression; only '*' and '?' mean anything here.",
                "'*' stands for any text and '?' for one character; write a trigger for each value.");
        }

        foreach (var (key, text) in trigger.Labels.Select(label => ($"labels.{label.Key}", label.Value)).Prepend(("alert", alert)).Where(one => InChatQuotes().IsMatch(one.Item2)))
        {
            yield return (
                key,
                $"is {text}, with quotes that belong to it: only straight ones are YAML's.",
                "Write \"…\" with straight quotes.");
        }
    }

    public static IEnumerable<(string Key, string Shown)> Hidden(Trigger trigger) =>
        trigger.Labels.Select(label => (Key: $"labels.{label.Key}", Text: label.Value, Shown: AlertSecrets.Hide(label.Key, label.Value)))
            .Prepend((Key: "alert", Text: trigger.Alert, Shown: Redactor.Redact(trigger.Alert)))
            .Where(one => one.Shown != one.Text)
            .Select(one => (one.Key, one.Shown));

    private static bool IsExpression(string text) => Expression().IsMatch(text);

    /// <summary>Matchers of Prometheus and Alertmanager: anchors, alternatives, groups, and the operators themselves.</summary>
    [GeneratedRegex(@"^(=~|[~!^])|[^A-Za-z0-9]\$$|\S\|\S|\.\+|\\\.|\\[dw][+*?{]", RegexOptions.NonBacktracking)]
    private static partial Regex Expression();

    [GeneratedRegex(@"^[^\s,]+(,\s*[^\s,]+)+$", RegexOptions.NonBacktracking)]
    private static partial Regex Listed();

    [GeneratedRegex("^[“”„‘’‚].*[“”‘’]$", RegexOptions.NonBacktracking)]
    private static partial Regex InChatQuotes();
}
