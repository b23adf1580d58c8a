using Runbooks.Execution;
using Runbooks.Model.Alerts;
using Runbooks.Web.Incidents;

namespace RunbookServer.Commands;

/// <summary><c>runbook export ID</c>: a finished incident as a test of its runbook.</summary>
internal static class ExportCommand
{
    public static Command Build()
    {
        var id = ClientOptions.IncidentId("The id of an incident that has ended.");
        var file = new Option<FileInfo?>("--out")
        {
            Description = "Where to write it, for example runbooks/tests/hanged-gpu/that-night/test.yaml; the screen unless named.",
        };
        var command = new Command("export", "Turns a finished incident into a test of its runbook.") { id, file };
        return ClientOptions.WithHost(command, async (parsed, api, cancellationToken) =>
        {
            var answer = await api.GetIncidentAsync(parsed.GetRequiredValue(id), cancellationToken);
            var incident = PastIncidents.Parse(answer.ToJsonString(), "The host's answer");
            if (!incident.Final)
            {
                throw new CommandException(
                    $"Incident {incident.Id} has not ended, it is {CamelCase.Of(incident.State)}; a test needs an end. "
                    + "Try again when it has one.",
                    ExitCode.Failed);
            }

            var text = Header(incident) + TestScriptWriter.Write(IncidentTestWriter.Of(incident));
            if (parsed.GetValue(file) is { } chosen)
            {
                NewFile.Write(chosen.FullName, text, "Name another file with --out.");
                ConsoleOutput.Raw($"Written to {chosen.FullName}. Run it with: runbook test");
            }
            else
            {
                ConsoleOutput.Raw(text.TrimEnd());
            }

            return ExitCode.Done;
        });
    }

    private static string Header(IncidentView incident) => $"""
        # Incident {incident.Id} of {incident.OpenedAt.UtcDateTime:yyyy-MM-dd HH:mm} UTC, exported.
        # Runbook {incident.Runbook}, version {incident.RunbookVersion[..12]}.

        """.ReplaceLineEndings("\n");
}

internal static class IncidentTestWriter
{
    /// <summary>Older values make the host ask people in the end, since no newer ones come.</summary>
    private static readonly TimeSpan s_longestBehind = TimeSpan.FromMinutes(10);

    public static TestScript Of(IncidentView incident) => new()
    {
        Source = incident.Alert.Source,
        By = IsByHand(incident) ? incident.StartedBy : null,
        Proposed = incident.Proposed,
        Alert = AlertOf(incident),
        Mode = incident.Mode == RunMode.Normal ? null : CamelCase.Of(incident.Mode),
        Objections = ObjectionsOf(incident),
        Checks = incident.Findings.ToDictionary(finding => finding.Name, finding => AnswersOf(finding, incident)),
        Steps = IncidentTestSteps.Of(incident),
        Events = [.. EventsOf(incident).OrderBy(happening => happening.After)],
        Expect = new()
        {
            State = CamelCase.Of(incident.State),
            Steps = incident.Steps.ToDictionary(step => step.Name, step => CamelCase.Of(step.Status)),
        },
    };

    /// <summary>By the alert's source. Whoever retried an incident started it too, but its alert still comes from its sender.</summary>
    private static bool IsByHand(IncidentView incident) => AlertIdentity.IsByHand(incident.Alert.Source);

    private static TestAlert AlertOf(IncidentView incident)
    {
        var labels = incident.Alert.Labels.ToDictionary();
        return IsByHand(incident) ? new() { Labels = labels } : new()
        {
            Name = incident.Alert.Name,
            Severity = incident.Alert.Severity,
            Summary = incident.Alert.Summary,
            Labels = labels,
            Annotations = incident.Alert.Annotations.ToDictionary(),
            Fingerprint = incident.Alert.Fingerprint,
            Link = incident.Alert.Link,
            Runbook = incident.Alert.Runbook,
        };
    }

    /// <summary>Guardrails looked at other incidents, which the test does not have.</summary>
    private static Dictionary<string, string> ObjectionsOf(IncidentView incident) => incident.Gates
        .Select(gate => (gate.Phase, Objection: gate switch
        {
            { Outcome: GateOutcome.DiagnosedOnly } => "diagnoseOnly",
            { Outcome: GateOutcome.Suppressed } => "suppress",
            { Outcome: GateOutcome.Refused, Blocker: null } => "forbid",
            { Overrules.Count: > 0 } => "askFirst",
            _ => null,
        }))
        .Where(gate => gate.Objection is not null)
        .GroupBy(gate => gate.Phase)
        .ToDictionary(gates => CamelCase.Of(gates.Key), gates => gates.First().Objection!);

