namespace Runbooks.Model.Incidents;

/// <summary>Whether a fix worked, as the record shows it.</summary>
public static partial class EndingText
{
    /// <summary>Whether the fix was verified, or a temporary one lasted until the cause was gone.</summary>
    public static bool IsFixed(Incident incident) => IsFixed(incident.State, Headline(incident));

    /// <param name="headline">Null if it equals the text of the state.</param>
    public static bool IsFixed(IncidentState state, string? headline) =>
        state == IncidentState.Resolved && (headline is null or TakenBack or HandedOn or LeftInPlace || headline == IncidentText.Of(state));

    /// <summary>More than telling or writing something down.</summary>
    public static bool ChangedAnything(Incident incident) => incident.Steps.Any(step => step.IsChange);

    /// <summary>Whether the checks passed after the mitigation, before anything was undone.</summary>
    private static bool IsVerified(Incident incident) =>
        incident.VerificationRounds.LastOrDefault(round => round.State == IncidentState.Verifying) is { Verdicts.Count: > 0 } last
        && last.Verdicts.Values.All(verdict => verdict == Verdict.Passing);

    /// <summary>Whether a check passed that had not passed before the mitigation. A check that passed all along shows nothing.</summary>
    public static bool IsVerifiedFix(Incident incident) =>
        IsVerified(incident) && HasChanged(incident) && !PassedBefore(incident, LastVerifying(incident));

    /// <summary>Whether its fix was verified, the checks passed when asked last, and nothing of it was taken back.</summary>
    public static bool IsFixInPlace(Incident incident) => IsVerifiedFix(incident) && Held(incident);

    /// <summary>Whether every check of the round had passed when last asked before the first step.</summary>
    internal static bool PassedBefore(Incident incident, VerificationRound after)
    {
        var began = incident.Steps.Where(step => step.IsChange && step.Phase == Phase.Mitigation).Min(step => step.StartedAt);
        var asked = incident.VerificationRounds.Where(round => round.State == IncidentState.AwaitingApproval && round.At <= began).Reverse().Select(round => round.Verdicts)
            .Append(incident.Findings.ToDictionary(finding => finding.Name, finding => finding.Verdict)).ToList();
        return after.Verdicts.Keys.All(name => asked.FirstOrDefault(verdicts => verdicts.ContainsKey(name)) is { } verdicts && verdicts[name] == Verdict.Passing);
    }

    private static VerificationRound LastVerifying(Incident incident) =>
        incident.VerificationRounds.Last(round => round.State == IncidentState.Verifying);

    /// <summary>Whether a fix can be credited to it. A change that was already in place when a step began, or while it waited, cannot.</summary>
    internal static bool HasChanged(Incident incident) =>
        incident.Steps.Any(step => step is { IsChange: true, Phase: Phase.Mitigation, WasSo: false });

    /// <summary>Whether a useless fix counts as its own, also if another incident made the same change while this one waited.</summary>
    internal static bool HasMitigated(Incident incident) =>
        incident.Steps.Any(step => step is { IsChange: true, NothingDone: false, Phase: Phase.Mitigation, Preparation.IsSo: false });

    /// <summary>Whether its fix did not help. A crashed host, or a step that was kept from acting, says nothing about the fix.</summary>
    internal static bool WasInVain(Incident incident) =>
        !incident.IsInconclusive && FailedUnverified(incident) && !incident.Steps.Any(step => step.CutOff || step.NothingDone);

    /// <summary>Whether it acted and failed for any reason, and nothing shows that it helped.</summary>
    internal static bool FailedUnverified(Incident incident) =>
        incident.State == IncidentState.Failed && HasMitigated(incident) && !IsVerifiedFix(incident) && !Held(incident);

    /// <summary>Whether its checks passed when last asked, and nothing was undone.</summary>
    internal static bool Held(Incident incident) =>
        incident.Verification.Count > 0 && incident.Verification.All(finding => finding.Verdict == Verdict.Passing) && !incident.Steps.Any(step => step.UndoneFrom is not null);

    private static bool FoundItSo(Incident incident) =>
        !HasChanged(incident) && incident.Steps.Any(step => step is { IsChange: true, Phase: Phase.Mitigation });
}
