using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Notifications.Escalation;

/// <summary>What another team needs to look into an incident: the alert as it came, what was found, and hashes to find it by elsewhere.</summary>
internal sealed record ForensicBundle
{
    public required string Incident { get; init; }
    public required string Runbook { get; init; }
    public required string RunbookVersion { get; init; }
    public required string Target { get; init; }
    public required DateTimeOffset WrittenAt { get; init; }
    public required Alert Alert { get; init; }

    /// <summary>Shows that the alert was not changed afterwards.</summary>
    public required string AlertHash { get; init; }
    public string? Prompt { get; init; }
    public string? PromptHash { get; init; }
    public required IReadOnlyList<Finding> Findings { get; init; }
    public required IReadOnlyList<Done> Steps { get; init; }

    /// <summary>For a message: numbers and hashes only.</summary>
    [JsonIgnore]
    public IEnumerable<string> Words =>
    [
        $"{Findings.Count} findings, {Steps.Count} steps so far.",
        $"Alert sha256:{AlertHash[..16]}",
        .. PromptHash is null ? Array.Empty<string>() : [$"Prompt sha256:{PromptHash[..16]} ({Prompt!.Length} characters)"],
    ];

    public static ForensicBundle Of(Incident incident, string? prompt, DateTimeOffset now) => new()
    {
        Incident = incident.Id,
        Runbook = incident.RunbookId,
        RunbookVersion = incident.RunbookHash,
        Target = incident.Target,
        WrittenAt = now,
        Alert = incident.Alert,
        AlertHash = TextHash.Of(JsonSerializer.Serialize(incident.Alert, MessageJson.Indented)),
        Prompt = prompt,
        PromptHash = prompt is null ? null : TextHash.Of(prompt),
        Findings = incident.Findings,
        Steps = [.. incident.Steps.Where(step => step.FinishedAt is not null).Select(step => new Done(step.Name, step.Action, step.Status, step.FinishedAt!.Value, step.Outcome))],
    };

    public Stream ToStream() => new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(this, MessageJson.Indented), writable: false);

    internal sealed record Done(string Step, string Action, StepStatus Status, DateTimeOffset At, string? Outcome);
}
