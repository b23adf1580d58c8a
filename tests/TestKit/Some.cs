using System.Text.Json;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace TestKit;

/// <summary>Things that are fine as they are; a test changes only what it is about.</summary>
public static class Some
{
    public static readonly DateTimeOffset Time = new(2026, 11, 23, 3, 12, 0, TimeSpan.Zero);

    public static Alert Alert(string name = "HighLatency_Cluster_B", string pod = "llm-b-0") => new()
    {
        Source = "alertmanager",
        Name = name,
        Fingerprint = $"{name}/{pod}",
        Severity = "critical",
        Summary = "Requests hang.",
        Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = pod },
    };

    public static Runbook Runbook(string id = "hanged-gpu", string alert = "HighLatency_*") => new()
    {
        Id = id,
        Title = "Hung GPU",
        Summary = "Requests are accepted but never return.",
        Trigger = [new Trigger(null, alert, [], new Dictionary<string, string>())],
        Target = "{{ labels.namespace }}/{{ labels.pod }}",
        Impact = new Impact(ImpactSeverity.Medium, "Users in the EU region see timeouts.", "Data is safe; service is degraded."),
        Mitigation = new Mitigation(),
        Hash = $"hash-of-{id}",
    };

    public static Incident Incident(string id = "261123-0312-k7m2p9wd", string target = "inference/llm-b-0") =>
        new Incident
        {
            Id = id,
            RunbookId = "hanged-gpu",
            RunbookHash = "hash-of-hanged-gpu",
            Title = "Hung GPU",
            Target = target,
            Alert = Alert(),
            OpenedAt = Time,
            UpdatedAt = Time,
        }.Note(Time, TimelineKind.Opened, "alertmanager", "HighLatency_Cluster_B: Requests hang.").Attach(Alert(), Time);

    public static Gate Gate(int round = 1) => new()
    {
        Id = Runbooks.Model.Incidents.Gate.IdOf(Phase.Mitigation, round),
        Phase = Phase.Mitigation,
        Round = round,
        Question = "Recycle pod llm-b-0?",
        Plan = new Plan($"plan-{round}", [Step()]),
        Approvers = ["oncall"],
        OpenedAt = Time,
        ExpiresAt = Time.AddMinutes(20),
    };

    public static PlannedStep Step(string name = "recycle") => new(
        Phase.Mitigation,
        name,
        "kubernetes.recyclePod",
        JsonSerializer.SerializeToElement(new { @namespace = "inference", pod = "llm-b-0", keepLogs = true }),
        "Delete pod llm-b-0 in inference, keeping its logs.",
        null,
        "uid 5f0c");

    public static Finding Finding(string name = "gpu-memory", Verdict verdict = Verdict.Failing) => new(
        name,
        "Is the GPU memory full?",
        new CheckResult(verdict, "GPU memory is at 98 %.") { Value = "98", Threshold = "> 95", Unit = "%", Series = [90, 94, 98], Link = "https://prometheus.example/graph" },
        Time,
        TimeSpan.FromMilliseconds(120));

    /// <summary>As it is once its fix was verified: a step ran, and the check that had failed passed after it.</summary>
    public static Incident Fixed(Incident incident) => incident with
    {
        State = IncidentState.Resolved,
        Findings = [Finding()],
        VerificationRounds = [new(IncidentState.Verifying, incident.OpenedAt, new Dictionary<string, Verdict> { ["gpu-memory"] = Verdict.Passing }, 1)],
        Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "kubernetes.recyclePod", GateId = "mitigation-1", Status = StepStatus.Done, Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = incident.OpenedAt, FinishedAt = incident.OpenedAt }],
    };

    /// <summary>An incident that waits for an answer.</summary>
    public static Incident Waiting(string id = "261123-0312-k7m2p9wd", Gate? gate = null) =>
        (Incident(id) with { Findings = [Finding()], WakeEvent = "wake-1" }).AddGate(gate ?? Gate(), Time);

    /// <summary>What is due at a question at this time, while everybody whom it reached may answer it and nothing keeps its steps back.</summary>
    public static (Incident Incident, CardKind? Due) Advance(Incident incident, string gateId, DateTimeOffset now) =>
        ApprovalSchedule.Advance(incident, gateId, now, isAsked: null, heldBackBy: null);

    public static Incident OwnedByResponder() => Waiting()
        .Decide("mitigation-1", new Decision(DecisionVerb.TakeOver, "ada", "api", Time)).Incident
        .End(IncidentState.TakenOver, "ada took over.", Time);
}
