using static Runbooks.Integrations.Http.JsonAnswer;

namespace Runbooks.Integrations.Tickets;

internal sealed class TicketClient(IHttpClientFactory clients, IOptions<TicketsOptions> options)
{
    public const string Client = "tickets";

    public string NameOf(string? name)
    {
        var (found, problem) = ConfiguredName.Find(
            name,
            options.Value.Default,
            options.Value.Systems,
            "ticket system",
            TicketsOptions.SectionName,
            "Systems:{0}",
            "name a system in the step");
        return found ?? throw new StepRefusedException(problem!);
    }

    public TicketKind KindOf(string name) => options.Value.Systems[name].Kind;

    public ITicketSystem Open(string name)
    {
        var system = options.Value.Systems[name];
        return system.Kind switch
        {
            TicketKind.ServiceNow => new ServiceNowTickets(this, name, system),
            TicketKind.Jira => new JiraTickets(this, name, system),
            _ => new AzureDevOpsTickets(this, name, system),
        };
    }

    public Task<JsonNode?> ReadAsync(string name, string path, CancellationToken cancellationToken) =>
        SendAsync(name, HttpMethod.Get, path, null, "read the ticket", "application/json", mayBeGone: true, cancellationToken);

    /// <param name="path">Below the system's root, escaped.</param>
    /// <param name="what">Follows "to": <c>open a ticket</c>.</param>
    public Task<JsonNode?> SendAsync(
        string name,
        HttpMethod method,
        string path,
        JsonNode? body,
        string what,
        CancellationToken cancellationToken,
        string contentType = "application/json") =>
        SendAsync(name, method, path, body, what, contentType, mayBeGone: false, cancellationToken);

    private async Task<JsonNode?> SendAsync(
        string name,
        HttpMethod method,
        string path,
        JsonNode? body,
        string what,
        string contentType,
        bool mayBeGone,
        CancellationToken cancellationToken)
    {
        var system = options.Value.Systems[name];
        using var request = new HttpRequestMessage(method, $"{system.Url.TrimEnd('/')}{path}");
        request.Headers.Authorization = system is { Kind: TicketKind.ServiceNow, User: null }
            ? new AuthenticationHeaderValue("Bearer", system.Secret)
            : new AuthenticationHeaderValue(
                "Basic",
                Convert.ToBase64String(
                    Encoding.UTF8.GetBytes($"{(system.Kind == TicketKind.AzureDevOps ? "" : system.User)}:{system.Secret}")));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        request.Content = body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, contentType);
        var (status, text) = await clients.CreateClient(Client).ReadAsync(
            request, unreachable => new TicketException(
                $"The ticket system '{name}' {OwnNetwork.Describe(unreachable, what)}", unreachable),
            cancellationToken);
        return mayBeGone && status == 404 ? null : Read(name, status, text, what);
    }

    private static JsonNode? Read(string name, int status, string text, string what)
    {
        // For an invalid token Azure DevOps answers 203 with its sign-in page.
        if (status is 401 or 203)
        {
            throw new StepRefusedException($"The ticket system '{name}' does not know the user or the secret. "
                + $"Look at {TicketsOptions.SectionName}:Systems:{name}.");
        }

        var json = Parse(text);
        if (status is >= 200 and <= 299)
        {
            return json
                ?? (text.Length == 0 ? null : throw new TicketException($"The ticket system '{name}' answered no JSON to: {what}."));
        }

        var words = $"The ticket system '{name}' answered {status} to: {what}. {MessageOf(json, text)}";
        throw status is 400 or 403 or 404 or 405 or 422 ? new StepRefusedException(words) : new TicketException(words);
    }

    /// <summary>
    /// ServiceNow writes <c>error.message</c> and <c>error.detail</c>, Jira <c>errorMessages</c> and <c>errors</c> by field, Azure
    /// DevOps <c>message</c>.
    /// </summary>
    private static string MessageOf(JsonNode? json, string text)
    {
        if (json is not JsonObject answer)
        {
            return Clip.To(text.Trim(), 200);
        }

        var service = answer["error"] as JsonObject;
        IEnumerable<string?> said =
        [
            Text(answer["message"]), Text(service?["message"]), Text(service?["detail"]),
            .. (answer["errorMessages"] as JsonArray ?? []).Select(Text),
            .. (answer["errors"] as JsonObject ?? []).Select(field => $"{field.Key}: {Text(field.Value)}"),
        ];
        return Clip.To(string.Join(' ', said.Where(one => !string.IsNullOrWhiteSpace(one))), 300);
    }
}

/// <summary>Section <c>Tickets</c>.</summary>
public sealed class TicketsOptions : IValidatableObject
{
    public const string SectionName = "Tickets";

    /// <summary>The system of steps that name none; not needed when there is only one.</summary>
    public string? Default { get; set; }

    /// <summary>By the name that runbooks use.</summary>
    public IDictionary<string, TicketSystemOptions> Systems { get; } = new Dictionary<string, TicketSystemOptions>(StringComparer.Ordinal);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. ConfiguredName.DefaultProblems(SectionName, "Systems", Default, Systems),
        .. Systems.SelectMany(system => system.Value.Problems($"{SectionName}:Systems:{system.Key}")),
    ];
}

/// <summary>One system in which tickets are opened.</summary>
public sealed class TicketSystemOptions
{
    /// <summary><c>ServiceNow</c>, <c>Jira</c> or <c>AzureDevOps</c>.</summary>
    public TicketKind Kind { get; set; }

    /// <summary>The root: <c>https://example.service-now.com</c>, <c>https://example.atlassian.net</c>, <c>https://dev.azure.com/example</c>.</summary>
    public string Url { get; set; } = "";

