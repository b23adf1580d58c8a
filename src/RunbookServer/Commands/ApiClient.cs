using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace RunbookServer.Commands;

/// <summary>Talks to a running host through the same contract as any other client.</summary>
internal sealed class ApiClient(Uri address, string key) : IDisposable
{
    // A redirect would take the key along.
    private readonly HttpClient _http = new(new HttpClientHandler { AllowAutoRedirect = false })
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromSeconds(60),
    };

    public Uri Address => address;

    public Task<(HttpStatusCode Status, JsonNode? Body)> GetAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken);

    public Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, string json, CancellationToken cancellationToken) =>
        PostAsync(path, Encoding.UTF8.GetBytes(json), cancellationToken);

    public Task<(HttpStatusCode Status, JsonNode? Body)> PostAsync(string path, byte[] json, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(json) { Headers = { ContentType = new("application/json") } };
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = content }, cancellationToken);
    }

    /// <summary>A document as text. An answer that is not a success is JSON, as everywhere.</summary>
    public Task<(HttpStatusCode Status, JsonNode? Body)> GetMarkdownAsync(string path, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellationToken, "text/markdown");

    public async Task<JsonNode> GetIncidentAsync(string id, CancellationToken cancellationToken) =>
        (await GetAsync(PathOf(id), cancellationToken)).OrFail().Body!;

    public Task<(HttpStatusCode Status, JsonNode? Body)> PostIncidentAsync(string id, string part, JsonObject body, CancellationToken cancellationToken) =>
        PostAsync($"{PathOf(id)}/{part}", body.ToJsonString(), cancellationToken);

    public static string PathOf(string id) => $"api/incidents/{Uri.EscapeDataString(id)}";

    public void Dispose() => _http.Dispose();

    private async Task<(HttpStatusCode, JsonNode?)> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken, string expected = "application/json")
    {
        request.Headers.Add("X-Api-Key", key);

        // In the Functions app the platform reads the key under this name.
        request.Headers.Add("x-functions-key", key);
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.StatusCode == HttpStatusCode.Unauthorized)
            {
                throw new CommandException(
                    $"{address} refused the key. Name the data folder of the running host with --data, or the key with --key.",
                    ExitCode.Unreachable);
            }

            var (kind, body) = (response.Content.Headers.ContentType?.MediaType, Parse(text));
            if (!IsOurs((int)response.StatusCode, kind, body, expected))
            {
                // A sign-in in front, a firewall, a stopped app, another program: neither their yes nor their no is ours.
                throw new CommandException(
                    $"{address} answers {(int)response.StatusCode}, but not as this program does ({Described(response, kind, body)}). "
                    + "Name the running host itself with --url.",
                    ExitCode.Unreachable);
            }

            return (response.StatusCode, body);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandException($"{address} did not answer within {_http.Timeout.TotalSeconds:0} s.", ExitCode.Unreachable);
        }
        catch (HttpRequestException failure)
        {
            var why = Failures.Innermost(failure);
            throw new CommandException(
                failure.HttpRequestError switch
                {
                    HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError =>
                        $"Nothing answers at {address}: {why} "
                        + $"Start the host with: {ThisProgram.Command} serve; or name a running one with --url.",
                    HttpRequestError.ProxyTunnelError =>
                        $"The proxy does not lead to {address}: {why} Name the address in NO_PROXY where it needs no proxy.",
                    HttpRequestError.SecureConnectionError =>
                        $"{address} answers, but it cannot be talked to: {why} "
                        + "An address with https needs a certificate that this machine trusts.",
                    _ => $"{address} answers, but it cannot be talked to: {why}",
                },
                ExitCode.Unreachable);
        }
    }

    private static string Described(HttpResponseMessage response, string? kind, JsonNode? body)
    {
        if (response.Headers.Location is { } elsewhere)
        {
            return $"it sends to {(elsewhere.IsAbsoluteUri ? elsewhere.GetLeftPart(UriPartial.Path) : elsewhere)}";
        }

        return (int)response.StatusCode >= 400 ? ApiResponses.MessageOf(body) : kind ?? "without a body";
    }

    /// <summary>
    /// This program refuses with a JSON object, or without a body where there is no such address, and never with 429.
    /// Its own faults are known by the status.
    /// </summary>
    private static bool IsOurs(int status, string? kind, JsonNode? body, string expected) => status switch
    {
        < 400 => kind == expected && (expected != "application/json" || body is JsonObject),
        < 500 => body is JsonObject or null && status != 429,
        _ => true,
    };

    private static JsonNode? Parse(string text)
    {
        try
        {
            return text.Length == 0 ? null : JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}

internal static partial class ApiResponses
{
    private const int LongestText = 200;

    /// <exception cref="CommandException">The host said no, or has a fault of its own; the message has its words.</exception>
    public static (HttpStatusCode Status, JsonNode? Body) OrFail(this (HttpStatusCode Status, JsonNode? Body) answer) =>
        (int)answer.Status is >= 200 and < 300
            ? answer
            : throw new CommandException(
                string.Join(
                    Environment.NewLine,
                    [$"The host answered {(int)answer.Status}: {MessageOf(answer.Body)}", .. ProblemsBeside(MessageOf(answer.Body), answer.Body)]),
                (int)answer.Status >= 500 ? ExitCode.Unreachable : ExitCode.Failed);

    /// <param name="key"><c>errors</c> or <c>warnings</c>.</param>
    public static IEnumerable<string> Problems(JsonNode? body, string key) =>
        body is JsonObject && body[key] is JsonArray problems ? problems.Select(ProblemText) : [];

    private static IEnumerable<string> ProblemsBeside(string message, JsonNode? body) => Problems(body, "errors")
        .Where(problem => !message.EndsWith(problem.Split("; ")[^1], StringComparison.Ordinal));

    private static string ProblemText(JsonNode? problem) =>
        problem is JsonObject ? $"{problem["path"]}: {problem["found"]}; {problem["remedy"]}".TrimEnd(' ', ';') : $"{problem}";

    /// <inheritdoc cref="OrFail"/>
    public static int Print(this (HttpStatusCode Status, JsonNode? Body) answer)
    {
        ConsoleOutput.Record($"{answer.OrFail().Body!["message"]}");
        return ExitCode.Done;
    }

    public static string MessageOf(JsonNode? body) => body switch
    {
        JsonObject problem when problem["message"] is { } message => message.ToString(),
        JsonObject problem when problem["detail"] is { } detail => detail.ToString(),
        JsonObject problem when problem["title"] is { } title => title.ToString(),
        null => "no details.",
        _ => Clip.To(Blanks().Replace(Markup().Replace(body.ToString(), " "), " ").Trim(), LongestText),
    };

    /// <summary>For the page of a proxy, or of a platform whose host is not up yet.</summary>
    [GeneratedRegex(
        "<(style|script).*?</(style|script)>|<[^>]*>",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.NonBacktracking)]
    private static partial Regex Markup();

    [GeneratedRegex(@"\s+", RegexOptions.NonBacktracking)]
    private static partial Regex Blanks();
}
