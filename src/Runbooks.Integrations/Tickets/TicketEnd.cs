using System.Text.Json.Nodes;
using Runbooks.Catalog.Steps;
using Runbooks.Execution;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.SignedLinks;

namespace Runbooks.Integrations.Tickets;

/// <summary>Tells the tickets of an incident how it ended: rejected, failed or mended alike. Which ones, and whether they are closed, their steps recorded.</summary>
internal sealed class TicketEnd(TicketClient client, DecisionLinks links) : IEndHook
{
    public const string System = "system";
    public const string Key = "ticket";
    public const string Id = "id";
    public const string AtEnd = "atEnd";

    private const string Last = "end";

    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var said = new List<string>();
        foreach (var step in incident.Steps.Where(step => step.Action == CreateTicket.Name && step.Outputs.ContainsKey(Key)))
        {
            if (step.Outputs.GetValueOrDefault(AtEnd) != CamelCase.Of(TicketAtEnd.Nothing))
            {
                said.Add(await TellAsync(incident, step.Outputs, cancellationToken));
            }
        }

        return said;
    }

    /// <summary>A ticket of an incident's own: read where its id is known, and searched only where it is not.</summary>
    public static Task<Ticket?> FindAsync(ITicketSystem tickets, string? id, string incident, CancellationToken cancellationToken) =>
        id is null ? tickets.FindAsync(incident, cancellationToken) : tickets.ReadAsync(id, cancellationToken);

    /// <summary>The id of the ticket that a step of the incident opened in this system, or found there.</summary>
    public static string? KnownId(Incident? incident, string system) =>
        incident?.Steps.LastOrDefault(step => step.Outputs.GetValueOrDefault(System) == system && step.Outputs.ContainsKey(Key))?.Outputs.GetValueOrDefault(Id);

    /// <summary>Once, however often it is called: the comment ends with a mark by which it is known again.</summary>
    /// <param name="key">Names the comment.</param>
    public static async Task TellAsync(ITicketSystem tickets, Ticket ticket, string text, string key, bool close, JsonObject? fields, CancellationToken cancellationToken)
    {
        var mark = TicketMark.OfComment(key);
        var written = await tickets.HasCommentAsync(ticket, mark, cancellationToken);
        if (close && !ticket.IsClosed)
        {
            await tickets.CloseAsync(ticket, $"{text}\n{mark}", written, fields, cancellationToken);
        }
        else if (!written)
        {
            await tickets.CommentAsync(ticket, $"{text}\n{mark}", fields, cancellationToken);
        }
    }

    /// <returns>What became of it, for the record.</returns>
    private async Task<string> TellAsync(Incident incident, IReadOnlyDictionary<string, string> ticket, CancellationToken cancellationToken)
    {
        // Where something is left to a person, the ticket is theirs to close.
        var close = ticket.GetValueOrDefault(AtEnd) == CamelCase.Of(TicketAtEnd.Close) && !incident.IsUnfinished && incident.State is IncidentState.Resolved or IncidentState.NotNeeded or IncidentState.SelfRecovered;
        try
        {
            var tickets = client.Open(client.NameOf(ticket.GetValueOrDefault(System)));
            if (await FindAsync(tickets, ticket.GetValueOrDefault(Id), incident.Id, cancellationToken) is not { } found)
            {
                return $"The ticket {ticket[Key]} was not found any more, so it does not say how this ended.";
            }

            var headline = EndingText.Headline(incident);
            var text = incident.Reason is { } reason && !reason.StartsWith(headline, StringComparison.Ordinal) ? $"{headline}. {reason}" : incident.Reason ?? headline;
            await TellAsync(tickets, found, $"{text}\n{links.IncidentPage(incident.Id)}", $"{incident.Id}:{Last}", close, null, cancellationToken);
            return close ? $"Closed the ticket {found.Key}." : $"Wrote on the ticket {found.Key} how this ended.";
        }
        catch (Exception failed) when (failed is TicketException or StepRefusedException)
        {
            return $"The ticket {ticket[Key]} could not be told how this ended: {failed.Message}";
        }
    }
}
