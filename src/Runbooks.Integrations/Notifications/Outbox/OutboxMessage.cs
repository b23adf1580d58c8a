using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Outbox;

/// <summary>One file of the outbox.</summary>
/// <param name="ApprovalLink">The recipient's own signed link; null on messages that ask nothing.</param>
public sealed record OutboxMessage(
    DateTimeOffset At,
    string To,
    CardKind Kind,
    string Incident,
    string? Gate,
    bool DryRun,
    string Title,
    ImpactSeverity Severity,
    string? ApprovalLink,
    IReadOnlyList<CardSection> Sections,
    IReadOnlyList<CardLink> Links);
