using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

/// <summary>Cards as the core makes them; the last one holds what an attacker would put into an alert.</summary>
internal static class Cards
{
    public static readonly Card Approval = new()
    {
        Kind = CardKind.ApprovalRequest,
        IncidentId = "261123-0312-k7m2p9wd",
        Key = "mitigation-1:0:ada@test",
        Title = "Recycle pod llm-b-0?",
        Severity = ImpactSeverity.Medium,
        GateId = "mitigation-1",
        PlanHash = "9f2c",
        Sections =
        [
            new("What broke", ["Hung GPU on inference/llm-b-0. Users in the EU region see timeouts.", "Data is safe; service is degraded."]),
            new("What was found", ["✗ Is the GPU memory full? 98 % used, expected at most 95 %.", "✓ Is the node healthy? It is."]),
            new("What will be done", ["Delete pod llm-b-0 in inference, keeping its logs."]),
            new("How to undo it", ["recycle: cannot be undone."]),
            new("If nobody answers", ["At 03:22:00 UTC platform-lead is asked too. At 03:32:00 UTC nothing is done and the incident is closed as expired."]),
        ],
        Links =
        [
            new("Look and decide", "https://runbooks.example.com/decide?token=abc.def"),
            new("Incident", "https://runbooks.example.com/incidents/261123-0312-k7m2p9wd"),
        ],
    };

    public static readonly Card DryRun = Approval with { DryRun = true, Kind = CardKind.Reminder, Title = "Still waiting: Recycle pod llm-b-0?" };

    public static readonly Card Decided = Approval with
    {
        Kind = CardKind.Decided,
        Title = "Approved: Recycle pod llm-b-0?",
        GateId = null,
        PlanHash = null,
        Sections = [new("The decision", ["ada approved this at 03:14:09 UTC.", "Reason: seen the graphs"])],
        Links = [Approval.Links[1]],
    };

    public static readonly Card Closed = Decided with
    {
        Kind = CardKind.Closed,
        Title = "Resolved: Hung GPU on inference/llm-b-0",
        Sections = [new("How it ended", ["The fix was verified."]), new("What was done", ["recycle: Deleted pod llm-b-0."])],
    };

    public static readonly Card Page = Decided with
    {
        Kind = CardKind.Page,
        Severity = ImpactSeverity.Critical,
        Title = "A person is needed: Hung GPU on inference/llm-b-0",
        Sections = [new("What happened", ["The fix did not help: gpu-memory is failing."])],
    };

    public static readonly Card Hostile = Approval with
    {
        Title = "<script>alert(1)</script> <!channel> [click](https://evil.example) \u001b[31m\r\nBcc: x@evil.example",
        Sections =
        [
            new("What broke", ["<img src=x onerror=alert(1)> & \"quotes\" 'single'", "<@U0ADA> <https://evil.example|Approve> *bold* `code` {{DATE(2026-01-01)}}", new string('x', 5_000)]),
            new("What was found", [.. Enumerable.Range(0, 40).Select(n => $"line {n} \ud83d\ude00")]),
        ],
    };

    public static readonly IReadOnlyDictionary<string, Card> All = new Dictionary<string, Card>
    {
        ["approval"] = Approval, ["dry-run"] = DryRun, ["decided"] = Decided, ["closed"] = Closed, ["page"] = Page, ["hostile"] = Hostile,
    };

    /// <summary>For theories.</summary>
    public static TheoryData<string> Names => [.. All.Keys];
}
