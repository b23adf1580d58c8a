namespace Runbooks.Model.Incidents;

/// <summary>
/// The texts of an ending, made from the record alone, so that no page or message can claim a fix, an undo or a check that the record does
/// not show. <see cref="Incident.End"/> keeps it as the incident's reason.
/// </summary>
public static partial class EndingText
{
    public const string TakenBack = "Recovered, fix taken back";

    internal const string TakingBack = "Taking back";

    /// <summary>A runbook that only tells.</summary>
    public const string Told = "Told, nothing changed";

    public const string NotSaidOver = "The sender has not said that the alert is over.";

    /// <summary>A maintenance window or a limit kept it from acting.</summary>
    internal const string Suppressed = "Held back, nothing changed";
    private const string HandedOn = "Recovered, fix handed on";
    private const string LeftInPlace = "Recovered, fix left in place";

    /// <summary>A word or two, for badges, lists and titles.</summary>
    public static string Headline(Incident incident) => incident switch
    {
        { State: IncidentState.AwaitingApproval, OpenGate.Task: { } work } =>
            $"Waiting for a person to {(work.Undoes ? "take it back" : "do it")}",
        { UndoBeganAt: not null, OpenGate: null } when !incident.State.IsFinal() && incident.Steps.Any(step => step.IsToBeTakenBack) =>
            TakingBack,
        { State: IncidentState.AwaitingApproval, OpenGate: null, LatestGate: { } answered } => GateText.Brief(answered),
        { State: IncidentState.Resolved, Mode: RunMode.DryRun } => "Rehearsed",
        { State: IncidentState.Resolved } when !ChangedAnything(incident) => Told,
        { State: IncidentState.Resolved, UndoBeganAt: not null } => HeadlineOfTemporary(incident),
        { State: IncidentState.Resolved } when incident.Steps.All(step => !step.IsChange || step.WasSo) => "Done, nothing changed",
        { State: IncidentState.Resolved } when !IsVerifiedFix(incident) => "Done, not verified",
        { State: IncidentState.Expired, LatestGate: { Outcome: GateOutcome.Expired } gate } => GateText.Brief(gate),
        { State: IncidentState.Failed } when Has(incident, StepStatus.Unknown) => "Failed, outcome unknown",
        { State: IncidentState.Failed } when Has(incident, StepStatus.UndoFailed) => "Failed, not undone",
        { State: IncidentState.Failed } when Has(incident, StepStatus.LeftAlone) => "Failed, not taken back",
        _ when incident.WasSuppressed() => Suppressed,
        _ => IncidentText.Of(incident.State),
    };

    private static string HeadlineOfTemporary(Incident incident)
    {
        if (Has(incident, StepStatus.HandedOn))
        {
            return HandedOn;
        }

        if (Has(incident, StepStatus.Undone))
        {
            return TakenBack;
        }

        var changes = incident.Steps.Where(step => step.IsChange).ToList();
        return changes.All(WasAsBefore) ? "Recovered, nothing changed"
            : changes.Where(step => step.Phase == Phase.Mitigation).All(WasAsBefore) ? "Recovered, nothing to take back"
            : LeftInPlace;

        static bool WasAsBefore(StepRecord step) => step.Status == StepStatus.AsBefore;
    }

    private static bool Has(Incident incident, StepStatus status) => incident.Steps.Any(step => step.Status == status);

    public static string WithHeadline(Incident incident)
    {
        var headline = Headline(incident);
        return incident.Reason is not { } reason ? headline : reason.StartsWith(headline, StringComparison.Ordinal) ? reason : $"{headline}. {reason}";
    }

    /// <summary>What happened, in a few sentences.</summary>
    /// <param name="incident">In its final state.</param>
    /// <param name="cause">Such as a decision or a failure, where the record does not say.</param>
    /// <param name="inResolution">After the mitigation.</param>
    public static string Of(Incident incident, string cause, bool inResolution) => incident.State switch
    {
        IncidentState.Resolved => Join(Resolved(incident), OnPurpose(incident)),
        _ when SawNothing(incident) => NotNeeded(incident),
        IncidentState.NotNeeded or IncidentState.SelfRecovered => cause,
        _ when inResolution =>
            Join([$"{Mitigation(incident)}, but the resolution {ResolutionWord(incident)}: {Sentence(cause)}", .. WhatBecame(incident)]),
        _ => Join([Sentence(cause), .. WhatBecame(incident)]),
    };

    private static IEnumerable<string> Verified(Incident incident) =>
        LastVerifying(incident).Verdicts.Keys.Order(StringComparer.Ordinal);