    /// <summary>
    /// The answers of the diagnosis, then those of every later round that asked this check. Where the diagnosis asked once, only the
    /// finding is on record.
    /// </summary>
    private static List<ScriptedAnswer> AnswersOf(FindingView finding, IncidentView incident)
    {
        var byDiagnosis = incident.VerificationRounds
            .Where(round => round.Verdicts.ContainsKey(finding.Name))
            .ToLookup(round => round.State == IncidentState.Diagnosing);
        var found = CamelCase.Of(finding.Verdict);
        var behind = BehindAtDiagnosis(finding, incident);
        var answers = new List<ScriptedAnswer>();
        Add(byDiagnosis[true], behind);
        if (answers.Count == 0 || answers[^1].Verdict == found)
        {
            // As far as is known, the answers before it were the same. None had a caveat, or people had been asked sooner.
            var times = answers.Count > 0 && finding.Caveat is null ? answers[^1].Times : 1;
            if (answers.Count > 0 && (answers[^1].Times -= times) == 0)
            {
                answers.RemoveAt(answers.Count - 1);
            }

            answers.Add(new()
            {
                Verdict = found,
                Summary = finding.Summary,
                Value = finding.Value,
                Caveat = finding.Caveat,
                Behind = behind,
                Times = times,
            });
        }

        Add(byDiagnosis[false], Behind(incident.Verification.FirstOrDefault(later => later.Name == finding.Name) ?? finding));
        return answers;

        void Add(IEnumerable<VerificationRound> more, TimeSpan? behind)
        {
            foreach (var round in more)
            {
                var verdict = CamelCase.Of(round.Verdicts[finding.Name]);
                if (answers.Count > 0 && answers[^1] is { Summary: null } before && before.Verdict == verdict)
                {
                    before.Times += round.Rounds;
                }
                else
                {
                    answers.Add(new() { Verdict = verdict, Behind = behind, Times = round.Rounds });
                }
            }
        }
    }

    /// <summary>
    /// How far the last answer was behind. Answers before it told of an earlier time, and were not believed until then; when exactly
    /// is not on record.
    /// </summary>
    private static TimeSpan? BehindAtDiagnosis(FindingView finding, IncidentView incident)
    {
        if (Behind(finding) is not { } behind || incident.State == IncidentState.NotNeeded)
        {
            return Behind(finding);
        }

        var waited = Math.Min(After(incident, finding.At).Ticks, s_longestBehind.Ticks);
        return TimeSpan.FromTicks(Math.Max(behind.Ticks, waited));
    }

    /// <returns>Null for a value that was measured when the check asked.</returns>
    private static TimeSpan? Behind(FindingView finding) =>
        finding.At - finding.MeasuredAt is { } behind
            ? TimeSpan.FromSeconds(Math.Max(Math.Ceiling(behind.TotalSeconds), 0))
            : null;

    private static IEnumerable<TestEvent> EventsOf(IncidentView incident)
    {
        foreach (var (gate, decision) in incident.Gates.SelectMany(gate => gate.Decisions.Select(decision => (gate, decision))))
        {
            var yes = decision.Decision == DecisionVerb.Approve ? decision.By : null;
            var no = decision.Decision == DecisionVerb.Reject ? decision.By : null;
            yield return new()
            {
                After = After(incident, decision.At),
                Approve = gate.Task is null ? yes : null,
                Reject = gate.Task is null ? no : null,
                Done = gate.Task is null ? null : yes,
                CouldNot = gate.Task is null ? null : no,
                Items = decision.Items?.ToList(),
                TakeOver = decision.Decision == DecisionVerb.TakeOver ? decision.By : null,
                Reason = decision.Reason,
            };
        }

        if (StopOf(incident) is { } stop)
        {
            yield return new()
            {
                After = After(incident, stop.At),
                Cancel = stop.TakesBack ? null : stop.By,
                TakeBack = stop.TakesBack ? stop.By : null,
                Reason = stop.Reason,
            };
        }

        if (incident.AlertResolvedAt is { } resolved && Counted(incident, resolved))
        {
            yield return new() { After = After(incident, resolved), Resolved = true };
        }
    }

    /// <summary>A stop that came while an answer ended the incident changed nothing.</summary>
    internal static StopRequest? StopOf(IncidentView incident) =>
        incident.State is IncidentState.Rejected or IncidentState.TakenOver ? null : incident.Stop;

    /// <summary>
    /// What the sender said after the end changed nothing. Closing an incident by hand moves its last time and writes a second line,
    /// so the first line is the end.
    /// </summary>
    private static bool Counted(IncidentView incident, DateTimeOffset resolved)
    {
        var ended = incident.Timeline.FirstOrDefault(line => line.Kind == TimelineKind.Closed)?.At ?? incident.ClosedAt;
        return !IsByHand(incident) && resolved <= ended;
    }

    /// <summary>
    /// Since the incident opened, without the time in which it waited for another incident, which the test does not have. Zero for
    /// what was known before, as in an incident that is tried again.
    /// </summary>
    private static TimeSpan After(IncidentView incident, DateTimeOffset at)
    {
        if (at <= incident.OpenedAt)
        {
            return TimeSpan.Zero;
        }

        if (incident.SuppressedBy is not { } wait || at <= wait.Since)
        {
            return at - incident.OpenedAt;
        }

        var until = wait.Over is { } over && over < at ? over : at;
        return at - incident.OpenedAt - (until - wait.Since);
    }
}
