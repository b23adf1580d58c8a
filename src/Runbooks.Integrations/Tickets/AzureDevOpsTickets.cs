using System.Net;
using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.Tickets;

/// <summary>Work items of Azure DevOps. The incident's id is in a tag. Description and history are HTML, so texts are encoded.</summary>
/// <seealso href="https://learn.microsoft.com/rest/api/azure/devops/wit/work-items"/>
internal sealed partial class AzureDevOpsTickets(TicketClient client, string name, TicketSystemOptions system) : ITicketSystem
{
    private const string Completed = "Completed";
    private const string Removed = "Removed";
    private const string Version = "api-version=7.1";
    private const string Tags = "System.Tags";
    private const string State = "System.State";
    private const string Type = "System.WorkItemType";

    public async Task<Ticket?> FindAsync(string incident, CancellationToken cancellationToken)
    {
        var query = $"SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project AND [{Tags}] CONTAINS "
            + $"'{TicketMark.Of(incident)}' ORDER BY [System.Id]";
        var answer = await client.SendAsync(
            name,
            HttpMethod.Post,
            $"{Root}/wiql?$top=1&{Version}",
            new JsonObject { ["query"] = query },
            "look for the ticket",
            cancellationToken);
        return (answer?["workItems"] as JsonArray)?.FirstOrDefault()?["id"] is { } id
            ? await ReadAsync($"{id.GetValue<int>()}", cancellationToken)
            : null;
    }

    public async Task<Ticket?> ReadAsync(string id, CancellationToken cancellationToken)
    {
        var found = await client.ReadAsync(
            name, $"{Root}/workitems/{Uri.EscapeDataString(id)}?fields={State},{Type}&{Version}", cancellationToken);
        if (found is null)
        {
            return null;
        }

        var state = Text(found["fields"]?[State]);
        if (system.ClosedState is { } closed)
        {
            return Of(found, state == closed) with { ClosedState = closed };
        }

        var states = await StatesAsync(Text(found["fields"]?[Type]), cancellationToken);
        var isClosed = states.Any(one => one.Name == state && one.Category is Completed or Removed);
        return Of(found, isClosed) with { ClosedState = states.FirstOrDefault(one => one.Category == Completed).Name };
    }

    public async Task<Ticket> CreateAsync(TicketDraft draft, CancellationToken cancellationToken)
    {
        var fields = draft.Fields?.DeepClone().AsObject() ?? [];
        var tags = Text(fields[Tags]);
        fields.Remove(Tags);
        JsonArray patch =
        [
            Set("System.Title", draft.Title),
            Set("System.Description", Html(draft.Text)),
            Set(Tags, string.Join("; ", new[] { tags, TicketMark.Of(draft.Incident) }.OfType<string>())),
            .. fields.Select(field => Set(field.Key, TicketFields.Each(field.Value, Plain))),
        ];
        return Of(await ChangeAsync(
            HttpMethod.Post, $"/workitems/${Uri.EscapeDataString(system.Type ?? "Issue")}", patch, "open a ticket", cancellationToken));
    }

    public async Task<bool> HasCommentAsync(Ticket ticket, string text, CancellationToken cancellationToken)
    {
        // The API of comments has no stable version yet.
        var answer = await client.SendAsync(
            name,
            HttpMethod.Get,
            $"{Root}/workItems/{ticket.Id}/comments?$top=50&order=desc&{Version}-preview.4",
            null,
            "read the comments",
            cancellationToken);
        return (answer?["comments"] as JsonArray ?? []).Any(
            comment => WebUtility.HtmlDecode(Text(comment?["text"]) ?? "").Contains(text, StringComparison.Ordinal));
    }

    public Task CommentAsync(Ticket ticket, string text, JsonObject? fields, CancellationToken cancellationToken) =>
        ChangeAsync(
            HttpMethod.Patch,
            $"/workitems/{ticket.Id}",
            [Set("System.History", Html(text)), .. Others(fields)],
            "write a comment",
            cancellationToken);

    public async Task CloseAsync(Ticket ticket, string text, bool isWritten, JsonObject? fields, CancellationToken cancellationToken)
    {
        var state = ticket.ClosedState
            ?? throw new StepRefusedException($"No state of its type counts as completed in Azure DevOps '{name}'.");
        IEnumerable<JsonNode> comment = isWritten ? [] : [Set("System.History", Html(text))];
        await ChangeAsync(
            HttpMethod.Patch,
            $"/workitems/{ticket.Id}",
            [.. comment, Set(State, state), .. Others(fields)],
            "close the ticket",
            cancellationToken);
    }

    /// <summary>The states of a work item's type depend on the process: the last one of Basic is Done, of Agile Closed.</summary>
    private async Task<IReadOnlyList<(string? Name, string? Category)>> StatesAsync(string? type, CancellationToken cancellationToken)
    {
        var answer = await client.SendAsync(
            name,
            HttpMethod.Get,
            $"{Root}/workitemtypes/{Uri.EscapeDataString(type ?? "")}/states?{Version}",
            null,
            "read its states",
            cancellationToken);
        return [.. (answer?["value"] as JsonArray ?? []).Select(state => (Text(state?["name"]), Text(state?["category"])))];
    }

    private static IEnumerable<JsonNode> Others(JsonObject? fields) => (fields ?? []).Select(field => field.Key == Tags
        ? throw new StepRefusedException($"'fields' may not set {Tags} of a ticket that is there: by one of them it is found again.")
        : Set(field.Key, TicketFields.Each(field.Value, Plain)));

    private static JsonObject Set(string field, JsonNode? value) =>
        new() { ["op"] = "add", ["path"] = $"/fields/{field}", ["value"] = value };

    private static string Html(string text) =>
        string.Join("<br>", text.Split('\n', StringSplitOptions.TrimEntries).Select(WebUtility.HtmlEncode));

    /// <summary>Some fields are HTML and others are not, which only the project knows. With a blank in it, a tag is text in both.</summary>
    private static string Plain(string text) => Tag().Replace(text, "< $1");

    [GeneratedRegex("<([A-Za-z/!?])", RegexOptions.NonBacktracking)]
    private static partial Regex Tag();

    private Task<JsonNode?> ChangeAsync(
        HttpMethod method, string path, JsonArray patch, string what, CancellationToken cancellationToken) =>
        client.SendAsync(name, method, $"{Root}{path}?{Version}", patch, what, cancellationToken, "application/json-patch+json");

    private string Root => $"/{Uri.EscapeDataString(system.Project ?? "")}/_apis/wit";

    private Ticket Of(JsonNode? item, bool isClosed = false)
    {
        var id = item?["id"] is JsonValue number && number.TryGetValue<int>(out var found)
            ? found.ToString(CultureInfo.InvariantCulture)
            : throw new TicketException($"The ticket system '{name}' named no id.");
        return new(id, id, $"{system.Url.TrimEnd('/')}/{Uri.EscapeDataString(system.Project ?? "")}/_workitems/edit/{id}", isClosed);
    }
}
