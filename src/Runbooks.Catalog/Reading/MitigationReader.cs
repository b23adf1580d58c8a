namespace Runbooks.Catalog.Reading;

internal sealed class MitigationReader(StepCatalog catalog, IReadOnlyList<CheckSpec> diagnosis, IReadOnlyList<string> checks, string owner)
{
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    public Mitigation Read(YamlSection root, StepsReader steps)
    {
        // A runbook that only tells needs no mitigation, only a resolution.
        if (root.Sub("mitigation", required: root.Has("mitigation") || !root.Has("resolution")) is not { } section)
        {
            return new();
        }

        var when = When(section);
        var approval = ApprovalReader.Read(section, steps.Place, owner);
        var specs = steps.Read(section);
        var mitigation = new Mitigation
        {
            When = when,
            Needs = Needs(section, when),
            Approval = approval,
            Steps = specs,
            Verify = Verify(section, when, catalog.ChangeSomething(specs)),
            HoldUntil = Hold(section, when),
        };
        section.RejectOthers();
        return mitigation;
    }

    private Condition When(YamlSection mitigation)
    {
        if (mitigation.Sub("when") is not { } section)
        {
            return Condition.AnyCheck;
        }

        var (any, all) = (section.Has("any"), section.Has("all"));
        var (anyOf, allOf) = (NameRules.OfChecks(section, "any", checks), NameRules.OfChecks(section, "all", checks));
        var condition = all ? new Condition(Quantifier.All, allOf) : new Condition(Quantifier.Any, anyOf);
        section.RejectOthers();
        if (any == all)
        {
            section.Errors.AtKey(section.Path, any ? "has both 'any' and 'all'." : "says neither 'any' nor 'all'.",
                "Write for example { any: [check-one, check-two] }, or remove 'when' to mean any check.");
        }

        return condition;
    }

    private IReadOnlyList<string> Needs(YamlSection mitigation, Condition when)
    {
        var needs = NameRules.OfChecks(mitigation, "needs", checks);
        if (needs.FirstOrDefault(name => checks.Contains(name) && when.Asks(name)) is { } both)
        {
            mitigation.Errors.AtValue(mitigation.PathOf("needs"), $"names '{both}', which calls for the mitigation when it fails: that would never be what it relies on.",
                "Name a check that passes while the mitigation can help, and name in 'when' those that call for it, without this one.");
        }

        return needs;
    }

    private Verify? Verify(YamlSection mitigation, Condition when, bool changes)
    {
        var asked = when.Checks.Count > 0 ? when.Checks : checks;
        if (mitigation.Sub("verify") is not { } section)
        {
            return changes && checks.Count > 0 && !mitigation.Has("verify")
                ? new(
                    asked,
                    Runbooks.Model.Definition.Verify.DefaultEvery,
                    UsualWithin(asked),
                    Runbooks.Model.Definition.Verify.DefaultSuccessThreshold)
                : null;
        }

        var written = NameRules.OfChecks(section, "checks", checks);
        IReadOnlyList<string> named = written.Count > 0 ? written : asked;
        var verify = new Verify(
            named,
            section.Duration("every", s_second, TimeSpan.FromHours(1)) ?? Runbooks.Model.Definition.Verify.DefaultEvery,
            section.Duration("within", s_second, s_day) ?? UsualWithin(named),
            section.Count("successThreshold", Runbooks.Model.Definition.Verify.LargestSuccessThreshold) ?? Runbooks.Model.Definition.Verify.DefaultSuccessThreshold);
        section.RejectOthers();
        if (verify.Every > verify.Within)
        {
            section.Errors.AtValue(
                section.PathOf("every"),
                $"is {DurationText.Format(verify.Every)}, longer than 'within' ({DurationText.Format(verify.Within)}).",
                "Make it shorter.");
        }

        if (verify.Checks.Count == 0)
        {
            section.Errors.AtKey(section.Path, "has no checks to ask.", "Add checks to 'diagnosis', or remove 'verify'.");
        }

        return verify;
    }

    /// <summary>The checks have to look at a time entirely after the fix.</summary>
    private TimeSpan UsualWithin(IReadOnlyList<string> asked)
    {
        var back = catalog.LongestLookBack(diagnosis.Where(check => asked.Contains(check.Name)))?.Back ?? TimeSpan.Zero;
        return new[] { Runbooks.Model.Definition.Verify.DefaultWithin + back, s_day }.Min();
    }