    private static string Resolved(Incident incident)
    {
        if (incident.Mode == RunMode.DryRun)
        {
            return $"Dry run: {CountText.Format(incident.Steps.Count, "step")} rehearsed. Nothing was touched, so nothing was fixed.";
        }

        if (!ChangedAnything(incident))
        {
            var told = incident.Steps.Count == 0
                ? "This runbook has no steps: nothing was done."
                : "This runbook only tells: nothing outside was changed.";
            return IsVerified(incident) ? $"{told} {Passed(incident)} afterwards." : told;
        }

        if (incident.UndoBeganAt is not null)
        {
            var back = Names(incident, StepStatus.Undone);
            var gone = back.Length > 0 ? $"The cause is gone, so the temporary fix was taken back: {back}."
                : incident.Steps.Any(step => step.Status is StepStatus.HandedOn or StepStatus.AsBefore) ? "The cause is gone."
                : "The cause is gone, so the temporary fix is needed no longer.";
            return Join([gone, NotPassing(incident) ?? ""]);
        }

        return IsVerifiedFix(incident) ? $"The fix was verified: {Passed(incident)} after it{(Caveats(incident) is { Length: > 0 } but ? $"; {but}" : "")}."
            : IsVerified(incident) && HasChanged(incident) ? $"The steps ran. {Passed(incident)} after them, as before them, so nothing shows whether they helped."
            : FoundItSo(incident) ? $"Things were already as the mitigation makes them, so it changed nothing.{(IsVerified(incident) ? $" {Passed(incident)} afterwards." : "")}"
            : "The steps ran. Nothing was checked after them.";
    }

    /// <summary>Checks that did not pass, although the cause of a temporary fix is gone. Null if all passed.</summary>
    public static string? NotPassing(Incident incident) =>
        incident is { State: IncidentState.Resolved, UndoBeganAt: not null }
        && incident.Verification.Where(finding => finding.Verdict != Verdict.Passing).ToList() is { Count: > 0 } left
            ? $"Not passing when asked last, before the fix was taken back: {Incident.Summarize(left)}."
            : null;

    private static string Passed(Incident incident) =>
        $"{string.Join(", ", Verified(incident))} "
        + $"passed{(LastVerifying(incident).Rounds is > 1 and var times ? $" {times} times in a row" : "")}";

    /// <summary>Empty for none.</summary>
    private static string Caveats(Incident incident) => string.Join(", ", incident.Verification
        .Where(finding => finding is { Verdict: Verdict.Passing, Result.Caveat: not null })
        .OrderBy(finding => finding.Name, StringComparer.Ordinal)
        .Select(finding => $"{finding.Name} {finding.Result.Caveat}"));

    private static string NotNeeded(Incident incident) =>
        Join([Found(incident.Findings), Looks(incident), incident.FiresUnexplained ? NotSaidOver : ""]);

    /// <summary>Whether it ended because the checks called for nothing, and not because nothing was to act.</summary>
    public static bool SawNothing(Incident incident) => incident is { State: IncidentState.NotNeeded, Gates.Count: 0, Findings.Count: > 0 };

    private static string Found(IReadOnlyList<Finding> findings)
    {
        var passing = findings.Count(finding => finding.Verdict == Verdict.Passing);
        if (passing == findings.Count)
        {
            return passing == 1 ? "The check passed; nothing was done." : "Every check passed; nothing was done.";
        }

        var failing = findings.Count(finding => finding.Verdict == Verdict.Failing);
        var unanswered = findings.Count - failing - passing;
        var others = Lines.Of(
            failing == 0 ? null : $"{failing} failed",
            unanswered == 0 ? null : $"{unanswered} could not be answered");
        return $"{passing} of {findings.Count} checks passed, {string.Join(", ", others)}. "
            + "That does not call for the mitigation; nothing was done.";
    }

    /// <summary>Empty if the first answer was believed.</summary>
    private static string Looks(Incident incident)
    {
        var rounds = incident.VerificationRounds.Where(round => round.State == IncidentState.Diagnosing).ToList();
        if (rounds.Count == 0)
        {
            return "";
        }

        var times = rounds.Sum(round => round.Rounds + round.LeftOut);
        var seconds = Math.Ceiling((incident.Findings.Max(finding => finding.At) - rounds[0].At).TotalSeconds);
        return $"They were asked {times} times within {DurationText.Format(TimeSpan.FromSeconds(seconds))} and never called for the mitigation.";
    }

    private static string Mitigation(Incident incident) => incident switch
    {
        { Mode: RunMode.DryRun } => "The mitigation was rehearsed",
        { UndoBeganAt: not null, Stop: not { UndoesFix: true } }
            when !incident.Steps.Any(step => step.Status is StepStatus.UndoFailed or StepStatus.LeftAlone) =>
            $"The cause is gone{(WasTakenBack(incident) ? " and the temporary fix was taken back" : "")}",
        _ when IsVerifiedFix(incident) => $"The fix was verified{(Caveats(incident) is { Length: > 0 } but ? $" ({but})" : "")}",
        _ when !HasChanged(incident) => "The mitigation changed nothing",
        _ => "The mitigation ran",
    };

