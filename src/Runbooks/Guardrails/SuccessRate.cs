namespace Runbooks.Guardrails;

/// <summary>How well a runbook's fixes worked on targets of one kind.</summary>
/// <param name="Class">The target up to its last slash: <c>inference/llm-b-0</c> is of the class <c>inference/*</c>.</param>
/// <param name="Unverified">Runs without evidence of whether they helped; not among <paramref name="Runs"/>.</param>
/// <param name="FailedLast">Latest runs in a row that did not help; those that recurred are not among them.</param>
public sealed record SuccessRate(
    string Class, int Runs, int Verified, int Ineffective, int Recurred, int Unverified, TimeSpan? Median, int FailedLast)
{
    /// <summary>Temporary fixes whose cause came back soon after. They also count by whether they helped.</summary>
    public int CauseBack { get; init; }

    public static string ClassOf(string target) => target.LastIndexOf('/') is > 0 and var slash ? $"{target[..slash]}/*" : "*";

    public static SuccessRate Of(IReadOnlyList<RecordedRun> all, string targetClass)
    {
        List<RecordedRun> ofClass = [.. all.Where(run => ClassOf(run.Key) == targetClass)];

        // A run without evidence of whether it helped says nothing about the fix.
        var runs = ofClass.Where(run => run.Outcome != RunOutcome.Unverified).ToList();
        var took = runs.Where(run => run.Outcome == RunOutcome.Verified).Select(run => run.Took).Order().ToList();
        return new(
            targetClass,
            runs.Count,
            runs.Count(run => run.Outcome == RunOutcome.Verified),
            runs.Count(run => run.Outcome == RunOutcome.Ineffective),
            runs.Count(run => run.Outcome == RunOutcome.Recurred),
            ofClass.Count - runs.Count,
            took.Count == 0 ? null : took[took.Count / 2],
            runs.AsEnumerable().Reverse().TakeWhile(run => run.Outcome == RunOutcome.Ineffective).Count())
        {
            CauseBack = ofClass.Count(run => run.CauseBack),
        };
    }

    public static IReadOnlyList<SuccessRate> OfEach(IReadOnlyList<RecordedRun> all) =>
        [.. all.Select(run => ClassOf(run.Key)).Distinct().Order(StringComparer.Ordinal).Select(targetClass => Of(all, targetClass))];

    /// <summary>"Worked in 7 of 9 runs, median 3m; the last 2 failed."; null when it never ran.</summary>
    public string? Describe() => Runs + Unverified == 0 ? null
        : CauseBack == 0 ? HowItWent
        : $"{HowItWent} The cause came back soon after {CauseBack} of them had ended.";

    private string HowItWent
    {
        get
        {
            var they = Unverified == 1 ? "it" : "they";
            if (Runs == 0)
            {
                return $"For {CountText.Format(Unverified, "run")} nothing shows whether {they} helped.";
            }

            var took = Median is { } median ? TimeSpan.FromSeconds(Math.Max(1, Math.Round(median.TotalSeconds))) : (TimeSpan?)null;
            return $"Worked in {Verified} of {CountText.Format(Runs, "run")}"
                + (took is { } time ? $", median {DurationText.Format(time)}" : "")
                + (Recurred > 0 ? $"; it was needed again after {Recurred} of them" : "")
                + (FailedLast switch { 0 => ".", 1 => "; the last one failed.", _ => $"; the last {FailedLast} failed." })
                + (Unverified > 0 ? $" For {CountText.Format(Unverified, "more run")} nothing shows whether {they} helped." : "");
        }
    }
}

/// <summary>A fix that keeps coming undone is no longer applied without asking.</summary>
public sealed class SuccessRateGuardrail(RunHistoryStore histories, IOptionsMonitor<SafetyOptions> options) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var (incident, limits) = (question.Incident, question.Runbook.Limits);
        if (question.HasBegun)
        {
            return null;
        }

        var atLeast = options.CurrentValue.AskAfterRecurrences;
        var subject = histories.SubjectOf(incident, question.Runbook);
        var recorded = await question.HistoryAsync(histories, cancellationToken);
        var history = recorded.MarkRecurred(
            incident.TargetKey, subject, incident.OpenedAt, RunHistoryStore.RecurredWithin(question.Runbook));
        var successRate = SuccessRate.Of(history.Runs, SuccessRate.ClassOf(incident.TargetKey));
        if (successRate.Describe() is not { } words)
        {
            return null;
        }

        var lately = history.Runs.Where(run => run.IsOf(incident.TargetKey, subject) && IsRecent(run)).ToList();
        var cameUndone = lately.Count(run => run.Outcome == RunOutcome.Recurred);
        if (cameUndone >= atLeast)
        {
            return new(
                GuardrailNames.SuccessRate,
                $"{words} On this target the fix came undone {cameUndone} times lately: it may treat the symptom only.",
                GuardrailSeverity.AskFirst);
        }

        var causeBack = lately.Count(run => run.CauseBack);
        var hint = causeBack >= atLeast
            ? $" On this target that was so {causeBack} times lately: it may have to be held longer ('stableFor')."
            : "";
        return new(GuardrailNames.SuccessRate, words + hint, GuardrailSeverity.Tell);

        bool IsRecent(RecordedRun run) => incident.OpenedAt - run.EndedAt < RunHistoryStore.Lately(limits) * atLeast;
    }
}

/// <summary>For the runbook's author. Nothing follows from it automatically.</summary>
public sealed record RunbookReport(
    string Runbook,
    IReadOnlyList<SuccessRate> Targets,
    BreakerOpening? Breaker,
    IReadOnlyList<BreakerReset> Resets,
    IReadOnlyList<string> Suggestions)
{
    /// <summary>Runs on one kind of target that all helped, after which less approval is suggested.</summary>
    public const int SteadyAfter = 10;

    public static RunbookReport Of(string id, Runbook? runbook, RunHistory history)
    {
        var targets = SuccessRate.OfEach(history.Runs);
        var suggestions = targets.Select(target => Suggest(runbook, target, history)).OfType<string>();
        return new(id, targets, history.Breaker, history.Resets, [.. suggestions]);
    }

    private static string? Suggest(Runbook? runbook, SuccessRate target, RunHistory history)
    {
        return target switch
        {
            { CauseBack: > 1 } =>
                $"On {target.Class} the cause came back {target.CauseBack} times soon after the fix had ended: "
                + "it may have to be held longer ('stableFor').",
            { Recurred: > 1 } => $"On {target.Class} the fix came undone {target.Recurred} times: it treats the symptom.",
            _ when runbook?.Mitigation.Approval is not null && IsSteady() =>
                $"On {target.Class} it worked {target.Verified} times of {target.Runs}. "
                + "A person may decide to let it heal by itself: remove 'mitigation.approval' and set 'limits'.",
            _ => null,
        };

        bool IsSteady() =>
            target.Runs >= SteadyAfter
            && target.Verified == target.Runs
            && !history.Runs.Any(run => run.IsUnknown && SuccessRate.ClassOf(run.Key) == target.Class);
    }
}
