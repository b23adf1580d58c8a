using Runbooks.Approvals;
using Runbooks.Catalog.Templates;

namespace Runbooks.Intake;

/// <summary>Like an alert, except that missing labels are asked for.</summary>
public sealed class ManualStart(LoadedRunbooks loaded, IIncidentStore store, IncidentIntake intake)
{
    /// <param name="by">As the holder of the key gives it; recorded.</param>
    /// <param name="proposed">No person answers for the start: a person is asked before anything runs, whatever the runbook says.</param>
    public async Task<ManualStartResult> StartAsync(
        string runbookId,
        IReadOnlyDictionary<string, string> labels,
        string by,
        string? reason,
        CancellationToken cancellationToken,
        bool proposed = false)
    {
        if (Find(loaded(), runbookId, out var unknown) is not { } runbook)
        {
            return new(null, ManualStartProblem.NoSuchRunbook, [unknown!]);
        }

        var (batch, errors) = Batch(runbook, labels, by, reason, proposed);
        if (batch is null)
        {
            return new(null, ManualStartProblem.MissingLabels, errors);
        }

        batch = batch with { Target = await KnownTargetAsync(runbook, batch.Target, cancellationToken) };
        var (outcomes, start) = await intake.OpenAsync(batch, runbook, cancellationToken);
        await intake.StartAsync(start);
        IncidentIntake.Count(batch.First, outcomes[0]);
        return new(outcomes[0], null, []);
    }

    /// <summary>For a runbook that any sender may start, Azure's incidents have the target's name in lower case.</summary>
    private async Task<string> KnownTargetAsync(Runbook runbook, string target, CancellationToken cancellationToken)
    {
        var targets = new List<(string Key, bool IsOpen)>();
        foreach (var key in TargetKey.AllOf(target))
        {
            if (await store.TryFindLatestAsync(runbook.Id, key, cancellationToken) is { } latest
                && TargetKey.IsSame(target, key, latest.Alert, runbook.Trigger))
            {
                targets.Add((key, !latest.State.IsFinal() || latest.SettlesAt is not null));
            }
        }

        return targets.OrderByDescending(known => known.IsOpen).Select(known => known.Key).FirstOrDefault() ?? target;
    }

    public static Runbook? Find(IReadOnlyCollection<Runbook> loaded, string id, out string? problem)
    {
        var ids = loaded.Select(candidate => candidate.Id).Order(StringComparer.Ordinal).ToList();
        var runbook = loaded.FirstOrDefault(candidate => candidate.Id == id);
        problem = runbook is null ? $"No runbook '{Clip.To(id, 80)}' is loaded. {Suggestion.For(id, ids)}".TrimEnd() : null;
        return runbook;
    }

    internal static (AlertBatch? Batch, IReadOnlyList<string> Errors) Batch(
        Runbook runbook, IReadOnlyDictionary<string, string> labels, string by, string? reason, bool proposed = false)
    {
        var began = $"{(proposed ? "Proposed" : "Started")} by {by}";
        var alert = AlertSecrets.Hide(new Alert
        {
            Source = AlertSource.Manual,
            Name = runbook.Title,
            Summary = reason is null ? $"{began}." : $"{began}: {reason}",
            Fingerprint = $"{AlertSource.Manual}:{runbook.Id}",

            // As for an alert, a blank label counts as missing.
            Labels = labels.Where(label => !string.IsNullOrWhiteSpace(label.Value)).ToDictionary(),
        }) with { AsSent = null };
        var target = Template.Render(runbook.Target, new TemplateScope { Alert = alert });
        if (target.Value is not { } text)
        {
            return (null, MissingLabels(runbook, alert) is { } missing ? [missing] : target.Errors);
        }

        var named = IncidentTarget.Named(runbook, alert, text);
        var batch = new AlertBatch(runbook.Id, named, AlertIntent.Fire, [alert], [0])
        {
            Runbook = runbook,
            StartedBy = by,
            IsProposed = proposed,
        };
        return (batch, []);
    }

    private static string? MissingLabels(Runbook runbook, Alert alert)
    {
        List<string> missing =
        [
            .. Template.Parse(runbook.Target).Placeholders
                .Where(placeholder => placeholder.Root == PlaceholderRoot.Labels && !alert.Labels.ContainsKey(placeholder.Key))
                .Select(placeholder => placeholder.Key)
                .Distinct(),
        ];
        var given = alert.Labels.Count == 0 ? "none" : string.Join(", ", alert.Labels.Keys.Order(StringComparer.Ordinal));
        return missing.Count == 0 ? null
            : $"To know what it is about, '{runbook.Id}' needs the {(missing.Count == 1 ? "label" : "labels")} {string.Join(", ", missing)}. "
                + $"Given: {given}.";
    }
}

public sealed record ManualStartResult(IntakeOutcome? Outcome, ManualStartProblem? Problem, IReadOnlyList<string> Errors);

public enum ManualStartProblem { NoSuchRunbook, MissingLabels }

