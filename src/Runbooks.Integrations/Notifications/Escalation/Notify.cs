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

public sealed record NotifyParameters
{
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    [Description("The contact that is told.")]
    public required string To { get; init; }

    [Required, MaxLength(1000)]
    [Description("What to do, and until when.")]
    public required string Message { get; init; }

    [Description("How urgent the message is.")]
    public ImpactSeverity Severity { get; init; } = ImpactSeverity.Low;
}

/// <summary>Tells people what is theirs to do: the step of a runbook that acts on nothing itself.</summary>
// The store and the channels are asked for when it acts: commands that only read runbooks know every action and have neither.
internal sealed class Notify(IServiceProvider services)
    : RunbookAction<NotifyParameters>("notify", "Tells a contact what to do. Nobody is asked, and nothing else is done.")
{
    /// <summary>There is nothing to bring back: whoever was told was told.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected override Task<Preparation> PrepareAsync(NotifyParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = $"Tell {parameters.To}: {parameters.Message}",
            Undo = "Nothing to bring back: what was told stays told.",
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override async Task<ActionResult> ApplyAsync(NotifyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await services.GetRequiredService<IIncidentStore>().GetAsync(context.IncidentId, cancellationToken);
        var card = new Card
        {
            Kind = CardKind.Page,
            IncidentId = context.IncidentId,
            Title = $"For {parameters.To}: {incident.Title} on {IncidentText.Target(incident.Target)}",
            Severity = parameters.Severity,
            Sections = [new("What to do", [parameters.Message])],
            Links = [new("Incident", services.GetRequiredService<DecisionLinks>().IncidentPage(context.IncidentId))],
        };
        var sent = await services.GetRequiredService<IncidentNotifier>().SendAsync(context.IncidentId, $"notify:{context.IdempotencyKey}", [parameters.To], _ => card, cancellationToken);

        // The closing message takes the place of this one where a channel can change messages, so it has to say as much.
        return sent.Reached
            ? new ActionResult($"Told {parameters.To}: {parameters.Message}")
            : throw new UnreachedException($"Nobody of '{parameters.To}' could be reached.");
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("What was told stays told."));
}