    private static bool WasTakenBack(Incident incident) => Has(incident, StepStatus.Undone) && !Has(incident, StepStatus.HandedOn);

    private static string ResolutionWord(Incident incident) => incident switch
    {
        _ when incident.Steps.Any(step => step.Phase == Phase.Resolution) => "did not finish",
        { Mode: RunMode.DryRun } => "was not",
        _ => "did not run",
    };

    private static IEnumerable<string> WhatBecame(Incident incident)
    {
        if (!incident.Steps.Any(step => step.IsChange))
        {
            return incident switch
            {
                { Steps.Count: 0 } => ["Nothing was done."],
                { Mode: RunMode.DryRun } => ["It was a dry run: nothing was touched."],
                _ => ["Nothing outside was changed."],
            };
        }

        // A failed attempt may have done half of it, unless it is known to have done nothing.
        var undoing = incident.UndoBeganAt is not null;
        var ran = incident.Steps.Where(step => step.IsChange && step.Status == StepStatus.Done).ToLookup(step => step.WasSo);
        var done = ran[false].ToLookup(step => undoing && step.Phase == Phase.Mitigation);
        var failed = incident.Steps.Where(step => step.IsChange && step.Status == StepStatus.Failed).ToLookup(step => step.NothingDone);
        return
        [
            .. Lines.Of(Line("Undone", incident.Steps.Where(step => step.Status == StepStatus.Undone))),
            .. OnPurpose(incident),
            .. incident.Steps
                .Where(step => step.Status == StepStatus.UndoFailed)
                .Select(step => $"Not known to be undone: {step.Name} ({step.Outcome})."),
            .. incident.Steps.Where(step => step.Status == StepStatus.LeftAlone)
                .Select(step => $"NOT undone, and left alone: {step.Name} ({step.Outcome?.TrimEnd('.')})."),
            .. incident.Steps
                .Where(step => step.Status == StepStatus.Unknown)
                .Select(step => $"Nobody knows whether {step.Name} happened."),
            .. Lines.Of(
                Line("Cannot be undone and stays", done[true]),
                Line("Stays in place", done[false]),
                Line("Was so already", ran[true]),
                Line("Did nothing", failed[true]),
                Line("May be half done", failed[false])),
        ];
    }

    private static string? Line(string whatBecame, IEnumerable<StepRecord> steps) =>
        Names(steps) is { Length: > 0 } names ? $"{whatBecame}: {names}." : null;

    private static IEnumerable<string> OnPurpose(Incident incident) =>
        incident.Steps
            .Where(step => step.Status is StepStatus.Kept or StepStatus.HandedOn or StepStatus.AsBefore)
            .Select(step => Sentence(step.Outcome ?? $"{step.Name} was left as it is."));

    internal static string Names(Incident incident, StepStatus status) => Names(incident.Steps.Where(step => step.Status == status));

    internal static string Names(IEnumerable<StepRecord> steps) => string.Join(", ", steps.Select(step => step.Name));

    /// <summary>Adds a full stop unless the text has its own end.</summary>
    public static string Sentence(string text) =>
        text.TrimEnd() is { Length: > 0 } said && said[^1] is not ('.' or '!' or '?' or ')' or '…') ? $"{said}." : text.TrimEnd();

    private static string Join(string first, IEnumerable<string> more) => Join([first, .. more]);

    private static string Join(IEnumerable<string> sentences) => string.Join(" ", sentences.Where(sentence => sentence.Length > 0));
}

/// <summary>The causes of an end that the record does not show.</summary>
public static class EndingCause
{
    public const string Terminated = "The automation was terminated from outside.";
    public const string EndedWithoutClosing = "The automation ended without closing the incident.";
    public const string Stopped = "It was stopped.";

    public static string Broke(string what) => $"The automation broke: {what}";

    public static string PlanKeptChanging(int times, string? last) => $"The plan changed {times} times before it could run; last: {last}";

    public static string StepHeldTooLong(string step, string why) => $"Step '{step}' had to wait too long: {why}";

    public static string StepUnknown(string step, string why) => $"Whether step '{step}' happened is not known: {why}";

    public static string StepFailed(string step, string why) => $"Step '{step}': {why}";

    public static string DidNotHelp(TimeSpan within, bool isUnclear, string summary) =>
        $"{(isUnclear ? "Whether the fix helped could not be found out" : "The fix did not help")} within "
        + $"{DurationText.Format(within)}: {summary}";

    public static string NoNewerValue(TimeSpan longest) =>
        $"Whether the fix helped could not be found out: the checks passed, and for longer than {DurationText.Format(longest)} no newer "
        + "value came.";

    public static string NotTakenBack(bool isLeftAlone) => isLeftAlone
        ? "The cause is gone, but the temporary fix was not taken back: it was left alone, and the step says why."
        : "The cause is gone, but the temporary fix could not be taken back.";
}
