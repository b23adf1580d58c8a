using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Notifications;
using Runbooks.Model.Storage;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Tickets;

public abstract partial record TicketParameters : IValidatableObject
{
    [MaxLength(100)]
    [Description("The configured ticket system; the default one when left out.")]
    public string? System { get; init; }

    [Description("Other fields, by the system's own names: `urgency` (ServiceNow), `priority` (Jira), "
        + "`Microsoft.VSTS.Common.Priority` (Azure DevOps).")]
    public JsonObject? Fields { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        (Fields ?? []).Where(field => !FieldName().IsMatch(field.Key)).Select(field => new ValidationResult(
            $"has the field '{Clip.To(field.Key, 40)}': names are letters, digits, dots and underscores.", ["fields"]));

    [GeneratedRegex("^[A-Za-z0-9_.]{1,128}$", RegexOptions.NonBacktracking)]
    private static partial Regex FieldName();
}

public sealed record CreateTicketParameters : TicketParameters
{
    [Required, ForPeople(160, OneLine = true)]
    [Description("The ticket's title.")]
    public required string Title { get; init; }

    [Required, ForPeople(8000)]
    [Description("What it says; the address of the incident's page follows.")]
    public required string Text { get; init; }

    [Description("What happens to it when the incident ends, however it ends: a `comment` that says how; "
        + "`close`, closed with that comment where nothing is left to do, and commented otherwise; or `nothing`.")]
    public TicketAtEnd AtEnd { get; init; } = TicketAtEnd.Comment;
}

public sealed record UpdateTicketParameters : TicketParameters
{
    [Required, ForPeople(8000)]
    [Description("The comment.")]
    public required string Text { get; init; }

    [Description("Whether it is closed with it.")]
    public bool Close { get; init; }
}

public enum TicketAtEnd { Comment, Close, Nothing }

/// <summary>What both actions share. A ticket only tells: nothing of the target is changed, and there is nothing to undo.</summary>
// Settings and channels are resolved when it acts: commands that only read runbooks know every action and have neither.
internal abstract class TicketAction<TParameters>(IServiceProvider services, string name, string summary, string stays)
    : NotifyingAction<TParameters>(services, name, summary, stays)
    where TParameters : TicketParameters
{
    private readonly IServiceProvider _services = services;

    public override string Role => "The ticket system's: to create and change tickets";

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new(TicketEnd.System, "The ticket system, by its name in the settings.", "servicenow"),
        new(TicketEnd.Key, "The ticket as people call it, such as `OPS-42`.", "OPS-42"),
        new(TicketEnd.Id, "The ticket's id in that system.", "10042"),
        new("url", "The address of its page.", "https://tickets.example/OPS-42"),
        new(TicketEnd.AtEnd, "What happens to it when the incident ends: `comment`, `close` or `nothing`.", "comment"),
    ];

    protected TicketClient Client => _services.GetRequiredService<TicketClient>();

    protected static string Redact(string text) => Redactor.Redact(text);

    protected string PageOf(string incident) => _services.GetRequiredService<DecisionLinks>().IncidentPage(incident);

    protected override Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        _ = Client.NameOf(parameters.System);
        return base.PrepareAsync(parameters, context, cancellationToken);
    }

    protected override async Task<string?> CheckPermissionsAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        try
        {
            await Client.Open(Client.NameOf(parameters.System)).FindAsync(context.IncidentId, cancellationToken);
            return null;
        }
        catch (StepRefusedException refused)
        {
            return refused.Message;
        }
        catch (TicketException)
        {
            return null;
        }
    }

    protected async Task<Ticket?> FindAsync(
        ITicketSystem tickets, string system, StepContext context, CancellationToken cancellationToken) =>
        await TicketEnd.FindAsync(tickets, await KnownIdAsync(system, context, cancellationToken), context.IncidentId, cancellationToken);

    protected async Task<string?> KnownIdAsync(string system, StepContext context, CancellationToken cancellationToken) =>
        TicketEnd.KnownId(await _services.GetRequiredService<IIncidentStore>().FindAsync(context.IncidentId, cancellationToken), system);

    /// <summary>One step at a time works on the ticket of an incident.</summary>
    protected Task<ActionResult> HoldAsync(
        string system, StepContext context, Func<Task<ActionResult>> work, CancellationToken cancellationToken) =>
        _services.GetRequiredService<ResourceLease>().HoldAsync(
            $"ticket/{system}/{context.IncidentId}", $"The ticket of incident {context.IncidentId}", context, work, cancellationToken);

    protected static ActionResult Done(string words, string system, Ticket ticket, TicketAtEnd? atEnd) => new(words)
    {
        Outputs = new Dictionary<string, string>
        {
            [TicketEnd.System] = system,
            [TicketEnd.Key] = ticket.Key,
            [TicketEnd.Id] = ticket.Id,
            ["url"] = ticket.Url,
            [TicketEnd.AtEnd] = CamelCase.Of(atEnd ?? TicketAtEnd.Nothing),
        },
    };
}

