using System.Text.Json.Serialization;
using Microsoft.Net.Http.Headers;
using Runbooks.Catalog.Matching;
using Runbooks.Intake.Parsing.AzureMonitor;
using Runbooks.Model.Alerts;
using Runbooks.Watchdog;

namespace Runbooks.Web.Intake;

/// <summary><c>POST /api/alerts/{source}</c>, and <c>OPTIONS</c> for a sender that asks first.</summary>
public sealed class AlertsHandler(
    AlertReader reader,
    IncidentIntake intake,
    LoadedRunbooks loaded,
    LostAlerts lost,
    AzureMonitorSilence azureMonitor,
    RefusedRequests refused,
    HttpRequestRunner runner,
    ILogger<AlertsHandler> logger)
{
    public async Task<IResult> PostAsync(HttpRequest request, string source)
    {
        // An unknown source is another mistake, and gets another answer.
        if (Actor.Of(request) is { } actor && reader.Knows(source) && !actor.MayPostFor(source))
        {
            return await runner.RunAsync(request, cancellationToken => RefuseAsync(actor, request, source, cancellationToken), Caller.Sender);
        }

        return HttpMethods.IsOptions(request.Method)
            ? EventGridHandshake.Permit(request, source)
            : await runner.RunAsync(request, cancellationToken => ReceiveAsync(request, source, cancellationToken), Caller.Sender);
    }

    private async Task<IResult> RefuseAsync(Actor actor, HttpRequest request, string source, CancellationToken cancellationToken)
    {
        var given = reader.NameOf(source);
        var may = string.Join(", ", actor.Sources);
        var what = $"{request.Method} /api/alerts/{given}";
        Log.SourceRefused(logger, actor.Who, may, what);
        await refused.RecordAsync(actor.Who, what, $"sender of {may}", cancellationToken);
        if (HttpMethods.IsPost(request.Method))
        {
            // Few senders repeat what was refused.
            await lost.RecordAsync(given, alerts: 0, $"{actor.Who} may post for {may} alone.", cancellationToken);
        }

        return ApiResults.Problem(
            StatusCodes.Status403Forbidden,
            $"Nothing of this post was taken: {actor.Who} may post to /api/alerts/{{source}} for {may} alone, and this is '{given}'. "
            + "Add it to the Sources of that key (setting ApiKeys:Named), or post with another key.");
    }

    private async Task<IResult> ReceiveAsync(HttpRequest request, string source, CancellationToken cancellationToken)
    {
        if (!reader.Knows(source))
        {
            var known = string.Join(", ", reader.Sources);
            await lost.RecordAsync(
                LostAlerts.UnknownSender, alerts: 0, $"'{Clip.To(source, 80)}' is no known sender; known: {known}.", cancellationToken);
            return ApiResults.Problem(StatusCodes.Status404NotFound, $"This sender is not known. Known: {known}.");
        }

        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding
            && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            var compressed = $"The post is compressed (Content-Encoding: {Clip.To(encoding, 40)}), and no compressed post is read. "
                + "Send it uncompressed.";
            await lost.RecordAsync(reader.NameOf(source), alerts: 0, compressed, cancellationToken);
            return ApiResults.Problem(StatusCodes.Status415UnsupportedMediaType, compressed);
        }

        if (await ReadAsync(request, cancellationToken) is not (var body, var whole))
        {
            await lost.RecordAsync(reader.NameOf(source), alerts: 0, "The post stopped in the middle.", cancellationToken);
            return ApiResults.TryAgain(request, "The post stopped in the middle. Nothing of it was taken. Send it again.");
        }

        if (!whole)
        {
            return await HandleTruncatedAsync(request, source, body, cancellationToken);
        }

        if (EventGridHandshake.Answer(source, body) is { } answer)
        {
            return answer;
        }

        var parsed = await ParseAsync(request, source, body, tooLarge: null, cancellationToken);
        if (parsed.IsRefused)
        {
            return ApiResults.Problem(StatusCodes.Status400BadRequest, "The post could not be understood.", parsed.Errors);
        }

        var outcomes = await ReceiveAsync(request, source, parsed, cancellationToken);
        return ApiResults.Json(IntakeResponse.Of(outcomes, parsed), StatusCodes.Status202Accepted);
    }

    /// <summary>
    /// Hardly any sender repeats a post that was too large, so the complete alerts in its first part are taken. A sender of groups would
    /// repeat it while the group fires, and would not report the end of a refused group, so it gets no refusal where something was taken.
    /// </summary>
    private async Task<IResult> HandleTruncatedAsync(
        HttpRequest request, string source, ReadOnlyMemory<byte> begin, CancellationToken cancellationToken)
    {
        var tooLarge = new AlertError(
            "$",
            $"more than {RequestBody.MaxAlerts / 1024} KB, of which the first were read",
            "send fewer alerts in one post (Alertmanager: a finer group_by)");
        var parsed = await ParseAsync(request, source, CutPost.Close(begin), tooLarge, cancellationToken);
        var response = IntakeResponse.Of(await ReceiveAsync(request, source, parsed, cancellationToken), parsed);
        if (!parsed.IsRefused && AlertSource.SendsGroups(reader.NameOf(source)))
        {
            return ApiResults.Json(response, StatusCodes.Status202Accepted);
        }

        var taken = parsed.IsRefused ? "Nothing of it was taken." : "The alerts that are whole in its first part were taken.";
        var refusal = response with
        {
            Title = $"The body is larger than {RequestBody.MaxAlerts / 1024} KB. Send fewer alerts at once. {taken}",
            Status = StatusCodes.Status413PayloadTooLarge,
        };
        return ApiResults.Json(refusal, StatusCodes.Status413PayloadTooLarge, ApiResults.ProblemType);
    }

    private async Task<ParsedAlerts> ParseAsync(
        HttpRequest request, string source, ReadOnlyMemory<byte>? body, AlertError? tooLarge, CancellationToken cancellationToken)
    {
        var charset = MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            ? HeaderUtilities.RemoveQuotes(type.Charset).Value
            : null;
        var parsed = body is { } json ? reader.Read(source, json, charset) : new([], []);
        if (parsed is { IsRefused: true, Errors: [{ Path: "$" } noJson] } && request.HasFormContentType)
        {
            var remedy = $"its Content-Type is that of a form ({type?.MediaType}): {noJson.Remedy}";
            parsed = parsed with { Errors = [noJson with { Remedy = remedy }] };
        }

        if (tooLarge is not null)
        {
            parsed = parsed with { Errors = [tooLarge, .. parsed.Errors], Lost = parsed.Lost + 1 };
        }

        if (parsed.Errors.Count > 0)
        {
            Log.PostRefused(logger, source, string.Join(" | ", parsed.Errors));
        }

        if (parsed.Warnings.Count > 0)
        {
            Log.PostGuessed(logger, source, string.Join(" | ", parsed.Warnings));
        }

        if (parsed is { IsRefused: true, Lost: > 0 })
        {
            await RecordLostAsync(source, parsed, cancellationToken);
        }

        return parsed;
    }

    /// <summary>The readable alerts are recorded first, since paging about the rest may take a moment.</summary>
    private async Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(
        HttpRequest request, string source, ParsedAlerts parsed, CancellationToken cancellationToken)
    {
        if (parsed.IsRefused)
        {
            return [];
        }

        await azureMonitor.NoteAsync(parsed.Alerts, cancellationToken);
        var outcomes = await ReceiveAsync(request, source, parsed.Alerts, cancellationToken);
        if (parsed.Lost > 0)
        {
            await RecordLostAsync(source, parsed, cancellationToken);
        }

        // An alert may name its runbook. People should hear before an outage that it was renamed or removed.
        var runbooks = loaded();
        var misdirected = parsed.Alerts
            .Where(alert => alert is { Runbook: not null, Status: AlertStatus.Firing })
            .Select(alert => RunbookMatcher.Match(alert, runbooks).Reason)
            .OfType<string>()
            .ToList();
        if (misdirected.Count > 0)
        {
            await lost.RecordAsync(reader.NameOf(source), misdirected.Count, misdirected[0], cancellationToken);
        }

        return outcomes;
    }

    private async Task<IReadOnlyList<IntakeOutcome>> ReceiveAsync(
        HttpRequest request, string source, IReadOnlyList<Alert> alerts, CancellationToken cancellationToken)
    {
        try
        {
            return await intake.ReceiveAsync(alerts, request.Headers.TraceParent, cancellationToken);
        }
        catch (Exception unreadable) when (IncidentStoreExtensions.IsUnreadable(unreadable))
        {
            // Trying again does not help: this program cannot read the record.
            await lost.RecordAsync(
                reader.NameOf(source),
                1,
                "The record of an incident that it belongs to cannot be read: "
                + "a newer version of this program wrote it, or it is damaged.",
                cancellationToken);
            throw;
        }
    }

    private Task RecordLostAsync(string source, ParsedAlerts parsed, CancellationToken cancellationToken) =>
        lost.RecordAsync(reader.NameOf(source), parsed.Lost, parsed.Errors[0].ToString(), cancellationToken);

    /// <returns>Null when it stopped in the middle, even where the sender hung up: it may not come again.</returns>
    private static async Task<(ReadOnlyMemory<byte> Begin, bool Whole)?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await RequestBody.ReadBeginAsync(request, RequestBody.MaxAlerts, cancellationToken);
        }
        catch (BadHttpRequestException refused) when (refused.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            // The server itself refuses to read a body this large.
            return (default, false);
        }
        catch (IOException)
        {
            return null;
        }
    }
}

