using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Runbooks.Telemetry;

/// <summary>The spans of one incident. Each is written when it has ended, with the times of the record.</summary>
internal sealed class IncidentSpans(Incident incident)
{
    public void Intake(DateTimeOffset began, DateTimeOffset ended, string outcome) =>
        Write("intake", $"intake:{incident.Timeline.Count}", began, ended, outcome, tags: [(Attributes.Source, incident.Alert.Source)]);

    public void Changed(Incident before, TimeSpan took)
    {
        Alerts(before, took);
        Checks(before);
        foreach (var delivery in incident.Deliveries.Skip(before.Deliveries.Count))
        {
            Message(delivery);
        }

        foreach (var gate in Closed(before))
        {
            Write(
                "decision",
                $"decision:{gate.Id}",
                gate.OpenedAt,
                gate.ClosedAt!.Value,
                CamelCase.Of(gate.Outcome),
                tags: [(Attributes.Gate, gate.Id), (Attributes.Phase, CamelCase.Of(gate.Phase))]);
        }

        Steps(before);
        Periods(before);
        if (incident.State.IsFinal() && !before.State.IsFinal() && incident.ClosedAt is { } closed)
        {
            var (outcome, failed) = (CamelCase.Of(incident.State), incident.State == IncidentState.Failed);
            Write("close", "close", closed, closed + took, outcome);
            WriteRoot(closed, outcome, failed);
        }
    }

    /// <summary>A repeated message of an alert gets a span only if it has a line in the record.</summary>
    private void Alerts(Incident before, TimeSpan took)
    {
        var line = incident.Timeline.Skip(before.Timeline.Count).LastOrDefault(entry => entry.Kind == TimelineKind.Alert);
        if (line is not null && incident.AlertCount > before.AlertCount)
        {
            var isResolved = incident.AlertResolvedAt is not null && before.AlertResolvedAt is null;
            Intake(line.At, line.At + took, isResolved ? "resolved" : "folded");
        }
    }

    private void Checks(Incident before)
    {
        if (!ReferenceEquals(before.Findings, incident.Findings))
        {
            var fresh = incident.Findings.Where(finding => !before.Findings.Any(known => known.Name == finding.Name && known.At == finding.At));
            foreach (var finding in fresh)
            {
                Check(finding, "diagnosis");
            }
        }

        if (!ReferenceEquals(before.Verification, incident.Verification))
        {
            // While a lease is held, the checks are asked every minute for hours, so only a changed answer gets a span.
            var holding = before.State == IncidentState.Holding && incident.State == IncidentState.Holding;
            foreach (var finding in incident.Verification.Where(finding => !before.Verification.Any(known => IsSame(known, finding, holding))))
            {
                Check(finding, incident.State == IncidentState.Holding ? "holding" : "verification");
            }
        }

        static bool IsSame(Finding known, Finding finding, bool holding) =>
            known.Name == finding.Name && (holding ? known.Verdict == finding.Verdict : known.At == finding.At);
    }

    private void Check(Finding finding, string phase) => Write(
        $"check {finding.Name}",
        $"check:{finding.Name}:{finding.At.UtcTicks}",
        finding.At - finding.Took,
        finding.At,
        CamelCase.Of(finding.Verdict),
        tags: [(Attributes.Check, finding.Name), (Attributes.Phase, phase)]);

    /// <summary>From the moment when there was something to tell until a channel took the message, or none did.</summary>
    private void Message(Delivery delivery)
    {
        var gate = incident.Gates.LastOrDefault(delivery.IsOf);
        var since = gate is not null ? gate.AskedAt ?? gate.OpenedAt : incident.ClosedAt ?? delivery.At;
        Write(
            "notification",
            $"notification:{delivery.Key}:{delivery.At.UtcTicks}",
            since < delivery.At ? since : delivery.At,
            delivery.At,
            delivery.Channel is not null ? "reached" : "failed",
            failed: delivery.Channel is null,
            ActivityKind.Producer,
            (Attributes.Channel, delivery.Channel ?? "none"));
    }

    private IEnumerable<Gate> Closed(Incident before)
    {
        return ReferenceEquals(before.Gates, incident.Gates) ? [] : incident.Gates.Where(IsClosedNow);

        bool IsClosedNow(Gate gate) =>
            gate is { Outcome: not GateOutcome.Pending, ClosedAt: not null, WasAsked: true }
            && before.FindGate(gate.Id) is { Outcome: GateOutcome.Pending };
    }

