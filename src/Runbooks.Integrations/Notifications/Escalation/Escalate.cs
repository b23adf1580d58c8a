using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Escalation;

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
    : TellingAction<EscalateParameters>(
        services, "escalate", "Keeps a forensic bundle as evidence and tells another team; the message never quotes what was said.", stays: "what was told stays told, and the bundle is kept")
{
    public override IReadOnlyList<StepOutput> Outputs => [new("bundle", "The reference of the forensic bundle that was kept.")];

    protected override string Plan(EscalateParameters parameters) => $"Tell {parameters.To} and keep a forensic bundle: {parameters.Reason}";

    protected override async Task<ActionResult> ApplyAsync(
        EscalateParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await IncidentAsync(context, cancellationToken);
        var bundle = ForensicBundle.Of(incident, parameters.Prompt, context.Time.GetUtcNow());
        // The same name on every attempt: the later one replaces the earlier.
        var reference = await context.Evidence.SaveAsync(context.IncidentId, "forensic-bundle.json", bundle.ToStream(), cancellationToken);
        CardSection[] sections =
        [
            new("Why", [parameters.Reason]),
            new("What there is", [.. bundle.Words, $"Forensic bundle: {reference}. It quotes what was said: open it where others do not look over your shoulder."]),
        ];
        var told = await TellAsync(parameters.To, incident.Title, ImpactSeverity.High, sections, $" The bundle is kept: {reference}.", context, cancellationToken);
        return new ActionResult($"{told}, and kept the forensic bundle {reference}.")
        {
            Evidence = [reference],
            Outputs = new Dictionary<string, string> { ["bundle"] = reference },
        };
    }
}