/// <summary>Opens one ticket for each incident and system. One that is there already is found by the incident's id.</summary>
internal sealed class CreateTicket(IServiceProvider services)
    : TicketAction<CreateTicketParameters>(
        services,
        Name,
        "Opens a ticket in ServiceNow, Jira or Azure DevOps, one for each incident; says in it how the incident ended, or closes it.",
        stays: "the ticket stays")
{
    public new const string Name = "ticket.create";

    /// <summary>
    /// After an interrupted attempt, a search may find the new ticket only a moment later: seconds mostly, and at times minutes (Jira).
    /// </summary>
    private static readonly TimeSpan s_longestSearch = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    protected override string Plan(CreateTicketParameters parameters)
    {
        var system = Client.NameOf(parameters.System);
        return $"Open a ticket in {Client.KindOf(system)} '{system}': {parameters.Title}";
    }

    protected override Task<ActionResult> ApplyAsync(
        CreateTicketParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var system = Client.NameOf(parameters.System);
        return HoldAsync(system, context, async () =>
        {
            var tickets = Client.Open(system);
            if (await FindOpenedAsync(tickets, system, context, cancellationToken) is { } known)
            {
                return Done($"The ticket {known.Key} is there already.", system, known, parameters.AtEnd);
            }

            var text = $"{Redactor.Redact(parameters.Text).Trim()}\n\n{PageOf(context.IncidentId)}";
            var opened = await tickets.CreateAsync(
                new(context.IncidentId, Redactor.Redact(parameters.Title), text, TicketFields.Each(parameters.Fields, Redact)),
                cancellationToken);
            return Done($"Opened the ticket {opened.Key}: {opened.Url}", system, opened, parameters.AtEnd);
        }, cancellationToken);
    }

    private async Task<Ticket?> FindOpenedAsync(
        ITicketSystem tickets, string system, StepContext context, CancellationToken cancellationToken)
    {
        var until = context.Time.GetUtcNow() + s_longestSearch;
        while (true)
        {
            var found = await FindAsync(tickets, system, context, cancellationToken);
            if (found is not null || context.Interrupted is null || context.Time.GetUtcNow() >= until)
            {
                return found;
            }

            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }
}

internal sealed class UpdateTicket(IServiceProvider services)
    : TicketAction<UpdateTicketParameters>(
        services,
        "ticket.update",
        "Writes a comment on the incident's ticket, changes its fields, or closes it.",
        stays: "what was written stays written")
{
    protected override string Plan(UpdateTicketParameters parameters)
    {
        var system = Client.NameOf(parameters.System);
        return $"{(parameters.Close ? "Close" : "Comment on")} the incident's ticket in {Client.KindOf(system)} "
            + $"'{system}': {parameters.Text}";
    }

    protected override Task<ActionResult> ApplyAsync(
        UpdateTicketParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var system = Client.NameOf(parameters.System);
        return HoldAsync(system, context, async () =>
        {
            var tickets = Client.Open(system);
            var ticket = await FindAsync(tickets, system, context, cancellationToken)
                ?? throw new StepRefusedException(await KnownIdAsync(system, context, cancellationToken) is null
                    ? $"The incident has no ticket in '{system}'. Open one with {CreateTicket.Name} in a step before."
                    : $"The incident's ticket is not in '{system}' any more.");
            var remark = new TicketRemark(Redactor.Redact(parameters.Text), context.IdempotencyKey)
            {
                Closes = parameters.Close,
                Fields = TicketFields.Each(parameters.Fields, Redact),
            };
            var comment = await TicketEnd.CommentAsync(tickets, ticket, remark, cancellationToken);
            return comment.StaysOpen ? throw new StepRefusedException(comment.Text) : Done(comment.Text, system, ticket, null);
        }, cancellationToken);
    }
}