    private void Steps(Incident before)
    {
        foreach (var step in IncidentTelemetry.Finished(before, incident))
        {
            var failed = step.Status is StepStatus.Failed or StepStatus.Unknown;
            Step("step", step, $"step:{step.Phase}:{step.Name}", step.StartedAt, step.FinishedAt!.Value, failed);
        }

        foreach (var step in incident.Steps.Where(IsUndoneNow))
        {
            // Steps are undone one after the other, so one begins where the last one ended.
            var ended = step.FinishedAt!.Value;
            var began = incident.Steps
                .Where(other => other.UndoneFrom is not null && other.FinishedAt < ended)
                .Select(other => other.FinishedAt)
                .Append(incident.UndoBeganAt)
                .Max() ?? ended;
            var failed = step.Status == StepStatus.UndoFailed;
            Step("undo", step, $"undo:{step.Phase}:{step.Name}:{ended.UtcTicks}", began < ended ? began : ended, ended, failed);
        }

        bool IsUndoneNow(StepRecord step) =>
            step is { UndoneFrom: not null, FinishedAt: not null }
            && before.FindStep(step.Phase, step.Name) is { } known
            && known.FinishedAt != step.FinishedAt;
    }

    private void Step(string what, StepRecord step, string key, DateTimeOffset began, DateTimeOffset ended, bool failed) => Write(
        $"{what} {step.Name}",
        key,
        began,
        ended,
        CamelCase.Of(step.Status),
        failed,
        tags: [(Attributes.Step, step.Name), (Attributes.Action, step.Action), (Attributes.Phase, CamelCase.Of(step.Phase))]);

    private void Periods(Incident before)
    {
        if (before.State == incident.State || before.State is not (IncidentState.Verifying or IncidentState.Holding))
        {
            return;
        }

        var healthy = before.Verification.All(finding => finding.Verdict == Verdict.Passing) ? "passing" : "failing";
        var first = before.VerificationRounds.FirstOrDefault(round => round.State == before.State)?.At ?? before.UpdatedAt;
        var last = before.Verification.Select(finding => finding.At).Append(first).Max();
        if (before.State == IncidentState.Verifying)
        {
            var acted = before.Steps.Where(step => step.Phase == Phase.Mitigation).Select(step => step.FinishedAt).Max() ?? first;
            Write("verification", $"verification:{first.UtcTicks}", acted < first ? acted : first, last, healthy);
        }
        else
        {
            var ended = incident.UndoBeganAt is { } undone && undone > first ? undone : last;
            Write("hold", $"hold:{first.UtcTicks}", first, ended, healthy);
        }
    }

    private void WriteRoot(DateTimeOffset closed, string outcome, bool failed) => Write(
        "incident",
        IncidentTrace.RootOf(incident),
        IncidentTrace.AboveRoot(incident),
        incident.OpenedAt,
        closed,
        outcome,
        failed,
        ActivityKind.Consumer,
        [(Attributes.Mode, CamelCase.Of(incident.Mode))]);

    private void Write(
        string name,
        string key,
        DateTimeOffset began,
        DateTimeOffset ended,
        string outcome,
        bool failed = false,
        ActivityKind kind = ActivityKind.Internal,
        params (string Key, string Value)[] tags) =>
        Write(name, IncidentTrace.SpanOf(incident, key), IncidentTrace.BelowRoot(incident), began, ended, outcome, failed, kind, tags);

    private void Write(
        string name,
        ActivitySpanId id,
        ActivityContext parent,
        DateTimeOffset began,
        DateTimeOffset ended,
        string outcome,
        bool failed,
        ActivityKind kind,
        IEnumerable<(string Key, string Value)> tags)
    {
        // The span is about the past, so code that runs here now must not become its child.
        var current = Activity.Current;
        using var span = Instruments.Spans.StartActivity(name, kind, parent, startTime: began);
        Activity.Current = current;
        if (span is null)
        {
            return;
        }

        SpanId(span) = id.ToHexString();
        span.SetTag(Attributes.IncidentId, incident.Id)
            .SetTag(Attributes.Runbook, incident.RunbookId)
            .SetTag(Attributes.Target, incident.Target)
            .SetTag(Attributes.Outcome, outcome);
        foreach (var (key, value) in tags)
        {
            span.SetTag(key, value);
        }

        if (failed)
        {
            span.SetStatus(ActivityStatusCode.Error);
        }

        span.SetEndTime(ended.UtcDateTime);
    }

    /// <summary>
    /// .NET chooses the id of a span at random and has no way to set it. But other spans name this one as their parent, also where it is
    /// written after a restart. Durable Task sets the same field for the same reason.
    /// </summary>
    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_spanId")]
    private static extern ref string? SpanId(Activity span);
}
