using System.Net.Http.Json;
using Microsoft.Extensions.Logging;

namespace Runbooks.Web.Slack;

/// <summary>Tells whoever pressed a button something that only they see.</summary>
public sealed class SlackReply(IHttpClientFactory clients, ILogger<SlackReply> logger)
{
    public const string Client = "slack-reply";

    internal async Task TellAsync(Uri? to, string text, CancellationToken cancellationToken)
    {
        if (to is null)
        {
            return;
        }

        try
        {
            // The address carries a secret: it is in no log and in no exception that is passed on.
            using var answer = await clients.CreateClient(Client).PostAsJsonAsync(
                to, new { response_type = "ephemeral", replace_original = false, text = Escape(text) }, cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                Log.SlackReplyFailed(logger, $"Slack answered {(int)answer.StatusCode}");
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            Log.SlackReplyFailed(logger, failure.GetType().Name);
        }
    }

    /// <summary>The address comes with the click: only Slack's own is ever called.</summary>
    internal static Uri? Address(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url is { Scheme: "https", Host: "hooks.slack.com", IsDefaultPort: true, UserInfo: "" } ? url : null;

    private static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}
