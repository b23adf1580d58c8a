using System.Net;
using System.Runtime.CompilerServices;
using Azure.Identity;
using Polly;

namespace Runbooks.Integrations.Notifications.Email;

/// <summary>
/// Azure Communication Services, with the app's identity. All attempts at a message are one request to the service, so it is
/// sent once; after a refusal the next is a new one. It is sent only after it was taken, so the operation is followed for a while.
/// </summary>
/// <seealso href="https://learn.microsoft.com/rest/api/communication/dataplane/email/get-send-result"/>
/// <seealso href="https://learn.microsoft.com/rest/api/communication/repeatable-requests"/>
internal sealed class AcsTransport(IHttpClientFactory clients, TokenCredential credential, IOptions<EmailOptions> options, TimeProvider time) : IMailTransport
{
    /// <summary>An attempt has ten seconds (ChannelClient), and a mail that was taken must not count as failed for being looked after.</summary>
    private static readonly TimeSpan s_followed = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)];

    /// <summary>When each card was sent first. An attempt has the card of the one before, and the service knows a request again by this time too.</summary>
    private readonly ConditionalWeakTable<Card, string> _firstSent = [];

    public const string Client = "acs";
    private const string Service = "Azure Communication Services";
    private const string Scope = "https://communication.azure.com/.default";
    private const string Version = "2023-03-31";

    public async Task<bool> SendAsync(Card card, string to, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(s_followed, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var (operation, token) = ($"{MailId.Of(card, to)}", await TokenAsync(cancellationToken));
        var firstSent = _firstSent.GetValue(card, _ => time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        using var content = MessageJson.Content(Body(card, options.Value.From!, to));
        try
        {
            await clients.CreateClient(Client).PostAsync(
                Url("emails:send"), content, Service, cancellationToken, ("Operation-Id", operation), ("Authorization", $"Bearer {token}"),
                ("Repeatability-Request-Id", $"{MailId.Of(card, to, firstSent)}"), ("Repeatability-First-Sent", firstSent));
        }
        catch (DeliveryException taken) when (taken.Status == HttpStatusCode.Conflict)
        {
            // An attempt before was taken, and is not finished.
        }
        catch (DeliveryException refused) when ((int?)refused.Status is >= 400 and < 500)
        {
            // Nothing was taken, and the service would answer the same again to the request that it knows.
            _firstSent.Remove(card);
            throw;
        }

        try
        {
            foreach (var pause in s_pauses)
            {
                await Task.Delay(pause, time, both.Token);
                if (await HasGoneOutAsync(operation, token, both.Token))
                {
                    return true;
                }
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It was taken, and takes its time.
        }

        return false;
    }

    /// <exception cref="DeliveryException">It will not be sent.</exception>
    private async Task<bool> HasGoneOutAsync(string operation, string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Url($"emails/operations/{operation}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var answer = await clients.CreateClient(Client).SendAsync(request, cancellationToken);
            var said = answer.IsSuccessStatusCode ? JsonAnswer.Parse(await answer.Content.ReadAsStringAsync(cancellationToken)) as JsonObject : null;
            return JsonAnswer.Text(said?["status"]) switch
            {
                "Succeeded" => true,
                "Failed" or "Canceled" => throw new DeliveryException($"{Service} could not send it ({Clip.To(JsonAnswer.Text((said?["error"] as JsonObject)?["code"]) ?? "no reason given", 80)})."),
                _ => false,
            };
        }
        catch (Exception unread) when (unread is HttpRequestException or IOException or ExecutionRejectedException)
        {
            return false;
        }
    }

    private Uri Url(string path) => MessageHttp.Url($"{options.Value.AcsEndpoint!.TrimEnd('/')}/{path}?api-version={Version}");

    internal static JsonObject Body(Card card, string from, string to) => new()
    {
        ["senderAddress"] = from,
        ["content"] = new JsonObject { ["subject"] = EmailBody.Subject(card), ["plainText"] = EmailBody.Text(card), ["html"] = EmailBody.Html(card) },
        ["recipients"] = new JsonObject { ["to"] = new JsonArray(new JsonObject { ["address"] = to }) },
        ["userEngagementTrackingDisabled"] = true,
    };

    private async Task<string> TokenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await credential.GetTokenAsync(new TokenRequestContext([Scope]), cancellationToken)).Token;
        }
        catch (AuthenticationFailedException)
        {
            throw new DeliveryException("This host's identity got no token for Azure Communication Services.", transient: true);
        }
    }
}
