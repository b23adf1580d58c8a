using System.Text.Json.Serialization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Telemetry;

namespace Runbooks.Execution;

/// <summary>Asks checks again: after a fix, when a sender claims that it is over, and while a temporary fix is held.</summary>
public sealed class CheckService(
    IIncidentStore store,
    PinnedRunbooks pinned,
    CheckRunner checks,
    KillSwitch killSwitch,
    SettleWindow settleWindow,
    HoldingNotifier holding,
    TimeProvider time)
{
    /// <summary>However often a sender repeats its claim, the checks are asked no more often than this.</summary>
    private static readonly TimeSpan s_shortestClaimPause = TimeSpan.FromSeconds(15);

    public async Task<RecheckResult> RecheckAsync(RecheckRequest request, CancellationToken cancellationToken)
    {
        // A change since this was read, such as a stop, is noticed when the answers are recorded.
        var incident = await store.GetCachedAsync(request.IncidentId, cancellationToken);
        if (request.State == IncidentState.Resolved)
        {
            return await settleWindow.RecheckAsync(incident, await pinned.OfAsync(incident, cancellationToken), request, cancellationToken);
        }

        if (incident.Stop is { } stop)
        {
            return new RecheckResult(false, "", stop.Text);
        }

        // A dry run touched nothing, so nothing can get better: verifying it would only time out.
        if (incident.Mode == RunMode.DryRun)
        {
            return new RecheckResult(true, "", null) { IsRehearsal = true };
        }

        // While nothing may be touched, a lease cannot be taken back, so its cause does not count as gone.
        var paused = request.State == IncidentState.Holding ? (await killSwitch.ReadAsync(cancellationToken)).Describe() : null;
        var runbook = await pinned.OfAsync(incident, cancellationToken);
        var specs = request.Checks.Union(request.Watched).Select(name => Check(runbook, name));
        var asked = time.GetUtcNow();
        var answers = await checks.AskAllAsync(incident, specs, cancellationToken);
        var broken = answers
            .Where(finding => finding.Verdict == Verdict.Failing && request.Watched.Contains(finding.Name))
            .ToList();
        var noLongerHelps = broken.Count == 0
            ? null
            : $"What showed that the temporary fix helps fails now: {Incident.Summarize(broken)}";
        var reason = Join(noLongerHelps, paused);

        // Another host may know better when the last step ended, so the record decides.
        (incident, var findings) = await store.UpdateAsync(
            incident.Id,
            i =>
            {
                List<Finding> sinceActing = [.. answers.Select(finding => finding.SinceActing(i.ActedAt, time.GetUtcNow()))];
                var wasUnseen = i.WasUnseen(request.State, runbook.Mitigation, asked);
                var recorded = i.RecordVerification(request.State, sinceActing, request.WakeEvent, time.GetUtcNow(), wasUnseen, reason);
                return (recorded, sinceActing);
            },
            cancellationToken);
        if (request.State == IncidentState.Holding)
        {
            await holding.NotifyOnceAsync(incident, runbook, cancellationToken);
        }

        var unhealthy = findings
            .Where(finding => finding.Verdict != Verdict.Passing && request.Checks.Contains(finding.Name))
            .ToList();
        var measured = findings.Where(finding => finding.Result.MeasuredAt is not null && request.Checks.Contains(finding.Name));
        return new RecheckResult(
            unhealthy.Count == 0 && paused is null,
            Join(paused, Incident.Summarize(unhealthy)) ?? "",
            incident.Stop is { } late ? late.Text : null)
        {
            IsPaused = unhealthy.Count == 0 && paused is not null,
            PassingSince = Lease.Of(incident, runbook)?.HealthySince,
            VerifiedAnewSince = incident.VerificationRounds
                .LastOrDefault(round => round is { State: IncidentState.Verifying, IsAnew: true })?.At,
            NoLongerHelps = noLongerHelps,
            IsUnclear = unhealthy.Count > 0 && unhealthy.All(finding => finding.Verdict == Verdict.Unknown),
            Measured = measured.ToDictionary(finding => finding.Name, finding => finding.Result.MeasuredAt!.Value),
        };
    }

    /// <summary>
    /// The sender says before anything was done that the alert is over. No question is withdrawn on its word alone. While the checks
    /// contradict it they may be asked again, no more often than allowed.
    /// </summary>
    public async Task<Incident> CheckClaimAsync(Incident incident, Runbook runbook, CancellationToken cancellationToken)
    {
        if (!incident.ClaimsRecovery
            || incident.ClaimedAt is not { } claimedAt
            || incident.Stop is not null
            || (incident.CheckedClaim is { } known && time.GetUtcNow() - known.AskedAt < s_shortestClaimPause))
        {
            return incident;
        }

        var when = runbook.Mitigation.When;
        var findings = await checks.AskAllAsync(incident, runbook.Diagnosis.Where(spec => when.Asks(spec.Name)), cancellationToken);
        return await store.UpdateAsync(incident.Id, i => i.RecordRecovery(claimedAt, when, findings, time.GetUtcNow()), cancellationToken);
    }

    /// <returns>Null where there is nothing to say.</returns>
    private static string? Join(params IEnumerable<string?> sentences)
    {
        var text = string.Join(' ', sentences.Where(sentence => sentence is { Length: > 0 }));
        return text.Length > 0 ? text : null;
    }

    private static CheckSpec Check(Runbook runbook, string name) =>
        runbook.FindCheck(name) ?? throw new InvalidOperationException($"Runbook '{runbook.Id}' has no check '{name}'.");
}