    private Hold? Hold(YamlSection mitigation, Condition when)
    {
        if (mitigation.Sub("holdUntil") is not { } section)
        {
            return null;
        }

        var written = NameRules.OfChecks(section, "checks", checks);
        var before = section.Errors.Count;
        var hold = new Hold(
            written.Count > 0 ? written : when.Checks.Count > 0 ? when.Checks : checks,
            section.Duration("stableFor", s_second, s_day, required: true) ?? s_day,
            section.Duration("atMost", s_second, TimeSpan.FromDays(30), required: true) ?? TimeSpan.FromDays(30),
            section.Duration("every", s_second, TimeSpan.FromHours(1)) ?? Runbooks.Model.Definition.Hold.DefaultEvery);
        section.RejectOthers();
        if (hold.StableFor >= hold.AtMost && section.Errors.Count == before)
        {
            section.Errors.AtValue(
                section.PathOf("stableFor"),
                $"is {DurationText.Format(hold.StableFor)}, not shorter than 'atMost' ({DurationText.Format(hold.AtMost)}).",
                "Make it shorter.");
        }

        if (section.Has("every") && hold.Every > hold.AtMost)
        {
            section.Errors.AtValue(
                section.PathOf("every"),
                $"is {DurationText.Format(hold.Every)}, longer than 'atMost' ({DurationText.Format(hold.AtMost)}).",
                "Make it shorter.");
        }

        if (hold.Checks.Count == 0)
        {
            section.Errors.AtKey(section.Path, "has no checks to ask.", "Add checks to 'diagnosis', or remove 'holdUntil'.");
        }

        if (!mitigation.Has("verify"))
        {
            // The checks for the cause keep failing while the temporary fix is in place, so they cannot verify it.
            section.Errors.AtKey(section.Path, "needs a 'verify' of its own.",
                "Add 'verify' with the checks that pass as soon as the mitigation works, although the cause is still there.");
        }

        return hold;
    }
}

internal static class ApprovalReader
{
    public const string ContactName = "Write the contact's name.";

    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_most = TimeSpan.FromDays(30);

    public static Approval? Read(YamlSection? phase, TemplatePlace place, string owner)
    {
        if (phase?.Sub("approval") is not { } section)
        {
            return null;
        }

        var ask = section.Text("ask", required: true, longest: 500);
        place.Check(section.PathOf("ask"), ask, section.Errors);
        var approval = new Approval
        {
            Ask = ask,
            From = section.PlainWords("from", ContactName, required: true),
            Required = section.Count("required", 10) ?? 1,
            SeparationOfDuties = section.Flag("separationOfDuties"),
            OwnerRequired = section.Flag("ownerRequired"),
            RemindAfter = section.Duration("remindAfter", s_least, s_most),
            Escalate = [.. section.Items("escalate").Select(ReadEscalation)],
            Timeout = section.Duration("timeout", s_least, s_most) ?? new Approval { Ask = ask }.Timeout,
            OnTimeout = section.Choice("onTimeout", OnTimeout.Abort),
        };
        section.RejectOthers();
        CheckTimes(section, approval);
        CheckOwner(section, approval, owner);
        return approval;
    }

    private static void CheckOwner(YamlSection section, Approval approval, string owner)
    {
        if (approval.OwnerRequired && owner.Length == 0)
        {
            section.Errors.AtValue(
                section.PathOf("ownerRequired"),
                "is set, and the runbook has no 'owner'.",
                "Add 'owner:' with the contact of the team that keeps it.");
        }

        if (approval.OnTimeout == OnTimeout.ProceedIfReversible && WhoMatters(approval) is var (who, key))
        {
            section.Errors.AtValue(
                section.PathOf("onTimeout"), $"takes silence for a yes, but {who}.", $"Use abort or escalate, or remove '{key}'.");
        }
    }

    /// <summary>Null if any one person is enough.</summary>
    private static (string Who, string Key)? WhoMatters(Approval approval) =>
        approval.OwnerRequired ? ("somebody of the owner has to say it", "ownerRequired")
        : approval.Required > 1 ? ($"{approval.Required} people have to say it", "required")
        : approval.SeparationOfDuties ? ("whoever started it may not be the only one to say it", "separationOfDuties")
        : null;

    private static Escalation ReadEscalation(YamlSection section)
    {
        var escalation = new Escalation(
            section.Duration("after", s_least, s_most, required: true) ?? TimeSpan.Zero,
            section.PlainWords("to", ContactName, required: true));
        section.RejectOthers();
        return escalation;
    }

    private static void CheckTimes(YamlSection section, Approval approval)
    {
        var timeout = DurationText.Format(approval.Timeout);
        if (approval.RemindAfter >= approval.Timeout)
        {
            section.Errors.AtValue(
                section.PathOf("remindAfter"),
                $"is {DurationText.Format(approval.RemindAfter.Value)}, but the gate closes after {timeout}.",
                "Make it shorter than 'timeout'.");
        }

        for (var index = 0; index < approval.Escalate.Count; index++)
        {
            if (approval.Escalate[index].After >= approval.Timeout)
            {
                section.Errors.AtValue(
                    section.PathOf($"escalate[{index}].after"),
                    $"is {DurationText.Format(approval.Escalate[index].After)}, but the gate closes after {timeout}.",
                    "Make it shorter than 'timeout', or 'timeout' longer.");
            }
        }
    }
}
