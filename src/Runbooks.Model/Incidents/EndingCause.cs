namespace Runbooks.Model.Incidents;

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
