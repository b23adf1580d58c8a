using CsCheck;
using Runbooks.Model.Definition;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration.Model;

/// <summary>One thing that happens to an incident, after a while.</summary>
public sealed record Happening(Kind Kind, TimeSpan After, int Which);

public enum Kind
{
    Approve, Reject, TakeOver, StaleApproval, ResolveAlert, AlertAgain, Stop, BareEvent, EngineCrash,
    CheckPasses, CheckFails, CheckUnknown, OtherTarget, KillSwitchOn, KillSwitchOff,
}

/// <param name="Steps">Names of actions: unrepeatable ones are called <c>once…</c>.</param>
/// <param name="Seed">Of the faults: what runs twice, what breaks off, who is not reached.</param>
/// <param name="Faults">How many of a hundred calls go wrong.</param>
public sealed record Case(
    bool SelfHealing, int Required, OnTimeout OnTimeout, RunMode Mode, string[] Steps, string[] Resolution, bool ResolutionAsks, bool Lease, bool EarlierNo, Happening[] Happenings, int Seed, int Faults)
{
    private static readonly Gen<Happening> s_happening =
        from kind in Gen.Frequency((6, Gen.Const(Kind.Approve)), (1, Gen.Const(Kind.TakeOver)), (6, Gen.Int[0, 14].Select(k => (Kind)k)))
        from after in Gen.OneOf(Gen.Const(0), Gen.Int[1, 90], Gen.Int[60, 1300])
        from which in Gen.Int[0, 3]
        select new Happening(kind, TimeSpan.FromSeconds(after), which);

    private static readonly Gen<string[]> s_steps = Of(["act1"], ["once1"], ["act1", "act2"], ["act1", "once1"], ["once1", "act1"], ["act1", "once1", "act2"]);

    public static readonly Gen<Case> Any =
        from shape in Gen.Select(Gen.Bool, Gen.Int[1, 2], Gen.Enum<OnTimeout>(), Gen.Frequency((6, Gen.Const(RunMode.Normal)), (1, Gen.Const(RunMode.ApproveAll)), (1, Gen.Const(RunMode.DryRun))))
        from steps in s_steps
        from resolution in Of([], ["act9"], ["once9"])
        from asks in Gen.Bool
        from lease in Gen.Frequency((3, Gen.Const(false)), (1, Gen.Const(true)))
        from no in Gen.Frequency((5, Gen.Const(false)), (1, Gen.Const(true)))
        from happenings in s_happening.Array[0, 10]
        from seed in Gen.Int[0, int.MaxValue - 1]
        from faults in Gen.OneOf(Gen.Const(0), Gen.Const(3), Gen.Const(12))
        select new Case(shape.Item1, shape.Item2, shape.Item3, shape.Item4, steps, resolution, asks, lease, no, happenings, seed, faults);

    public Runbook Runbook()
    {
        var approval = Given.Approval() with { Required = Required, OnTimeout = OnTimeout };
        var runbook = Given.Runbook();
        return runbook with
        {
            Mode = Mode,
            Mitigation = runbook.Mitigation with
            {
                Approval = SelfHealing ? null : approval,
                Steps = [.. Steps.Select(StepOf)],
                HoldUntil = Lease ? new(["full"], TimeSpan.FromMinutes(2), TimeSpan.FromHours(1), TimeSpan.FromMinutes(3)) : null,
            },
            Resolution = new() { Approval = ResolutionAsks && Resolution.Length > 0 ? approval : null, Steps = [.. Resolution.Select(StepOf)] },
            Limits = new() { MaxRuns = 3 },
        };
    }

    public override string ToString() =>
        $"{(SelfHealing ? "heals" : $"asks {Required}")} {OnTimeout} {Mode} [{string.Join(' ', Steps)}] then [{string.Join(' ', Resolution)}]{(ResolutionAsks ? " asks" : "")}{(Lease ? " lease" : "")}{(EarlierNo ? " after a no" : "")} "
        + $"seed {Seed} faults {Faults}: {string.Join(", ", Happenings.Select(h => $"{h.After.TotalSeconds}s {h.Kind}/{h.Which}"))}";

    private static Gen<string[]> Of(params string[][] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    private static StepSpec StepOf(string name) => Given.Step(name, name.StartsWith("once", StringComparison.Ordinal) ? "script.once" : "script.act");
}
