using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.Tickets;

/// <summary>ServiceNow's Table API. The incident's id is in <c>correlation_id</c>, the field for another system's id.</summary>
/// <seealso href="https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html"/>
internal sealed class ServiceNowTickets(TicketClient client, string name, TicketSystemOptions system) : ITicketSystem
{
    private const string CorrelationId = "correlation_id";
    private const string Resolved = "6";

    private static readonly string[] s_closed = [Resolved, "7", "8"];

    private string Table => system.Type ?? "incident";

    private string ClosedState => system.ClosedState ?? Resolved;

    public async Task<Ticket?> FindAsync(string incident, CancellationToken cancellationToken)
    {
        var answer = await client.SendAsync(
            name,
            HttpMethod.Get,
            $"{Path()}?sysparm_query={CorrelationId}%3D{Uri.EscapeDataString(incident)}%5EORDERBYsys_created_on"
                + $"&sysparm_fields=sys_id,number,state,{CorrelationId}&sysparm_limit=1",
            null,
            "look for the ticket",
            cancellationToken);
        if ((answer?["result"] as JsonArray)?.FirstOrDefault() is not JsonObject found)
        {
            return null;
        }

        // ServiceNow silently drops a condition on a field that the table does not have, and the search then finds any row.
        return Text(found[CorrelationId]) == incident ? Of(found)
            : throw new StepRefusedException($"The table '{Table}' of the ticket system '{name}' cannot be searched by {CorrelationId}: "
                + "name a table that extends 'task', and let the user read that field.");
    }

    public async Task<Ticket?> ReadAsync(string id, CancellationToken cancellationToken) =>
        (await client.ReadAsync(
            name,
            $"{Path()}/{Uri.EscapeDataString(id)}?sysparm_fields=sys_id,number,state",
            cancellationToken))?["result"] is JsonObject found
            ? Of(found)
            : null;

    public async Task<Ticket> CreateAsync(TicketDraft draft, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["short_description"] = draft.Title,
            ["description"] = Plain(draft.Text),
            [CorrelationId] = draft.Incident,
            ["correlation_display"] = "runbooks",
        };
        Add(body, draft.Fields);
        var answer = await client.SendAsync(
            name, HttpMethod.Post, $"{Path()}?sysparm_fields=sys_id,number,state", body, "open a ticket", cancellationToken);
        return Of(answer?["result"] as JsonObject ?? []);
    }

    public async Task<bool> HasCommentAsync(Ticket ticket, string text, CancellationToken cancellationToken)
    {
        // The raw value of a journal is empty; its display value has all of its entries.
        var answer = await client.SendAsync(
            name,
            HttpMethod.Get,
            $"{Path(ticket)}?sysparm_fields=work_notes&sysparm_display_value=true",
            null,
            "read the comments",
            cancellationToken);
        return Text(answer?["result"]?["work_notes"])?.Contains(text, StringComparison.Ordinal) == true;
    }

    public Task CommentAsync(Ticket ticket, string text, JsonObject? fields, CancellationToken cancellationToken) =>
        ChangeAsync(ticket, new JsonObject { ["work_notes"] = Plain(text) }, fields, "write a comment", cancellationToken);

    public async Task CloseAsync(Ticket ticket, string text, bool isWritten, JsonObject? fields, CancellationToken cancellationToken)
    {
        JsonObject body = isWritten ? [] : new() { ["work_notes"] = Plain(text) };
        body["state"] = ClosedState;
        body["close_code"] = system.CloseCode ?? "Solution provided";
        body["close_notes"] = Plain(text);
        var answer = await ChangeAsync(ticket, body, fields, "close the ticket", cancellationToken);

        // ServiceNow silently leaves out what the user may not write.
        if (Text(answer?["result"]?["state"]) is { } state && state != body["state"]?.ToString())
        {
            throw new StepRefusedException($"ServiceNow '{name}' shows the state '{state}' after it: "
                + "the user may not write it, or a rule of the table sets another.");
        }
    }

    private Task<JsonNode?> ChangeAsync(
        Ticket ticket, JsonObject body, JsonObject? fields, string what, CancellationToken cancellationToken)
    {
        Add(body, fields);
        return client.SendAsync(name, HttpMethod.Patch, $"{Path(ticket)}?sysparm_fields=sys_id,state", body, what, cancellationToken);
    }

    private static void Add(JsonObject body, JsonObject? fields)
    {
        foreach (var (field, value) in fields ?? [])
        {
            body[field] = field == CorrelationId
                ? throw new StepRefusedException($"'fields' may not set {CorrelationId}: by it the ticket is found again.")
                : TicketFields.Each(value, Plain);
        }
    }

    /// <summary>Between <c>[code]</c> tags, ServiceNow shows text as HTML.</summary>
    private static string Plain(string text) =>
        text.Replace("[code]", "[ code]", StringComparison.OrdinalIgnoreCase).Replace(
            "[/code]", "[ /code]", StringComparison.OrdinalIgnoreCase);

    private string Path() => $"/api/now/table/{Uri.EscapeDataString(Table)}";

    private string Path(Ticket ticket) => $"{Path()}/{Uri.EscapeDataString(ticket.Id)}";

    private Ticket Of(JsonObject row)
    {
        var id = Text(row["sys_id"]) ?? throw new TicketException($"The ticket system '{name}' named no sys_id.");
        return new(
            id, Text(row["number"]) ?? id, $"{system.Url.TrimEnd('/')}/nav_to.do?uri={Uri.EscapeDataString($"{Table}.do?sys_id={id}")}",
            Text(row["state"]) is { } state && (state == ClosedState || (Table == "incident" && s_closed.Contains(state))));
    }
}
