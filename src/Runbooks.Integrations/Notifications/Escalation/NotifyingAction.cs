using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Definition;
using Runbooks.Model.Storage;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Notifications.Escalation;

/// <summary>An action that tells people something, and touches nothing that would have to be brought back.</summary>
// The store and the channels are asked for when it acts: commands that only read runbooks know every action and have neither.
internal abstract class NotifyingAction<TParameters>(IServiceProvider services, string name, string summary, string stays) : RunbookAction<TParameters>(name, summary)
    where TParameters : notnull
{
    /// <summary>There is nothing to bring back: whoever was told was told.</summary>
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
    /// What was done, to begin a sentence with: <c>Told ada</c>, or <c>Handed to teams for ada</c> where nobody knows whether it arrived;
    /// and who was told in the place of a contact that nobody is behind.
    /// </returns>
    /// <exception cref="UnreachedException">It reached nobody.</exception>
    protected async Task<string> NotifyAsync(string to, string title, ImpactSeverity severity, IReadOnlyList<CardSection> sections, string otherwise, StepContext context, CancellationToken cancellationToken)
    {
        var people = await services.GetRequiredService<OnCallDirectory>().ResolveAsync([to], cancellationToken);
        var isStoodInFor = people.IsNobodyBehind(to);
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = context.IncidentId,
            Title = $"For {to}: {title}",
            Severity = severity,
            Sections = [.. CardSection.If("Why you are told", isStoodInFor ? [$"It is for '{to}', and nobody is behind that contact. You are told in its place."] : [], isNeeded: true), .. sections],
            Links = [new("Incident", services.GetRequiredService<DecisionLinks>().IncidentPage(context.IncidentId))],
        };
        var incident = await IncidentAsync(context, cancellationToken);
        var sent = await services.GetRequiredService<IncidentNotifier>().SendAsync(incident, $"{NotificationUpdater.HandedOver}:{Name}:{context.IdempotencyKey}", [to], _ => card, cancellationToken, people);
        var who = isStoodInFor
            ? $"{string.Join(" and ", sent.Deliveries.Where(delivery => delivery.Reached).Select(delivery => delivery.Contact).Distinct())} in place of '{to}', which nobody is behind"
            : to;
        return !sent.Reached ? throw new UnreachedException($"Nobody of '{to}' could be reached.{otherwise}")
            : sent.HandedTo.Count > 0 ? $"Handed to {string.Join(" and ", sent.HandedTo)} for {who}"
            : $"Told {who}";
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

/// <summary>Tells people what is theirs to do: the step of a runbook that acts on nothing itself.</summary>
internal sealed class Notify(IServiceProvider services)
    : NotifyingAction<NotifyParameters>(services, "notify", "Tells a contact what to do. Nobody is asked, and nothing else is done.", stays: "what was told stays told")
{
    protected override string Plan(NotifyParameters parameters) => $"Tell {parameters.To}: {parameters.Message}";

    protected override async Task<ActionResult> ApplyAsync(NotifyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await IncidentAsync(context, cancellationToken);
        var title = $"{incident.Title} on {IncidentText.Target(incident.Target)}";
        var told = await NotifyAsync(parameters.To, title, parameters.Severity, [new("What to do", [parameters.Message])], "", context, cancellationToken);
        return new ActionResult($"{told}: {parameters.Message}");
    }
}
