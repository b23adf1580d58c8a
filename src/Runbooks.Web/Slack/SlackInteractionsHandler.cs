using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Hosting;
using Runbooks.Settings;
using Runbooks.Web.Decisions;

namespace Runbooks.Web.Slack;

/// <summary>
/// <c>POST /api/slack/interactions</c>. The signature is the credential. Slack waits three seconds; longer work goes on after the answer.
/// </summary>
public sealed class SlackInteractionsHandler(
    IOptionsMonitor<SlackInteractionOptions> options,
    SlackReplayGuard replays,
    SlackBackgroundWorker work,
    SlackDecisions decisions,
    HttpRequestRunner runner,
    TimeProvider time,
    ILogger<SlackInteractionsHandler> logger)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    /// <summary>A click brings the whole message back, with eight bytes for a letter that is not ASCII.</summary>
    private const int LargestClick = 256 * 1024;

    private const string NoFit = "the signature does not fit, or its time has passed";

    public Task<IResult> PostAsync(HttpRequest request) => runner.RunAsync(request, async cancellationToken =>
    {
        var signature = request.Headers["X-Slack-Signature"].ToString();
        var timestamp = request.Headers["X-Slack-Request-Timestamp"].ToString();
        if (signature.Length == 0 || timestamp.Length == 0)
        {
            return Refuse("it is not signed");
        }

        // Checked before the body is read, so that a caller without proof costs nothing.
        if (!SlackSignature.MayFit(options.CurrentValue.SigningSecret, timestamp, time.GetUtcNow()))
        {
            return Refuse(NoFit);
        }

        if (await RequestBody.ReadAsync(request, LargestClick, cancellationToken) is not { } body)
        {
            return ApiResults.TooLarge(LargestClick);
        }

        if (!SlackSignature.Fits(options.CurrentValue.SigningSecret, timestamp, body.Span, signature, time.GetUtcNow()))
        {
            return Refuse(NoFit);
        }

        if (!replays.IsNew(signature))
        {
            return Refuse("it was received before");
        }

        if (SlackInteraction.Read(Encoding.UTF8.GetString(body.Span)) is not { } click)
        {
            // Slack reports more than decisions, and wants an answer to all of it.
            return Results.Ok();
        }

        // Not with the request's token: the click counts even when Slack hangs up.
        if (work.TryStart(() => decisions.TakeAsync(click, CancellationToken.None)) is not { } running)
        {
            return ApiResults.TryAgain(request);
        }

        await Task.WhenAny(running, Task.Delay(s_patience, time, cancellationToken));
        return Results.Ok();
    });

    private IResult Refuse(string why)
    {
        Log.SlackRefused(logger, why);
        return ApiResults.Problem(StatusCodes.Status401Unauthorized, $"This click was not taken: {why}.");
    }
}

