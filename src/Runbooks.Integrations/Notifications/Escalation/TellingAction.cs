using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Notifications.Escalation;

/// <summary>An action that tells people something, and touches nothing that would have to be brought back.</summary>
// The store and the channels are asked for when it acts: commands that only read runbooks know every action and have neither.
internal abstract class TellingAction<TParameters>(IServiceProvider services, string name, string summary, string stays) : RunbookAction<TParameters>(name, summary)
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

    /// <returns>What was done, to begin a sentence with: <c>Told ada</c>, or <c>Handed to teams for ada</c> where nobody knows whether it arrived.</returns>
    /// <exception cref="UnreachedException">It reached nobody.</exception>
    protected async Task<string> TellAsync(string to, string title, ImpactSeverity severity, IReadOnlyList<CardSection> sections, string otherwise, StepContext context, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = context.IncidentId,
            Title = $"For {to}: {title}",
            Severity = severity,
            Sections = sections,
            Links = [new("Incident", services.GetRequiredService<DecisionLinks>().IncidentPage(context.IncidentId))],
        };
        var incident = await IncidentAsync(context, cancellationToken);
        var sent = await services.GetRequiredService<IncidentNotifier>().SendAsync(incident, $"{NotificationUpdater.HandedOver}:{Name}:{context.IdempotencyKey}", [to], _ => card, cancellationToken);
        return !sent.Reached ? throw new UnreachedException($"Nobody of '{to}' could be reached.{otherwise}")
            : sent.HandedTo.Count > 0 ? $"Handed to {string.Join(" and ", sent.HandedTo)} for {to}"
            : $"Told {to}";
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult($"{char.ToUpperInvariant(stays[0])}{stays[1..]}."));
}

/// <summary>A message reached nobody. Trying again may help.</summary>
internal sealed class UnreachedException(string message) : Exception(message);
