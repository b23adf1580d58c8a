using System.Text.Json;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace TestKit.Incidents;

/// <summary>Valid things to start a test from; change what the test is about with <c>with</c>.</summary>
public static class Given
{
    public static readonly DateTimeOffset Night = new(2026, 11, 23, 3, 0, 0, TimeSpan.Zero);

    public static Alert Alert() => new()
    {
        Source = "alertmanager",
        Name = "InferenceRequestsStuck",
        Fingerprint = "f1",
        Severity = "critical",
        Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-0" },
    };

    /// <summary>Two checks whose first answers are believed, an approval, one step, verification by the first check.</summary>
    public static Runbook Runbook() => new()
    {
        Id = "broken-thing",
        Title = "Broken thing",
        Trigger = [new("alertmanager", "InferenceRequestsStuck", [], new Dictionary<string, string>())],
        Target = "{{ labels.namespace }}/{{ labels.pod }}",
        Impact = new(ImpactSeverity.Medium, "Users wait.", "Data is safe."),
        Diagnosis = [Check("stuck"), Check("full")],
        Mitigation = new()
        {
            Approval = Approval(),
            Steps = [Step("fix")],
            Verify = new(["stuck"], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)),
        },
        Resolution = new() { Steps = [Step("ticket")] },
        Limits = new() { HealthyFor = TimeSpan.Zero },
        Hash = "hash-1",
    };

    public static Approval Approval() => new()
    {
        Ask = "Fix {{ labels.pod }}?",
        From = ["oncall"],
        RemindAfter = TimeSpan.FromMinutes(5),
        Escalate = [new(TimeSpan.FromMinutes(10), ["platform-lead"])],
        Timeout = TimeSpan.FromMinutes(20),
    };

    public static CheckSpec Check(string name) =>
        new(name, $"Is it {name}?", "script.check", With(new { name }), CheckSpec.DefaultTimeout);

    public static StepSpec Step(string name, string action = "script.act", object? with = null) =>
        new(name, action, With(with ?? new { name }), StepSpec.DefaultTimeout, StepRetry.Default);

    public static Incident Incident(Runbook runbook, string id = "261123-0300-aaaaaa") => new Incident
    {
        Id = id,
        RunbookId = runbook.Id,
        RunbookHash = runbook.Hash,
        Title = runbook.Title,
        Target = "inference/llm-b-0",
        Alert = Alert(),
        Mode = runbook.Mode,
        OpenedAt = Night,
        UpdatedAt = Night,
    }.Attach(Alert(), Night);

    private static JsonElement With(object value) => JsonSerializer.SerializeToElement(value);
}
