using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Identity;
using Microsoft.Extensions.Options;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Email;

/// <summary>Azure Communication Services, with the app's identity. The same message has the same operation id, so a repeated one is sent once.</summary>
internal sealed class AcsTransport(IHttpClientFactory clients, TokenCredential credential, IOptions<EmailOptions> options) : IMailTransport
{
    public const string Client = "acs";
    private const string Scope = "https://communication.azure.com/.default";
    private const string Version = "2023-03-31";

    public async Task SendAsync(Card card, string to, CancellationToken cancellationToken)
    {
        var endpoint = MessageHttp.Url(options.Value.AcsEndpoint!.TrimEnd('/') + $"/emails:send?api-version={Version}");
        using var content = MessageJson.Content(Body(card, options.Value.From!, to));
        await clients.CreateClient(Client).PostAsync(
            endpoint, content, "Azure Communication Services", cancellationToken, ("Operation-Id", OperationId(card, to)), ("Authorization", $"Bearer {await TokenAsync(cancellationToken)}"));
    }

    internal static JsonObject Body(Card card, string from, string to) => new()
    {
        ["senderAddress"] = from,
        ["content"] = new JsonObject { ["subject"] = EmailBody.Subject(card), ["plainText"] = EmailBody.Text(card), ["html"] = EmailBody.Html(card) },
        ["recipients"] = new JsonObject { ["to"] = new JsonArray(new JsonObject { ["address"] = to }) },
        ["userEngagementTrackingDisabled"] = true,
    };

    /// <summary>A GUID out of what makes the message this very message.</summary>
    internal static string OperationId(Card card, string to) =>
        new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{card.IncidentId}\n{card.Key}\n{to}")).AsSpan(0, 16)).ToString();

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
