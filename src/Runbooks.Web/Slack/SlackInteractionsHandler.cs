using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Runbooks.Web.Http;

namespace Runbooks.Web.Slack;

/// <summary>
/// <c>POST /api/slack/interactions</c>. The signature is the credential. Slack waits three seconds: what takes longer goes
/// on after the answer.
/// </summary>
public sealed class SlackInteractionsHandler(
    IOptionsMonitor<SlackInteractionOptions> options, SlackReplays replays, SlackWork work, SlackDecisions decisions, HttpEdge edge, TimeProvider time, ILogger<SlackInteractionsHandler> logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public Task<IResult> PostAsync(HttpRequest request) => edge.RunAsync(request, async cancellationToken =>
    {
        if (await RequestBody.ReadAsync(request, RequestBody.MaxSmall, cancellationToken) is not { } body)
        {
            return Answers.TooLarge(RequestBody.MaxSmall);
        }

        var signature = request.Headers["X-Slack-Signature"].ToString();
        var timestamp = request.Headers["X-Slack-Request-Timestamp"].ToString();
        if (!SlackSignature.Fits(options.CurrentValue.SigningSecret, timestamp, body.Span, signature, time.GetUtcNow()))
        {
            return Refuse("the signature does not fit, or its time has passed");
        }

        if (!replays.IsNew(signature))
        {
            return Refuse("it was received before");
        }

        if (SlackClick.Read(Encoding.UTF8.GetString(body.Span)) is not { } click)
        {
            // Slack reports more than decisions; all of it wants to be acknowledged.
            return Results.Ok();
        }

        // Not the request's token: the click counts although Slack hangs up.
        if (work.TryStart(() => decisions.TakeAsync(click, CancellationToken.None)) is not { } running)
        {
            return Answers.TryAgain(request.HttpContext.Response);
        }

        await Task.WhenAny(running, Task.Delay(Patience, time, cancellationToken));
        return Results.Ok();
    });

    private IResult Refuse(string why)
    {
        Log.SlackRefused(logger, why);
        return Answers.Problem(StatusCodes.Status401Unauthorized, $"This click was not taken: {why}.");
    }
}