/// <param name="Errors">About alerts of the same post that were not taken. This and the others are left out when there are none.</param>
/// <param name="Lost">How many alerts were not taken; the lowest possible number where they cannot be counted.</param>
internal sealed record IntakeResponse(
    IReadOnlyList<IntakeOutcome> Incidents,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AlertError>? Errors = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<AlertError>? Warnings = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Lost = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Title = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Status = null)
{
    public static IntakeResponse Of(IReadOnlyList<IntakeOutcome> outcomes, ParsedAlerts parsed) => new(
        outcomes,
        parsed.Errors.Count == 0 ? null : parsed.Errors,
        parsed.Warnings.Count == 0 ? null : parsed.Warnings,
        parsed.Lost == 0 ? null : parsed.Lost);
}

/// <summary>Event Grid posts only to an address that agrees, and asks in one of two ways. The caller's key was checked before.</summary>
internal static class EventGridHandshake
{
    /// <summary>The longest name of a host (RFC 1035).</summary>
    private const int MaxOrigin = 255;

    /// <summary>
    /// The question of CloudEvents, an OPTIONS request:
    /// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md#4-abuse-protection.
    /// </summary>
    public static IResult Permit(HttpRequest request, string source)
    {
        var answer = request.HttpContext.Response.Headers;
        if (!Is(source))
        {
            answer.Allow = HttpMethods.Post;
            return ApiResults.Problem(
                StatusCodes.Status405MethodNotAllowed,
                $"Only {AlertSource.EventGrid} is asked for permission; post the alerts of this sender.");
        }

        var origin = request.Headers["WebHook-Request-Origin"].ToString();
        if (origin.Length is 0 or > MaxOrigin || !origin.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or ':'))
        {
            return ApiResults.Problem(
                StatusCodes.Status400BadRequest, "The header WebHook-Request-Origin does not name a host that wants to post here.");
        }

        answer.Allow = $"{HttpMethods.Post}, {HttpMethods.Options}";
        answer["WebHook-Allowed-Origin"] = origin;
        answer["WebHook-Allowed-Rate"] = "*";
        return Results.StatusCode(StatusCodes.Status200OK);
    }

    /// <summary>The question of Event Grid's own schema, a post with a code.</summary>
    /// <returns>Null for any other post.</returns>
    public static IResult? Answer(string source, ReadOnlyMemory<byte> body) =>
        Is(source) && EventGridSubscription.ValidationCode(body) is { } code ? ApiResults.Json(new { ValidationResponse = code }) : null;

    private static bool Is(string source) => AlertSource.EventGrid.Equals(source, StringComparison.OrdinalIgnoreCase);
}