/// <summary>A new incident on the same target, with the alerts of the ended one and the runbook as it is loaded now.</summary>
public sealed class IncidentRetry(
    LoadedRunbooks loaded,
    IIncidentStore store,
    PinnedRunbooks pinned,
    IIncidentEngine engine,
    IncidentVerbService verbs,
    IOptionsMonitor<SafetyOptions> options,
    TimeProvider time,
    ILogger<IncidentRetry> logger)
{
    public async Task<RetryResult> RetryAsync(string incidentId, string by, string reason, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(incidentId, cancellationToken) is not { } ended)
        {
            return new(DecisionStatus.NotFound, $"There is no incident '{Clip.To(incidentId, 80)}'.", null);
        }

        if (WhyNot(ended) is { } whyNot)
        {
            return whyNot;
        }

        if (loaded().FirstOrDefault(loaded => loaded.Id == ended.RunbookId) is not { } runbook)
        {
            return new(
                DecisionStatus.NotAllowed, $"Runbook '{ended.RunbookId}' is not loaded any more, so there is nothing to try again.", null);
        }

        var now = time.GetUtcNow();
        var batch = new AlertBatch(runbook.Id, ended.Target, AlertIntent.Fire, [ended.Alert], [])
        {
            Runbook = runbook,
            StartedBy = by,
        };
        var candidate = batch
            .Candidate(runbook, options.CurrentValue.Mode, now)
            .TryAgain(ended, runbook.Diagnosis.Count > 0, by, reason, now);
        var (incident, opened) = await store.OpenAsync(
            candidate,
            runbook,
            latest => latest.Id == ended.Id || latest.MakesRoom() ? candidate.WarnOfNo(latest, now) : latest,
            cancellationToken);
        if (!opened && incident.RetryOf != ended.Id)
        {
            return new(DecisionStatus.AlreadyClosed, IntakeText.Standing(incident, now), incident.Id);
        }

        // The new incident is on record: a caller that hangs up no longer stops its start.
        var retried = await store.UpdateAsync(
            ended.Id, current => current.NoteRetried(incident.Id, by, reason, now), CancellationToken.None);
        var input = IncidentInput.Of(incident.Id, await pinned.OfAsync(incident, CancellationToken.None));
        await engine.StartAsync(input, CancellationToken.None);
        Log.IncidentOpened(logger, incident.Id, incident.RunbookId, Clip.To(incident.Target, 200));
        await verbs.ShowAcknowledgedAsync(retried, CancellationToken.None);
        return new(DecisionStatus.Decided, $"It is tried again as incident {incident.Id}.", incident.Id);
    }

    private static RetryResult? WhyNot(Incident incident) => incident switch
    {
        { RetriedAs: { } next } => new(DecisionStatus.AlreadyCounted, $"It was tried again already, as incident {next}.", next),
        _ when !incident.State.IsFinal() => new(
            DecisionStatus.NotAllowed,
            $"Incident {incident.Id} has not ended: {EndingText.Headline(incident)}. Stop it first, or wait for its end.",
            incident.Id),
        _ when incident.IsOwnedByResponder() => new(
            DecisionStatus.NotAllowed,
            $"A responder owns incident {incident.Id}. Close it first; then it can be tried again.",
            incident.Id),
        _ => null,
    };
}

/// <param name="Incident">The new incident, or the one that prevents it.</param>
public sealed record RetryResult(DecisionStatus Status, string Message, string? Incident);

/// <summary>The real checks are asked, and the real actions prepare. Nothing is opened, nothing is recorded and nothing acts.</summary>
public sealed class RunbookPreview(LoadedRunbooks loaded, CheckRunner checks, PlanBuilder plans, TimeProvider time)
{
    /// <param name="check">The only check to ask; null asks all, and what the steps would do.</param>
    public async Task<PreviewResult> MakeAsync(
        string runbookId, IReadOnlyDictionary<string, string> labels, string by, string? check, CancellationToken cancellationToken)
    {
        if (ManualStart.Find(loaded(), runbookId, out var problem) is not { } runbook)
        {
            return new([problem!]);
        }

        var asked = runbook.Diagnosis.Where(spec => check is null || spec.Name == check).ToList();
        if (check is not null && asked.Count == 0)
        {
            var names = runbook.Diagnosis.Select(spec => spec.Name).ToList();
            return new([
                $"The runbook has no check '{Clip.To(check, 80)}'. {Suggestion.For(check, names)}It has: {string.Join(", ", names)}.",
            ]);
        }

        var (batch, errors) = ManualStart.Batch(runbook, labels, by, null);
        if (batch is null)
        {
            return new(errors);
        }

        var incident = batch.Candidate(runbook, RunMode.Normal, time.GetUtcNow());
        incident = incident with { Findings = [.. await checks.AskAllAsync(incident, asked, cancellationToken)] };
        return new([])
        {
            Target = incident.Target,
            Findings = incident.Findings,
            Plan = check is null ? await plans.MakeAsync(incident, runbook, Phase.Mitigation, cancellationToken) : null,
        };
    }
}

public sealed record PreviewResult(IReadOnlyList<string> Errors)
{
    public string Target { get; init; } = "";

    public IReadOnlyList<Finding> Findings { get; init; } = [];

    public Plan? Plan { get; init; }
}
