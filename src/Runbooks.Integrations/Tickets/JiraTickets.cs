using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.Tickets;

/// <summary>Jira Cloud's REST API v3. The incident's id is in a label; texts are Atlassian documents.</summary>
/// <seealso href="https://developer.atlassian.com/cloud/jira/platform/rest/v3/"/>
internal sealed class JiraTickets(TicketClient client, string name, TicketSystemOptions system) : ITicketSystem
{
    private const string Labels = "labels";
    private const string Api = "/rest/api/3";

    public async Task<Ticket?> FindAsync(string incident, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["jql"] = $"project = \"{system.Project}\" AND labels = \"{TicketMark.Of(incident)}\" ORDER BY created ASC",
            ["fields"] = new JsonArray("status"),
            ["maxResults"] = 1,
        };
        var answer = await client.SendAsync(name, HttpMethod.Post, $"{Api}/search/jql", body, "look for the ticket", cancellationToken);
        return (answer?["issues"] as JsonArray)?.FirstOrDefault() is JsonObject found ? Of(found) : null;
    }

    public async Task<Ticket?> ReadAsync(string id, CancellationToken cancellationToken) =>
        await client.ReadAsync(name, $"{Api}/issue/{Uri.EscapeDataString(id)}?fields=status", cancellationToken) is JsonObject found
            ? Of(found)
            : null;

    public async Task<Ticket> CreateAsync(TicketDraft draft, CancellationToken cancellationToken)
    {
        var fields = new JsonObject
        {
            ["project"] = new JsonObject { ["key"] = system.Project },
            ["issuetype"] = new JsonObject { ["name"] = system.Type ?? "Task" },
            ["summary"] = draft.Title,
            ["description"] = Document(draft.Text),
        };
        foreach (var (field, value) in draft.Fields ?? [])
        {
            fields[field] = value?.DeepClone();
        }

        fields[Labels] = new JsonArray(
            [.. (fields[Labels] as JsonArray ?? []).Select(label => label?.DeepClone()), JsonValue.Create(TicketMark.Of(draft.Incident))]);
        var answer = await client.SendAsync(
            name, HttpMethod.Post, $"{Api}/issue", new JsonObject { ["fields"] = fields }, "open a ticket", cancellationToken);
        return Of(answer as JsonObject ?? []);
    }

    public async Task<bool> HasCommentAsync(Ticket ticket, string text, CancellationToken cancellationToken)
    {
        var answer = await client.SendAsync(
            name, HttpMethod.Get, $"{Issue(ticket)}/comment?orderBy=-created&maxResults=50", null, "read the comments", cancellationToken);
        return (answer?["comments"] as JsonArray ?? []).Any(
            comment => comment?["body"] is { } body && Texts(body).Any(words => words.Contains(text, StringComparison.Ordinal)));
    }

    public async Task CommentAsync(Ticket ticket, string text, JsonObject? fields, CancellationToken cancellationToken)
    {
        // The fields come first: setting them again does no harm, and a comment that is there shows that they are set.
        if (fields is { Count: > 0 })
        {
            if (fields.ContainsKey(Labels))
            {
                throw new StepRefusedException("'fields' may not set labels of a ticket that is there: by one of them it is found again.");
            }

            await client.SendAsync(
                name,
                HttpMethod.Put,
                Issue(ticket),
                new JsonObject { ["fields"] = fields.DeepClone() },
                "change the ticket",
                cancellationToken);
        }

        await client.SendAsync(
            name,
            HttpMethod.Post,
            $"{Issue(ticket)}/comment",
            new JsonObject { ["body"] = Document(text) },
            "write a comment",
            cancellationToken);
    }

    /// <summary>Each project has its own way to done: the first transition that leads there is taken.</summary>
    public async Task CloseAsync(Ticket ticket, string text, bool isWritten, JsonObject? fields, CancellationToken cancellationToken)
    {
        if (!isWritten)
        {
            await CommentAsync(ticket, text, fields, cancellationToken);
        }

        var answer = await client.SendAsync(
            name, HttpMethod.Get, $"{Issue(ticket)}/transitions", null, "read its transitions", cancellationToken);
        var transition = (answer?["transitions"] as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(LeadsToClosed)
            ?? throw new StepRefusedException($"Jira '{name}' offers no transition of {ticket.Key} to "
                + $"{system.ClosedState ?? "a status of the category done"}.");
        var body = new JsonObject { ["transition"] = new JsonObject { ["id"] = transition["id"]?.DeepClone() } };
        if (system.CloseCode is { } resolution)
        {
            body["fields"] = new JsonObject { ["resolution"] = new JsonObject { ["name"] = resolution } };
        }

        await client.SendAsync(name, HttpMethod.Post, $"{Issue(ticket)}/transitions", body, "close the ticket", cancellationToken);
    }

    private bool LeadsToClosed(JsonObject transition) => system.ClosedState is { } state
        ? string.Equals(Text(transition["to"]?["name"]), state, StringComparison.OrdinalIgnoreCase)
        : Text(transition["to"]?["statusCategory"]?["key"]) == "done";

    /// <summary>One paragraph a line; an address alone on its line is a link. Nothing in it is markup.</summary>
    private static JsonObject Document(string text) => new()
    {
        ["type"] = "doc",
        ["version"] = 1,
        ["content"] = new JsonArray(
            [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Paragraph)]),
    };

    private static JsonNode Paragraph(string line)
    {
        var words = new JsonObject { ["type"] = "text", ["text"] = line };
        if (Uri.TryCreate(line, UriKind.Absolute, out var link) && link.Scheme is "http" or "https")
        {
            words["marks"] = new JsonArray(new JsonObject { ["type"] = "link", ["attrs"] = new JsonObject { ["href"] = line } });
        }

        return new JsonObject { ["type"] = "paragraph", ["content"] = new JsonArray(words) };
    }

    private static IEnumerable<string> Texts(JsonNode document)
    {
        if (document is not JsonObject node)
        {
            return [];
        }

        var own = Text(node["text"]) is { } text ? [text] : Enumerable.Empty<string>();
        var inner = (node["content"] as JsonArray ?? []).SelectMany(part => part is null ? [] : Texts(part));
        return own.Concat(inner);
    }

    private static string Issue(Ticket ticket) => $"{Api}/issue/{Uri.EscapeDataString(ticket.Key)}";

    private Ticket Of(JsonObject issue)
    {
        var key = Text(issue["key"]) ?? throw new TicketException($"The ticket system '{name}' named no key.");
        return new(
            Text(issue["id"]) ?? key,
            key,
            $"{system.Url.TrimEnd('/')}/browse/{Uri.EscapeDataString(key)}",
            Text(issue["fields"]?["status"]?["statusCategory"]?["key"]) == "done");
    }
}