/// <param name="State">Verifying, holding, or resolved in the settle window.</param>
public sealed record RecheckRequest(string IncidentId, IncidentState State, IReadOnlyList<string> Checks, string WakeEvent)
{
    /// <summary>Without effect on whether all is healthy: these show whether a held fix still helps.</summary>
    public IReadOnlyList<string> Watched { get; init; } = [];
}

/// <param name="Summary">What is not healthy; empty when all is.</param>
/// <param name="StoppedBy">Not null once a person stopped the incident.</param>
public sealed record RecheckResult(bool Healthy, string Summary, string? StoppedBy)
{
    /// <summary>No check fails for certain, and some could not be answered.</summary>
    public bool IsUnclear { get; init; }

    /// <summary>All is healthy, and only the kill switch keeps that from counting.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Since when they have passed without a break or an unwatched gap; for a lease only.</summary>
    public DateTimeOffset? PassingSince { get; init; }

    /// <summary>Since when a fix is verified again after a time in which nobody could check.</summary>
    public DateTimeOffset? VerifiedAnewSince { get; init; }

    /// <summary>By the check's name, until when its answer was measured. Checks that measure when they are asked are left out.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Measured { get; init; } = new Dictionary<string, DateTimeOffset>();

    public string? NoLongerHelps { get; init; }

    public bool IsRehearsal { get; init; }

    /// <summary>Until when all answers were measured; null for the moment of asking.</summary>
    [JsonIgnore]
    public DateTimeOffset? MeasuredAt => Measured.Count == 0 ? null : Measured.Values.Min();

    public bool Repeats(IReadOnlyDictionary<string, DateTimeOffset>? earlier) =>
        earlier is not null
        && Measured.Any(value => earlier.TryGetValue(value.Key, out var before) && value.Value <= before);
}

/// <summary>Any failure on the way becomes a finding too: unknown, with the reason.</summary>
public sealed class CheckRunner(StepCatalog catalog, StepContextFactory contexts, TimeProvider time, ILogger<CheckRunner> logger)
{
    public Task<Finding[]> AskAllAsync(Incident incident, IEnumerable<CheckSpec> specs, CancellationToken cancellationToken) =>
        Task.WhenAll(specs.Select(spec => AskAsync(incident, spec, cancellationToken)));

    public async Task<Finding> AskAsync(Incident incident, CheckSpec spec, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var result = await AnswerAsync(incident, spec, cancellationToken);
        var took = time.GetElapsedTime(began);
        Instruments.Checks.Record(
            took.TotalSeconds,
            Instruments.Tag(Attributes.Runbook, incident.RunbookId),
            Instruments.Tag(Attributes.Check, spec.Check),
            Instruments.Tag(Attributes.Verdict, CamelCase.Of(result.Verdict)));
        return new Finding(spec.Name, spec.Ask, Clean(result).Bounded(), time.GetUtcNow(), took);
    }

    private static CheckResult Clean(CheckResult result) => result with
    {
        Summary = CleanText.Said(result.Summary),
        Value = result.Value is null ? null : CleanText.Said(result.Value),
        Link = result.Link is null ? null : Redactor.Redact(result.Link),
    };

    private async Task<CheckResult> AnswerAsync(Incident incident, CheckSpec spec, CancellationToken cancellationToken)
    {
        if (catalog.FindCheck(spec.Check) is not { } check)
        {
            return CheckResult.Unknown($"This host has no check '{spec.Check}'.");
        }

        var binding = StepBinding.Of(spec.With, check.ParametersType, IncidentTemplateScope.Of(incident));
        if (binding.Parameters is not { } parameters)
        {
            return CheckResult.Unknown(binding.Problem ?? "Its parameters need outputs of steps that have not run.");
        }

        try
        {
            var context = contexts.For(incident, $"{incident.Id}:diagnosis:{spec.Name}");
            var result = await Deadline.WithinAsync(
                spec.Timeout, time, token => check.AskAsync(parameters, context, token), cancellationToken);
            return result with { Summary = Redactor.Redact(result.Summary, binding.Secrets) };
        }
        catch (TimeoutException late)
        {
            return CheckResult.Unknown($"{spec.Check}: {late.Message}.");
        }
        // A check may fail in any way; that never stops the others, and its failure is shown.
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CheckFailed(logger, spec.Check, incident.Id, Redactor.Redact(failure, binding.Secrets));
            return CheckResult.Unknown(Redactor.Redact($"{spec.Check}: {failure.Message}", binding.Secrets));
        }
    }
}
