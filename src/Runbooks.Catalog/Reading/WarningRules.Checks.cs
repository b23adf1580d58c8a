namespace Runbooks.Catalog.Reading;

/// <summary>Warnings about what the checks measure and when.</summary>
internal sealed partial class WarningRules
{
    private void CheckMeasuring(Runbook runbook)
    {
        foreach (var check in runbook.Diagnosis)
        {
            foreach (var doubt in steps.FindCheck(check.Check)?.WarningsOf(check.With) ?? [])
            {
                errors.Warn(doubt.Code, $"diagnosis.{check.Name}.with.{doubt.Key}", doubt.Problem, doubt.Remedy);
            }
        }

        var verifies = runbook.Mitigation.Verify?.Checks ?? [];
        WarnOfNothing(
            runbook,
            verifies,
            "verifies the fix, and is unknown while there is nothing to measure: "
            + "a step that moves or stops the traffic is then taken for a failure.");
        WarnOfNothing(
            runbook,
            runbook.Mitigation.HoldUntil?.Checks.Except(verifies) ?? [],
            "ends the lease, and is unknown while there is nothing to measure: "
            + "where the mitigation moves or stops the traffic, the lease lasts until 'atMost'.");
    }

    /// <summary>A check that is cut off cannot say that nothing answered.</summary>
    private void CheckPatience(Runbook runbook)
    {
        foreach (var check in runbook.Diagnosis)
        {
            var waits = steps.FindCheck(check.Check) is { } known
                ? StepParameters.Of(known.ParametersType).FirstOrDefault(parameter => parameter.Name == "timeout")
                : null;
            var written = check.With.TryGetProperty("timeout", out var value) ? value.ToString() : waits?.Default;
            if (waits is not null && DurationText.TryParse(written ?? "", out var patience) && check.Timeout <= patience)
            {
                errors.Warn(
                    WarningCodes.AnswerCutOff,
                    $"diagnosis.{check.Name}.timeout",
                    $"is {DurationText.Format(check.Timeout)}, and {check.Check} waits {DurationText.Format(patience)} for an answer: "
                    + "what hangs is then unknown, and never failing.",
                    "Make it longer, leave it out, or make 'timeout' under 'with' shorter.");
            }
        }
    }

    /// <summary>A fix that helped at once must have the time to show it.</summary>
    private void CheckVerifyTime(Runbook runbook)
    {
        if (runbook.Mitigation.Verify is { } verify
            && steps.LongestLookBack(runbook.Diagnosis.Where(check => verify.Checks.Contains(check.Name))) is var (check, back)
            && back > verify.Within - verify.Every)
        {
            errors.Warn(
                WarningCodes.VerifyTooShort,
                "mitigation.verify.within",
                $"is {DurationText.Format(verify.Within)}, and until {DurationText.Format(back)} after the fix '{check.Name}' still "
                + "measures what was before it: a good fix may be taken for one that did not help, and be undone.",
                $"Make it longer than {DurationText.Format(back + verify.Every)}, or let the check look at a shorter time.");
        }
    }

    private void CheckQueries(Runbook runbook)
    {
        var all = runbook.Diagnosis
            .Select(check => ($"diagnosis.{check.Name}", check.With, steps.FindCheck(check.Check)?.ParametersType))
            .Concat(runbook.AllSteps().Select(one =>
                (SafetyRules.PathOf(one.Phase, one.Step), one.Step.With, steps.FindAction(one.Step.Do)?.ParametersType)));
        foreach (var (path, with, type) in all)
        {
            foreach (var parameter in type is null ? [] : StepParameters.Of(type))
            {
                var key = $"{path}.with.{parameter.Name}";
                if (parameter.Insert is not QueryTextAttribute { Comment: { } sign }
                    || !with.TryGetProperty(parameter.Name, out var value)
                    || value.ValueKind != JsonValueKind.String)
                {
                    continue;
                }

                var query = value.GetString()!;
                if (errors.CutOff(key, query, sign) is { } cut)
                {
                    errors.Warn(
                        WarningCodes.QueryCutOff,
                        cut,
                        key,
                        $"ends here: its lines are joined to one, and what follows '{sign}' is a comment to the end of it.",
                        "Write '|' in place of '>', so that lines stay lines, or put the comment above the key.");
                }
                else if (QueryScan.WhyBroken(query, sign) is var (problem, remedy))
                {
                    errors.Warn(WarningCodes.QueryBroken, key, problem, remedy);
                }
            }
        }
    }

    private void WarnOfNothing(Runbook runbook, IEnumerable<string> checks, string problem)
    {
        foreach (var name in checks)
        {
            if (runbook.FindCheck(name) is { } check && steps.FindCheck(check.Check)?.MayFindNothing(check.With) == true)
            {
                errors.Warn(
                    WarningCodes.VerifyUnknown, $"diagnosis.{name}.check", problem,
                    "Say what it means when nothing is found, with 'whenEmpty' ('unknown' too says that it is meant) where the check "
                    + "takes it, or name another check. An average, a percentile or a ratio of nothing stays unknown whatever "
                    + "'whenEmpty' says.");
            }
        }
    }

    /// <summary>The built-in check returns what the file says.</summary>
    private void CheckAlways(Runbook runbook)
    {
        var blind = runbook.Diagnosis.Where(check => check.Check == BuiltInSteps.Always).ToList();
        foreach (var check in blind.Where(check => runbook.Mitigation.Verify?.Checks.Contains(check.Name) == true))
        {
            errors.Warn(
                WarningCodes.AlwaysVerifies,
                $"diagnosis.{check.Name}.check",
                "is 'always', and verifies the fix: it finds the same before and after it.",
                "Name a check that looks under 'verify'; to trust the alert, leave 'diagnosis' out.");
        }

        var (when, passing) = (runbook.Mitigation.When, blind.Where(IsPassing).Select(check => check.Name).ToList());
        if (when.Checks.Count > 0
            && (when.Quantifier == Quantifier.All ? when.Checks.Any(passing.Contains) : when.Checks.All(passing.Contains)))
        {
            errors.Warn(
                WarningCodes.AlwaysVerifies,
                "mitigation.when",
                "is never true: an 'always' that passes is among what has to fail.",
                "Remove it from 'when'.");
        }
    }

    private static bool IsPassing(CheckSpec check) =>
        check.With.TryGetProperty("finding", out var finding)
        && Enum.TryParse<Verdict>(finding.ToString(), ignoreCase: true, out var verdict)
        && verdict == Verdict.Passing;
}