    /// <summary>
    /// Jira: the e-mail address that the API token belongs to. ServiceNow: the user; without one, the secret is an OAuth token.
    /// Azure DevOps needs none.
    /// </summary>
    public string? User { get; set; }

    /// <summary>
    /// ServiceNow: the password, or an OAuth token. Jira: an API token. Azure DevOps: a personal access token with
    /// <c>vso.work_write</c>.
    /// </summary>
    [Secret]
    public string? Secret { get; set; }

    /// <summary>Jira: the key of the project. Azure DevOps: its name. ServiceNow has none.</summary>
    public string? Project { get; set; }

    /// <summary>ServiceNow: the table, <c>incident</c> unless named. Jira: the type, <c>Task</c>. Azure DevOps: the type, <c>Issue</c>.</summary>
    public string? Type { get; set; }

    /// <summary>
    /// The state of a closed ticket. ServiceNow: <c>6</c>, resolved, unless named. Azure DevOps: the first state of its type that
    /// counts as completed. Jira: the first transition to a status of the category done, or the one to the status of this name.
    /// </summary>
    public string? ClosedState { get; set; }

    /// <summary>
    /// ServiceNow: what goes with the closed state, as its list has it; <c>Solution provided</c> unless named. Jira: the resolution,
    /// where a project asks for one when an issue is closed.
    /// </summary>
    public string? CloseCode { get; set; }

    internal IEnumerable<ValidationResult> Problems(string setting) =>
    [
        .. HttpsUrl.Problems(
            $"{setting}:Url",
            Url,
            "https://example.service-now.com, https://example.atlassian.net or https://dev.azure.com/example",
            added: Kind switch { TicketKind.ServiceNow => "/api/now", TicketKind.Jira => "/rest/api/3", _ => "/_apis" }),
        .. Kind != TicketKind.ServiceNow && string.IsNullOrWhiteSpace(Project)
            ? [new($"{setting}:Project is missing: {Kind} opens tickets in a project.")]
            : Array.Empty<ValidationResult>(),
        .. Kind == TicketKind.Jira && string.IsNullOrWhiteSpace(User)
            ? [new($"{setting}:User is missing: Jira wants the e-mail address that the API token belongs to.")]
            : Array.Empty<ValidationResult>(),
        .. string.IsNullOrEmpty(Secret) ? [new($"{setting}:Secret is missing.")] : Array.Empty<ValidationResult>(),
    ];
}

public enum TicketKind { ServiceNow, Jira, AzureDevOps }

/// <summary>
/// One kind of ticket system. The ticket of an incident carries the incident's id in a field that can be searched. A search may
/// not see a ticket that is only a moment old; one whose id is on record is read by its id.
/// </summary>
internal interface ITicketSystem
{
    Task<Ticket?> FindAsync(string incident, CancellationToken cancellationToken);

    Task<Ticket?> ReadAsync(string id, CancellationToken cancellationToken);

    Task<Ticket> CreateAsync(TicketDraft draft, CancellationToken cancellationToken);

    Task<bool> HasCommentAsync(Ticket ticket, string text, CancellationToken cancellationToken);

    /// <param name="fields">Other fields to change, by the system's own names; null for none.</param>
    Task CommentAsync(Ticket ticket, string text, JsonObject? fields, CancellationToken cancellationToken);

    /// <summary>Closes it, with the text as the last comment. The comment may be written even where the ticket cannot be closed.</summary>
    /// <exception cref="StepRefusedException">It cannot be closed.</exception>
    /// <param name="isWritten">The comment is there already: an earlier attempt was cut off after it.</param>
    Task CloseAsync(Ticket ticket, string text, bool isWritten, JsonObject? fields, CancellationToken cancellationToken);
}

/// <param name="Key">As people say it: <c>INC0010023</c>, <c>OPS-12</c>, <c>345</c>.</param>
internal sealed record Ticket(string Id, string Key, string Url, bool IsClosed)
{
    /// <summary>Azure DevOps: the state that closes a ticket of its type; null where there is none.</summary>
    public string? ClosedState { get; init; }
}

/// <param name="Fields">Other fields, by the system's own names; null for none.</param>
internal sealed record TicketDraft(string Incident, string Title, string Text, JsonObject? Fields);

internal static class TicketMark
{
    /// <summary>
    /// The label or tag of an incident's ticket. It needs no escaping in a query: ids of incidents are lower-case letters, digits and
    /// dashes.
    /// </summary>
    public static string Of(string incident) => $"runbook-{incident}";

    /// <summary>
    /// Ends a comment, so that the same one is not written twice after a crash. It is searched in longer texts, so it ends with a
    /// character that no name has: the mark of <c>note</c> must not be a part of that of <c>note-start</c>.
    /// </summary>
    public static string OfComment(string key) => $"runbooks:{key};";
}

internal static class TicketFields
{
    public static JsonObject? Each(JsonObject? fields, Func<string, string> change) =>
        fields is null ? null : new(fields.Select(field => KeyValuePair.Create(field.Key, Each(field.Value, change))));

    public static JsonNode? Each(JsonNode? value, Func<string, string> change) => value switch
    {
        JsonObject inner => Each(inner, change),
        JsonArray items => new JsonArray([.. items.Select(item => Each(item, change))]),
        JsonValue text when text.TryGetValue<string>(out var words) => JsonValue.Create(change(words)),
        _ => value?.DeepClone(),
    };
}

/// <summary>The system could not be asked, or answered with an error; the message is for people. Trying again may help.</summary>
internal sealed class TicketException(string message, Exception? inner = null) : Exception(message, inner);
