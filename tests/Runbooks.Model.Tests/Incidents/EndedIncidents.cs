using System.Text.Json;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>Incidents with one mitigating step, as they may end.</summary>
public static class EndedIncidents
{
    public enum Kind { Changes, TellsOnly }

    /// <summary>What became of the one mitigating step.</summary>
    public enum Fate { NotReached, Done, DryRun, Failed, Unknown, Undone, UndoFailed, Kept, LeftAlone, HandedOn, AsBefore, DoneWhileOthersWereUndone }

    /// <summary>What the checks answer after the step; they did not pass before it unless that is said.</summary>
    public enum Checks { None, AllPass, PassAsBefore, OneUnknown, OneFails }

    public static Incident Make(IncidentState state, Fate fate, Checks checks, Kind kind)
    {
        var verdicts = checks switch
        {
            Checks.OneUnknown => new Dictionary<string, Verdict> { ["stuck"] = Verdict.Passing, ["full"] = Verdict.Unknown },
            Checks.OneFails => new() { ["stuck"] = Verdict.Passing, ["full"] = Verdict.Failing },
            _ => new() { ["stuck"] = Verdict.Passing, ["full"] = Verdict.Passing },
        };
        var before = checks == Checks.AllPass && fate != Fate.NotReached ? new() { ["stuck"] = Verdict.Failing, ["full"] = Verdict.Passing } : verdicts;
        var status = fate switch
        {
            Fate.DryRun => StepStatus.DryRun,
            Fate.Failed => StepStatus.Failed,
            Fate.Unknown => StepStatus.Unknown,
            Fate.Undone => StepStatus.Undone,
            Fate.UndoFailed => StepStatus.UndoFailed,
            Fate.Kept => StepStatus.Kept,
            Fate.LeftAlone => StepStatus.LeftAlone,
            Fate.HandedOn => StepStatus.HandedOn,
            Fate.AsBefore => StepStatus.AsBefore,
            _ => StepStatus.Done,
        };
        return Some.Incident() with
        {
            State = state,
            Mode = fate == Fate.DryRun ? RunMode.DryRun : RunMode.Normal,
            UndoBeganAt = fate is Fate.Undone or Fate.UndoFailed or Fate.Kept or Fate.LeftAlone or Fate.HandedOn or Fate.AsBefore or Fate.DoneWhileOthersWereUndone ? Some.Time : null,
            Findings = checks == Checks.None ? [] : [.. before.Select(pair => Some.Finding(pair.Key, pair.Value))],
            VerificationRounds = checks == Checks.None ? [] : [new(IncidentState.Verifying, Some.Time, verdicts, 1)],
            Steps = fate == Fate.NotReached ? [] :
            [
                new()
                {
                    Phase = Phase.Mitigation,
                    Name = "fix",
                    Action = "script.act",
                    GateId = "mitigation-1",
                    Status = status,
                    Preparation = new() { PlannedEffect = "Fix it.", UndoState = JsonSerializer.SerializeToElement(1), TellsOnly = kind == Kind.TellsOnly, UndoneByHand = fate == Fate.Kept },
                    StartedAt = Some.Time,
                    FinishedAt = Some.Time,
                    Outcome = fate switch { Fate.Kept => "Left it suspended; reactivate it by hand.", Fate.UndoFailed => "the region is down", Fate.LeftAlone => "It is at 9 pods.", Fate.HandedOn => "The flag stays as it is: incident b changed it after this one.", Fate.AsBefore => "The flag was left as it is: this step had not changed it.", _ => "Did it." },
                },
            ],
        };
    }
}
