namespace Runbooks.Catalog.Problems;

/// <summary>An error or a warning about a file.</summary>
/// <param name="Line">Counted from 1, like the column.</param>
/// <param name="Key">The path of the key, for example <c>mitigation.steps.recycle.do</c>. Empty for the whole file.</param>
/// <param name="Problem">A sentence that continues the key.</param>
/// <param name="Remedy">What to write instead. Empty if the problem says it already.</param>
public sealed record CatalogError(string File, int Line, int Column, string Key, string Problem, string Remedy)
{
    /// <summary>One of <see cref="WarningCodes"/>. Null for an error, which cannot be allowed.</summary>
    public string? Code { get; init; }

    public override string ToString() =>
        string.Join(
            "  ",
            new[] { $"{File}:{Line}:{Column}", Key, Problem, Remedy, Code is null ? "" : $"[{Code}]" }.Where(part => part.Length > 0));
}

/// <summary>Lines as YAML counts them.</summary>
internal static class FileLines
{
    private static readonly string[] s_ends = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];

    public static string[] Of(string text) => text.Split(s_ends, StringSplitOptions.None);
}

/// <summary>
/// Warnings: valid but probably not meant. docs/warnings.md has a section for each. A file allows one with a comment: <c># runbook-allow
/// CODE: reason</c>.
/// </summary>
public static class WarningCodes
{
    public const string TextCutOff = "text-cut-off";
    public const string QueryCutOff = "query-cut-off";
    public const string QueryBroken = "query-broken";
    public const string ControlCharacter = "control-character";
    public const string NoBreakSpace = "no-break-space";
    public const string InvisibleCharacter = "invisible-character";
    public const string SplitLetter = "split-letter";
    public const string MisreadEncoding = "misread-encoding";
    public const string UserNameOnly = "user-name-only";
    public const string PersonUnproven = "person-unproven";
    public const string ContactShadowed = "contact-shadowed";
    public const string PersonTwice = "person-twice";
    public const string RingsLast = "rings-last";
    public const string PagerShared = "pager-shared";
    public const string ScheduleWithoutFallback = "schedule-without-fallback";
    public const string CalendarUnreadable = "calendar-unreadable";
    public const string WindowNever = "window-never";
    public const string WindowAlways = "window-always";
    public const string NoOwner = "no-owner";
    public const string NoDataImpact = "no-data-impact";
    public const string ThresholdRange = "threshold-range";
    public const string LogsIncomplete = "logs-incomplete";
    public const string AnswerCutOff = "answer-cut-off";
    public const string VerifyUnknown = "verify-unknown";
    public const string VerifyTooShort = "verify-too-short";
    public const string NothingToVerify = "nothing-to-verify";
    public const string SelfHealingUnlimited = "self-healing-unlimited";
    public const string SelfHealingUnsettled = "self-healing-unsettled";
    public const string SettleUnchecked = "settle-unchecked";
    public const string LimitUnused = "limit-unused";
    public const string TriggerAny = "trigger-any";
    public const string TriggerNever = "trigger-never";
    public const string TriggerHidden = "trigger-hidden";
    public const string TriggerOverlap = "trigger-overlap";
    public const string TargetFixed = "target-fixed";
    public const string PlaceholderPlain = "placeholder-plain";
    public const string AlwaysVerifies = "always-verifies";
    public const string ApprovalOutlastsLease = "approval-outlasts-lease";
    public const string SilenceUnheard = "silence-unheard";
    public const string LeaseKeeps = "lease-keeps";
    public const string LeaseTooShort = "lease-too-short";
    public const string LeaseWatchesItself = "lease-watches-itself";
    public const string AllowUnclear = "allow-unclear";
    public const string AllowUnused = "allow-unused";

    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [TextCutOff] = "A comment cuts off a text.",
        [QueryCutOff] = "A comment cuts off a query whose lines are joined.",
        [QueryBroken] = "A query has a quote or a bracket with which it cannot be asked.",
        [ControlCharacter] = "A backslash within double quotes makes a control character.",
        [NoBreakSpace] = "A no-break space stands where an ordinary one is expected.",
        [InvisibleCharacter] = "A character that nobody sees stands in a text.",
        [SplitLetter] = "A letter and its accent are two characters.",
        [MisreadEncoding] = "Accents were read with the wrong encoding when the file was written.",
        [UserNameOnly] = "A person signs in by user names only, which prove nobody.",
        [PersonUnproven] = "Somebody decides in Slack, and nobody can tell whether they are also a member of a group.",
        [ContactShadowed] = "A team's contact has the name of one of everybody's, with other people.",
        [PersonTwice] = "Two people of two files are reached at one address.",
        [RingsLast] = "What calls somebody up stands behind a channel that does not.",
        [PagerShared] = "Two people are called up by one alert.",
        [ScheduleWithoutFallback] = "A schedule names nobody for when it cannot be asked.",
        [CalendarUnreadable] = "A calendar beside the contacts is not there or cannot be read.",
        [WindowNever] = "A maintenance window is never open.",
        [WindowAlways] = "A maintenance window never closes.",
        [NoOwner] = "Nobody owns the runbook.",
        [NoDataImpact] = "The impact does not say what happens to data.",
        [ThresholdRange] = "A threshold can never be reached, or always is.",
        [LogsIncomplete] = "A log query counts minutes that have not come in yet.",
        [AnswerCutOff] = "A check is over before what it asks has had its time to answer.",
        [VerifyUnknown] = "The fix is verified, or the lease ended, by a check that may find nothing.",
        [VerifyTooShort] = "The fix is judged by what was before it.",
        [NothingToVerify] = "What only tells is verified, or held.",
        [SelfHealingUnlimited] = "A runbook that heals by itself has no limit on how often.",
        [SelfHealingUnsettled] = "A runbook that heals by itself gives its fix no time to settle.",
        [SettleUnchecked] = "A time to settle without checks that could be asked in it.",
        [LimitUnused] = "A setting of the limits has nothing to apply to.",
        [TriggerAny] = "A trigger takes every alert.",
        [TriggerNever] = "A trigger fits no alert that is ever sent.",
        [TriggerHidden] = "A trigger waits for a name that looks like a secret.",
        [TriggerOverlap] = "One alert starts two runbooks, or one trigger makes another needless.",
        [TargetFixed] = "Every alert is one incident, since the target has no placeholder.",
        [PlaceholderPlain] = "What looks like a placeholder is none, and stays as it is written.",
        [AlwaysVerifies] = "A check that looks at nothing says whether the fix helped, or keeps it from ever running.",
        [ApprovalOutlastsLease] = "A question stays open for longer than the lease.",
        [SilenceUnheard] = "Silence is to count as a yes, and nobody's can.",
        [LeaseKeeps] = "A lease is taken back, and one of its steps is not.",
        [LeaseTooShort] = "A lease is overdue before its checks can see that the cause is gone.",
        [LeaseWatchesItself] = "A lease ends because it works.",
        [AllowUnclear] = "A comment that allows a warning is not understood.",
        [AllowUnused] = "A comment allows a warning that is not there.",
    };

    /// <summary>One file alone cannot know whether these apply.</summary>
    internal static bool IsOfTheWhole(string code) => code is TriggerOverlap or SilenceUnheard;
}

