using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Storage;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Notifications;

// The store and the channels are resolved when it acts: commands that only read runbooks know every action and have neither.
internal abstract class NotifyingAction<TParameters>(IServiceProvider services, string name, string summary, string stays)
    : RunbookAction<TParameters>(name, summary)
    where TParameters : notnull
{
    /// <summary>There is nothing to bring back: people who were told stay told.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected abstract string Plan(TParameters parameters);

    protected override Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = Plan(parameters),
            Undo = $"Nothing to bring back: {stays}.",
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected Task<Incident> IncidentAsync(StepContext context, CancellationToken cancellationToken) =>
        services.GetRequiredService<IIncidentStore>().GetAsync(context.IncidentId, cancellationToken);

    /// <returns>
    /// What was done, to begin a sentence with: <c>Told ada</c>, or <c>Handed to teams for ada</c> where it is not known whether it
    /// arrived; and who was told in place of a contact that nobody is behind.
    /// </returns>
    protected async Task<string> NotifyAsync(
        string to,
        string title,
        ImpactSeverity severity,
        IReadOnlyList<CardSection> sections,
        string otherwise,
        StepContext context,
        CancellationToken cancellationToken)
    {
        var people = await services.GetRequiredService<OnCallDirectory>().ResolveAsync([to], cancellationToken);
        var isStoodInFor = people.IsNobodyBehind(to);
        string[] why = isStoodInFor ? [$"It is for '{to}', and nobody is behind that contact. You are told in its place."] : [];
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = context.IncidentId,
            Title = $"For {to}: {title}",
            Severity = severity,
            Sections = [.. CardSection.If("Why you are told", why, isNeeded: true), .. sections],
            Links = [new("Incident", services.GetRequiredService<DecisionLinks>().IncidentPage(context.IncidentId))],
        };
        var incident = await IncidentAsync(context, cancellationToken);
        var sent = await services.GetRequiredService<IncidentNotifier>().SendAsync(
            incident,
            new($"{NotificationUpdater.HandedOver}:{Name}:{context.IdempotencyKey}", [to], _ => card) { People = people },
            cancellationToken);
        var reached = sent.Deliveries.Where(delivery => delivery.Reached).Select(delivery => delivery.Contact).Distinct();
        var who = isStoodInFor ? $"{string.Join(" and ", reached)} in place of '{to}', which nobody is behind" : to;
        if (!sent.Reached)
        {
            throw new UnreachedException($"Nobody of '{to}' could be reached.{otherwise}");
        }

        return sent.HandedTo.Count > 0 ? $"Handed to {string.Join(" and ", sent.HandedTo)} for {who}" : $"Told {who}";
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult($"{CleanText.Capital(stays)}."));
}

/// <summary>A message reached nobody. Trying again may help.</summary>
internal sealed class UnreachedException(string message) : Exception(message);

public sealed record NotifyParameters
{
    [Required, ContactName, ForPeople(128, OneLine = true)]
    [Description("The contact that is told.")]
    public required string To { get; init; }

    [Required, ForPeople(1000)]
    [Description("What to do, and until when.")]
    public required string Message { get; init; }

    [Description("How urgent the message is.")]
    public ImpactSeverity Severity { get; init; } = ImpactSeverity.Low;
}

internal sealed class Notify(IServiceProvider services)
    : NotifyingAction<NotifyParameters>(
        services, "notify", "Tells a contact what to do. Nobody is asked, and nothing else is done.", stays: "what was told stays told")
{
    protected override string Plan(NotifyParameters parameters) => $"Tell {parameters.To}: {parameters.Message}";

    protected override async Task<ActionResult> ApplyAsync(
        NotifyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await IncidentAsync(context, cancellationToken);
        var title = $"{incident.Title} on {IncidentText.Target(incident.Target)}";
        var told = await NotifyAsync(
            parameters.To, title, parameters.Severity, [new("What to do", [parameters.Message])], "", context, cancellationToken);
        return new ActionResult($"{told}: {parameters.Message}");
    }
}

public sealed record EscalateParameters
{
    [Required, ContactName, ForPeople(128, OneLine = true)]
    [Description("The contact that takes it over.")]
    public required string To { get; init; }

    [Required, ForPeople(500, OneLine = true)]
    [Description("Why; shown in the message, so write it in the runbook and put no alert text into it.")]
    public required string Reason { get; init; }

    [ForPeople(4000)]
    [Description("What was said, kept only in the bundle. In messages its hash stands for it.")]
    public string? Prompt { get; init; }
}

/// <summary>Hands an incident to another team, with everything they need to look into it and nothing that hurts to read on a phone.</summary>
internal sealed class Escalate(IServiceProvider services)
    : NotifyingAction<EscalateParameters>(
        services,
        "escalate",
        "Keeps a forensic bundle as evidence and tells another team; the message never quotes what was said.",
        stays: "what was told stays told, and the bundle is kept")
{
    public override IReadOnlyList<StepOutput> Outputs =>
        [new("bundle", "The reference of the forensic bundle that was kept.", "inc-1/forensic-bundle.json")];

    protected override string Plan(EscalateParameters parameters) =>
        $"Tell {parameters.To} and keep a forensic bundle: {parameters.Reason}";

    protected override async Task<ActionResult> ApplyAsync(
        EscalateParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await IncidentAsync(context, cancellationToken);
        var bundle = ForensicBundle.Of(incident, parameters.Prompt, context.Time.GetUtcNow());
        // The same name on every attempt: a later one replaces an earlier one.
        var reference = await context.Evidence.SaveAsync(context.IncidentId, "forensic-bundle.json", bundle.ToStream(), cancellationToken);
        CardSection[] sections =
        [
            new("Why", [parameters.Reason]),
            new("What there is", [.. bundle.Lines, $"Forensic bundle: {reference}. It quotes what was said: "
                + "open it where others do not look over your shoulder."]),
        ];
        var told = await NotifyAsync(
            parameters.To, incident.Title, ImpactSeverity.High, sections, $" The bundle is kept: {reference}.", context, cancellationToken);
        return new ActionResult($"{told}, and kept the forensic bundle {reference}.")
        {
            Evidence = [reference],
            Outputs = new Dictionary<string, string> { ["bundle"] = reference },
        };
    }
}

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
    public IEnumerable<string> Lines =>
    [
        $"{CountText.Format(Findings.Count, "finding")}, {CountText.Format(Steps.Count, "step")} so far.",
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
        Steps = [.. incident.Steps
            .Where(step => step.FinishedAt is not null)
            .Select(step => new Done(step.Name, step.Action, step.Status, step.FinishedAt!.Value, step.Outcome))],
    };

    public Stream ToStream() => new MemoryStream(JsonSerializer.SerializeToUtf8Bytes(this, MessageJson.Indented), writable: false);

    internal sealed record Done(string Step, string Action, StepStatus Status, DateTimeOffset At, string? Outcome);
}