/// <param name="UserId">Slack's id of the person, signed by Slack.</param>
/// <param name="UserName">For practice and for texts; it proves nothing.</param>
/// <param name="Card">The message with the button, as the channel names its messages: <c>channel/ts</c>.</param>
/// <param name="ResponseUrl">Where a private answer goes; null where the click has no address of Slack.</param>
internal sealed record SlackInteraction(
    string UserId, string UserName, DecisionVerb Verb, string IncidentId, string GateId, string PlanHash, string? Card, Uri? ResponseUrl)
{
    /// <returns>Null for all other reports of Slack: opened links, buttons of other apps.</returns>
    public static SlackInteraction? Read(string form)
    {
        try
        {
            if (!QueryHelpers.ParseQuery(form).TryGetValue("payload", out var text))
            {
                return null;
            }

            using var payload = JsonDocument.Parse(text.ToString());
            return Read(payload.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static SlackInteraction? Read(JsonElement payload)
    {
        if (Text(payload, "type") != "block_actions"
            || !Has(payload, "actions", JsonValueKind.Array, out var actions)
            || !Has(payload, "user", JsonValueKind.Object, out var user))
        {
            return null;
        }

        var action = actions.EnumerateArray().FirstOrDefault();
        var value = Text(action, "value")?.Split('|');
        if (value is not [var incident, var gate, var plan]
            || !DecisionVerbText.TryParse(Text(action, "action_id"), out var verb)
            || Text(user, "id") is not { Length: > 0 } id)
        {
            return null;
        }

        var name = Text(user, "username") ?? Text(user, "name") ?? id;
        var replyTo = SlackReply.Address(Text(payload, "response_url"));
        return new(TypedText.Name(id), TypedText.Name(name), verb, incident, gate, plan, CardOf(payload), replyTo);
    }

    private static string? CardOf(JsonElement payload) =>
        Has(payload, "container", JsonValueKind.Object, out var place)
        && Text(place, "channel_id") is { } channel
        && Text(place, "message_ts") is { } at
            ? $"{channel}/{at}"
            : null;

    private static string? Text(JsonElement json, string name) =>
        Has(json, name, JsonValueKind.String, out var text) ? text.GetString() : null;

    private static bool Has(JsonElement json, string name, JsonValueKind kind, out JsonElement found)
    {
        found = default;
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out found) && found.ValueKind == kind;
    }
}

/// <summary>Whether a request comes from Slack, as described at https://docs.slack.dev/authentication/verifying-requests-from-slack.</summary>
internal static class SlackSignature
{
    /// <summary>A request that is older, or from further in the future, is refused.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    public static bool MayFit([NotNullWhen(true)] string? secret, string timestamp, DateTimeOffset now) =>
        !string.IsNullOrEmpty(secret)
        && long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        && Math.Abs(now.ToUnixTimeSeconds() - seconds) <= Window.TotalSeconds;

    public static bool Fits(string? secret, string timestamp, ReadOnlySpan<byte> body, string signature, DateTimeOffset now)
    {
        if (!MayFit(secret, timestamp, now))
        {
            return false;
        }

        byte[] signed = [.. Encoding.ASCII.GetBytes($"v0:{timestamp}:"), .. body];
        var hash = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), (ReadOnlySpan<byte>)signed);
        var expected = $"v0={Convert.ToHexStringLower(hash)}";
        return CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(expected), Encoding.UTF8.GetBytes(signature));
    }
}

/// <summary>
/// Remembers signatures for as long as they would be accepted. Each host remembers its own. A click that is played again to another host
/// gets the answer that it was counted already, because a decision counts once in the shared record.
/// </summary>
public sealed class SlackReplayGuard(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, DateTimeOffset> _seen = new(StringComparer.Ordinal);
    private readonly Queue<(string Signature, DateTimeOffset Until)> _order = new();

    /// <returns>False when it was seen before.</returns>
    public bool IsNew(string signature)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            while (_order.TryPeek(out var oldest) && oldest.Until <= now)
            {
                _seen.Remove(_order.Dequeue().Signature);
            }

            // Twice the window, since the timestamp may be in the future as much as in the past.
            var until = now + (2 * SlackSignature.Window);
            if (!_seen.TryAdd(signature, until))
            {
                return false;
            }

            _order.Enqueue((signature, until));
            return true;
        }
    }
}

public sealed class SlackInteractionOptions
{
    public const string SectionName = "Slack";

    /// <summary>
    /// The app's signing secret, which proves that a click came from Slack. Without it every click is refused. One that can be guessed
    /// stops the start.
    /// </summary>
    public string? SigningSecret { get; set; }
}

internal sealed class SlackSecretStrength(IHostEnvironment environment) : IValidateOptions<SlackInteractionOptions>
{
    public ValidateOptionsResult Validate(string? name, SlackInteractionOptions options) =>
        options.SigningSecret is { Length: > 0 } secret && SecretStrength.FindWeakness(secret, environment) is { } weakness
            ? ValidateOptionsResult.Fail(
                $"Slack:SigningSecret can be guessed: {weakness}. "
                + "Copy the one that Slack shows under Basic Information of the app; to make it anew, press Regenerate there.")
            : ValidateOptionsResult.Success;
}