/// <summary>
/// Comments that allow warnings: <c># runbook-allow no-owner: it is everybody's</c>, on the line of the warning or alone above it. Above
/// the first key one applies to the whole file.
/// </summary>
internal sealed partial class Allowances
{
    public const string Word = "runbook-allow";

    private readonly List<Allowance> _all = [];
    private readonly List<CatalogError> _unclear = [];

    public Allowances(string file, string text)
    {
        var lines = FileLines.Of(text);
        var first = Array.FindIndex(lines, line => Content(line).Length > 0);
        for (var index = 0; index < lines.Length; index++)
        {
            if (Directive().Match(lines[index]) is { Success: true } directive)
            {
                var alone = Content(lines[index][..directive.Index]).Length == 0;
                var covered = !alone ? index : index < first ? (int?)null : Array.FindIndex(lines, index, line => Content(line).Length > 0);
                Read(file, directive, index, covered);
            }
        }
    }

    /// <param name="isRead">False if the file has errors. Not all warnings were then looked for.</param>
    /// <returns>With errors in the comments themselves.</returns>
    public IEnumerable<CatalogError> Filter(IEnumerable<CatalogError> warnings, bool isRead)
    {
        var left = warnings.Where(warning => !Allows(warning)).ToList();
        return left
            .Concat(_unclear)
            .Concat(_all.Where(one => isRead && !one.IsUsed && !WarningCodes.IsOfTheWhole(one.Code)).Select(one => one.Unused));
    }

    public bool Allows(CatalogError warning)
    {
        var found = _all.Where(one => one.Code == warning.Code && (one.Line is null || one.Line == warning.Line)).ToList();
        found.ForEach(one => one.IsUsed = true);
        return found.Count > 0;
    }

    private void Read(string file, Match directive, int index, int? covered)
    {
        var rest = directive.Groups["rest"].Value;
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        var why = colon < 0 ? "" : rest[(colon + 1)..].Trim();
        var codes = (colon < 0 ? rest : rest[..colon]).Split([',', ' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        var at = new CatalogError(file, index + 1, directive.Index + 1, "", "", "");
        if (codes.Length == 0 || why.Length == 0)
        {
            _unclear.Add(at with
            {
                Code = WarningCodes.AllowUnclear,
                Problem = $"The comment does not say {(codes.Length == 0 ? "which warning it allows" : "why")}.",
                Remedy = "Write '# runbook-allow CODE: why it is meant'.",
            });
            return;
        }

        foreach (var code in codes)
        {
            if (WarningCodes.All.ContainsKey(code))
            {
                var unused = at with
                {
                    Code = WarningCodes.AllowUnused,
                    Problem = $"The comment allows '{code}', and there is no such warning {(covered is null ? "in this file" : "on the line it is for")}.",
                    Remedy = "Remove it, or move it to the line that the warning names.",
                };
                _all.Add(new(code, covered + 1, unused));
            }
            else
            {
                _unclear.Add(at with
                {
                    Code = WarningCodes.AllowUnclear,
                    Problem = $"The comment allows '{Clip.To(code, 80)}', which is no warning.",
                    Remedy = $"{Suggestion.For(code, WarningCodes.All.Keys)}The warnings are listed in docs/warnings.md.",
                });
            }
        }
    }

    private static string Content(string line) => line.TrimStart() is var text && text.StartsWith('#') ? "" : text.TrimEnd();

    [GeneratedRegex(@"#\s*" + Word + @"\b(?<rest>.*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Directive();

    /// <param name="Line">Counted from 1. Null for the whole file.</param>
    private sealed record Allowance(string Code, int? Line, CatalogError Unused)
    {
        public bool IsUsed { get; set; }
    }
}
