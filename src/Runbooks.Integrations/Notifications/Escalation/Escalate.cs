using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Notifications.Escalation;

public sealed record EscalateParameters
{
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    [Description("The contact that takes it over.")]
    public required string To { get; init; }

    [Required, RegularExpression(@"^[^\p{C}]{1,500}$")]
    [Description("Why, in one line; shown in the message, so write it in the runbook and put no alert text into it.")]
    public required string Reason { get; init; }

    [MaxLength(4000)]
    [Description("What was said, kept only in the bundle. In messages its hash stands for it.")]
    public string? Prompt { get; init; }
}

/// <summary>Hands an incident to another team, with everything they need to look into it and nothing that hurts to read on a phone.</summary>
// The store and the channels are asked for when it acts: commands that only read runbooks know every action and have neither.
internal sealed class Escalate(IServiceProvider services)
    : RunbookAction<EscalateParameters>("escalate", "Keeps a forensic bundle as evidence and tells another team; the message never quotes what was said.")
{
    /// <summary>There is nothing to bring back: whoever was told was told.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected override Task<Preparation> PrepareAsync(EscalateParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = $"Tell {parameters.To} and keep a forensic bundle: {parameters.Reason}",
            Undo = "Nothing to bring back: what was told stays told, and the bundle is kept.",
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override async Task<ActionResult> ApplyAsync(
        EscalateParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await services.GetRequiredService<IIncidentStore>().GetAsync(context.IncidentId, cancellationToken);
        var bundle = ForensicBundle.Of(incident, parameters.Prompt, context.Time.GetUtcNow());
        // The same name on every attempt: the later one replaces the earlier.
        var reference = await context.Evidence.SaveAsync(context.IncidentId, "forensic-bundle.json", bundle.ToStream(), cancellationToken);

        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = context.IncidentId,
            Title = $"For {parameters.To}: {incident.Title}",
            Severity = ImpactSeverity.High,
            Sections =
            [
                new("Why", [parameters.Reason]),
                new("What there is", [.. bundle.Words, $"Forensic bundle: {reference}. It quotes what was said: open it where others do not look over your shoulder."]),
            ],
            Links = [new("Incident", services.GetRequiredService<DecisionLinks>().IncidentPage(context.IncidentId))],
        };
        var sent = await services.GetRequiredService<IncidentNotifier>().SendAsync(context.IncidentId, $"escalate:{context.IdempotencyKey}", [parameters.To], _ => card, cancellationToken);
        if (!sent.Reached)
        {
            throw new UnreachedException($"Nobody of '{parameters.To}' could be reached. The bundle is kept: {reference}.");
        }

        return new ActionResult($"Told {parameters.To}, and kept the forensic bundle {reference}.")
        {
            Evidence = [reference],
            Outputs = new Dictionary<string, string> { ["bundle"] = reference },
        };
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("The forensic bundle stays."));
}

/// <summary>A message reached nobody. Trying again may help.</summary>
internal sealed class UnreachedException(string message) : Exception(message);

public static class EscalationRegistration
{
    /// <summary>The actions <c>escalate</c> and <c>notify</c>.</summary>
    public static IServiceCollection AddEscalation(this IServiceCollection services) => services.AddSingleton<IAction, Escalate>().AddSingleton<IAction, Notify>();
}
