using Runbooks.Execution;
using Runbooks.SignedLinks;
using Runbooks.Storage;

namespace Runbooks.Integrations.Tickets;

/// <summary>
/// Tells the tickets of an incident how it ended, whatever the end, and when a person closed it. The steps have recorded which
/// tickets these are and whether they are closed.
/// </summary>
internal sealed class TicketEnd(TicketClient client, PinnedRunbooks pinned, DecisionLinks links) : IEndHook
{
    public const string System = "system";
    public const string Key = "ticket";
    public const string Id = "id";
    public const string AtEnd = "atEnd";

    public async Task<IReadOnlyList<string>> EndedAsync(Incident incident, CancellationToken cancellationToken)
    {
        var said = new List<string>();
        foreach (var step in incident.Steps.Where(step => step.Action == CreateTicket.Name && step.Status != StepStatus.DryRun))
        {
            var ticket = step.Outputs.ContainsKey(Key) ? step.Outputs : await AskedForAsync(incident, step, cancellationToken);
            if (ticket.GetValueOrDefault(AtEnd) != CamelCase.Of(TicketAtEnd.Nothing)
                && await CommentAsync(incident, ticket, cancellationToken) is { } line)
            {
                said.Add(line);
            }
        }

        return said;
    }

    /// <summary>Reads the ticket by its id where that is known, and searches only where it is not.</summary>
    public static Task<Ticket?> FindAsync(ITicketSystem tickets, string? id, string incident, CancellationToken cancellationToken) =>
        id is null ? tickets.FindAsync(incident, cancellationToken) : tickets.ReadAsync(id, cancellationToken);

    public static string? KnownId(Incident? incident, string system) =>
        incident?.Steps
            .LastOrDefault(step => step.Outputs.GetValueOrDefault(System) == system && step.Outputs.ContainsKey(Key))
            ?.Outputs.GetValueOrDefault(Id);

    /// <summary>Writes the comment once, however often it is called: the mark at its end is searched first.</summary>
    public static async Task<TicketComment> CommentAsync(
        ITicketSystem tickets, Ticket ticket, TicketRemark remark, CancellationToken cancellationToken)
    {
        var mark = TicketMark.OfComment(remark.Key);
        var marked = $"{remark.Text}\n{mark}";
        var wrote = $"Wrote on the ticket {ticket.Key}{(remark.What is null ? "" : $" {remark.What}")}";
        var isWritten = await tickets.HasCommentAsync(ticket, mark, cancellationToken);
        if (remark.Closes && !ticket.IsClosed)
        {
            try
            {
                await tickets.CloseAsync(ticket, marked, isWritten, remark.Fields, cancellationToken);
            }
            catch (StepRefusedException refused)
            {
                // A ticket that cannot be closed can still be written on.
                if (!isWritten && !await tickets.HasCommentAsync(ticket, mark, cancellationToken))
                {
                    await tickets.CommentAsync(ticket, marked, remark.Fields, cancellationToken);
                }

                return new($"{wrote}; it could not be closed: {refused.Message}", StaysOpen: true);
            }
        }
        else if (!isWritten)
        {
            await tickets.CommentAsync(ticket, marked, remark.Fields, cancellationToken);
            return new(remark.Closes ? $"{wrote}; it was closed already." : $"{wrote}.");
        }

        return new(remark.Closes ? $"Closed the ticket {ticket.Key}." : $"{wrote}.");
    }

    /// <summary>Reads from the runbook what the step was to do: a step whose result was lost may have opened a ticket all the same.</summary>
    private async Task<IReadOnlyDictionary<string, string>> AskedForAsync(
        Incident incident, StepRecord step, CancellationToken cancellationToken)
    {
        var steps = (await pinned.OfAsync(incident, cancellationToken)).StepsOf(step.Phase);
        var with = steps.FirstOrDefault(spec => spec.Name == step.Name)?.With;
        return new[] { System, AtEnd }
            .Select(name => (Name: name, Value: Given(name)))
            .Where(setting => setting.Value is not null)
            .ToDictionary(setting => setting.Name, setting => setting.Value!);

        string? Given(string name) =>
            with is { ValueKind: JsonValueKind.Object } given
            && given.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String
                ? value.GetString()
                : null;
    }

    /// <summary>
    /// Where something is left to a person, the ticket is theirs to close, unless they have said that it is done or have had it tried
    /// again: the next incident has a ticket of its own. An incident that only told leaves everything.
    /// </summary>
    private static bool LeavesNothing(Incident incident) => incident switch
    {
        { ClosedByHand: not null } => true,
        { RetriedAs: not null } => ChangeText.InPlace(incident).Count == 0,
        { IsUnfinished: true } => false,
        { State: IncidentState.Resolved } => EndingText.ChangedAnything(incident),
        { State: IncidentState.NotNeeded } => !incident.WasSuppressed(),
        _ => incident.State == IncidentState.SelfRecovered,
    };

    /// <returns>What became of the comment, for the record; null where there was no ticket.</returns>
    private async Task<string?> CommentAsync(
        Incident incident, IReadOnlyDictionary<string, string> ticket, CancellationToken cancellationToken)
    {
        var (moment, what) = incident switch
        {
            { ClosedByHand: not null } => ("closed", "that this is closed"),
            { RetriedAs: not null } => ("retried", "that this is tried again"),
            _ => ("end", "how this ended"),
        };

        // The outcome of a step that becomes known after that is told in a comment of its own.
        if (incident.OutcomesToTell.Count(page => page.At >= incident.ClosedAt) is > 0 and var since)
        {
            (moment, what) = ($"{moment}-known-{since}", $"{what}, and what is known since");
        }

        var close = ticket.GetValueOrDefault(AtEnd) == CamelCase.Of(TicketAtEnd.Close) && LeavesNothing(incident);
        var known = ticket.GetValueOrDefault(Key);
        var next = incident.RetriedAs is { } retry ? $"Tried again as incident {retry}: {links.IncidentPage(retry)}\n" : "";
        try
        {
            var tickets = client.Open(client.NameOf(ticket.GetValueOrDefault(System)));
            if (await FindAsync(tickets, ticket.GetValueOrDefault(Id), incident.Id, cancellationToken) is not { } found)
            {
                return known is null ? null : $"The ticket {known} was not found any more, so it does not say {what}.";
            }

            var text = $"{next}{EndingText.WithHeadline(incident)}\n{links.IncidentPage(incident.Id)}";
            var remark = new TicketRemark(text, $"{incident.Id}:{moment}") { What = what, Closes = close };
            return (await CommentAsync(tickets, found, remark, cancellationToken)).Text;
        }
        catch (Exception failed) when (failed is TicketException or StepRefusedException)
        {
            return known is null
                ? $"Whether a ticket was opened could not be learnt, so none says {what}: {failed.Message}"
                : $"The ticket {known} {(failed is TicketException ? "may not have been told" : "could not be told")} {what}: "
                    + $"{failed.Message}";
        }
    }
}

/// <param name="Key">Identifies the comment, which is to be written once.</param>
internal sealed record TicketRemark(string Text, string Key)
{
    /// <summary>What it tells, for the record: <c>how this ended</c>; null to name nothing.</summary>
    public string? What { get; init; }

    public bool Closes { get; init; }

    /// <inheritdoc cref="TicketDraft.Fields"/>
    public JsonObject? Fields { get; init; }
}

/// <param name="StaysOpen">The ticket was to be closed, and could not be.</param>
internal sealed record TicketComment(string Text, bool StaysOpen = false);
