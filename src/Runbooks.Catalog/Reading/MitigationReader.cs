using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

/// <summary>Reads when a mitigation is called for, how it is verified and how long it lasts.</summary>
internal sealed class MitigationReader(IReadOnlyList<string> checks)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public Mitigation Read(Section root, StepsReader steps)
    {
        var section = root.Sub("mitigation", required: true);
        if (section is null)
        {
            return new();
        }

        var when = When(section);
        var approval = ApprovalReader.Read(section, steps.Place);
        var specs = steps.Read(section);
        var mitigation = new Mitigation
        {
            When = when,
            Approval = approval,
            Steps = specs,
            Verify = Verify(section, when, specs.Count > 0),
            HoldUntil = Hold(section, when),
        };
        section.RejectOthers();
        return mitigation;
    }

    private Condition When(Section mitigation)
    {
        if (mitigation.Sub("when") is not { } section)
        {
            return Condition.AnyCheck;
        }

        var (any, all) = (section.Has("any"), section.Has("all"));
        var (anyOf, allOf) = (Names.OfChecks(section, "any", checks), Names.OfChecks(section, "all", checks));
        var condition = all ? new Condition(Quantifier.All, allOf) : new Condition(Quantifier.Any, anyOf);
        section.RejectOthers();
        if (any == all)
        {
            section.Errors.AtKey(section.Path, any ? "has both 'any' and 'all'." : "says neither 'any' nor 'all'.",
                "Write for example { any: [check-one, check-two] }, or remove 'when' to mean any check.");
        }

        return condition;
    }

    private Verify? Verify(Section mitigation, Condition when, bool acts)
    {
        var asked = when.Checks.Count > 0 ? when.Checks : checks;
        if (mitigation.Sub("verify") is not { } section)
        {
            return acts && checks.Count > 0 && !mitigation.Has("verify")
                ? new(asked, Runbooks.Model.Definition.Verify.DefaultEvery, Runbooks.Model.Definition.Verify.DefaultWithin)
                : null;
        }

        var written = Names.OfChecks(section, "checks", checks);
        var verify = new Verify(
            written.Count > 0 ? written : asked,
            section.Duration("every", Second, TimeSpan.FromHours(1)) ?? Runbooks.Model.Definition.Verify.DefaultEvery,
            section.Duration("within", Second, Day) ?? Runbooks.Model.Definition.Verify.DefaultWithin);
        section.RejectOthers();
        if (verify.Every > verify.Within)
        {
            section.Errors.AtValue(section.PathOf("every"), $"is {DurationText.Format(verify.Every)}, longer than 'within' ({DurationText.Format(verify.Within)}).", "Make it shorter.");
        }

        if (verify.Checks.Count == 0)
        {
            section.Errors.AtKey(section.Path, "has no checks to ask.", "Add checks to 'diagnosis', or remove 'verify'.");
        }

        return verify;
    }

    private Hold? Hold(Section mitigation, Condition when)
    {
        if (mitigation.Sub("holdUntil") is not { } section)
        {
            return null;
        }

        var written = Names.OfChecks(section, "checks", checks);
        var hold = new Hold(
            written.Count > 0 ? written : when.Checks.Count > 0 ? when.Checks : checks,
            section.Duration("stableFor", Second, Day, required: true) ?? Day,
            section.Duration("atMost", Second, TimeSpan.FromDays(30), required: true) ?? TimeSpan.FromDays(30),
            section.Duration("every", Second, TimeSpan.FromHours(1)) ?? Runbooks.Model.Definition.Hold.DefaultEvery);
        section.RejectOthers();
        if (hold.StableFor >= hold.AtMost)
        {
            section.Errors.AtValue(section.PathOf("stableFor"), $"is {DurationText.Format(hold.StableFor)}, not shorter than 'atMost' ({DurationText.Format(hold.AtMost)}).", "Make it shorter.");
        }

        if (hold.Checks.Count == 0)
        {
            section.Errors.AtKey(section.Path, "has no checks to ask.", "Add checks to 'diagnosis', or remove 'holdUntil'.");
        }

        if (!mitigation.Has("verify"))
        {
            // The checks that say the cause is gone keep failing while the lease lasts: they cannot verify it.
            section.Errors.AtKey(section.Path, "needs a 'verify' of its own.",
                "Add 'verify' with the checks that pass as soon as the mitigation works, although the cause is still there.");
        }

        return hold;
    }
}
