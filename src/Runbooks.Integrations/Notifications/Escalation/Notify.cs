using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Notifications.Escalation;

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
    : TellingAction<NotifyParameters>(services, "notify", "Tells a contact what to do. Nobody is asked, and nothing else is done.", stays: "what was told stays told")
{
    protected override string Plan(NotifyParameters parameters) => $"Tell {parameters.To}: {parameters.Message}";

    protected override async Task<ActionResult> ApplyAsync(NotifyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var incident = await IncidentAsync(context, cancellationToken);
        var title = $"{incident.Title} on {IncidentText.Target(incident.Target)}";
        var told = await TellAsync(parameters.To, title, parameters.Severity, [new("What to do", [parameters.Message])], "", context, cancellationToken);

        // The closing message takes the place of this one where a channel can change messages, so it has to say as much.
        return new ActionResult($"{told}: {parameters.Message}");
    }
}
