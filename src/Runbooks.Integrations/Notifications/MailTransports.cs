using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Identity;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Polly;

namespace Runbooks.Integrations.Notifications;

/// <summary>One mail, one connection: incidents are rare, and a kept connection would be dead when it is needed.</summary>
internal sealed class SmtpTransport(IOptions<EmailOptions> options, TimeProvider time) : IMailTransport
{
    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(1);

    public async Task<bool> SendAsync(Card card, string to, CancellationToken cancellationToken)
    {
        var settings = options.Value;
        using var message = Message(card, settings.From!, to);
        string? objection = null;
        var isTaken = false;
        var client = new SmtpClient
        {
            Timeout = 10_000,

            // As on every other channel: a revocation list that cannot be read must not keep people from being asked.
            CheckCertificateRevocation = false,
            ServerCertificateValidationCallback = (_, _, chain, errors) => (objection = FindFault(settings.Host!, chain, errors)) is null,
        };
        try
        {
            await client.ConnectAsync(settings.Host!, settings.Port, Socket(settings), cancellationToken);
            if (!string.IsNullOrEmpty(settings.User))
            {
                await LogInAsync(client, settings.User, settings.Password ?? "", cancellationToken);
            }

            await client.SendAsync(message, cancellationToken);
            return isTaken = true;
        }
        catch (SmtpCommandException refused)
        {
            // 4xx asks to come back later, 5xx means never (RFC 5321, section 4.2.1).
            throw new DeliveryException(
                $"The mail server answered {(int)refused.StatusCode} ({refused.ErrorCode}).",
                transient: (int)refused.StatusCode is >= 400 and < 500);
        }
        catch (NotSupportedException) when (!client.IsConnected)
        {
            throw new DeliveryException("The mail server offers no TLS, and mail with approval links is not sent in the clear.");
        }
        catch (SslHandshakeException)
        {
            throw new DeliveryException(objection is null
                ? "The mail server and this host agree on no TLS."
                : $"The mail server's certificate is not accepted: {objection}.");
        }
        catch (Exception broken) when (broken is IOException or SocketException or ProtocolException or TimeoutException)
        {
            throw new DeliveryException(
                $"The mail server {settings.Host}:{settings.Port} (Email:Host, Email:Port) cannot be reached ({broken.GetType().Name}).",
                transient: true);
        }
        finally
        {
            _ = LeaveAsync(client, isTaken);
        }
    }

    /// <summary>Nobody waits for a server that is slow to say goodbye: it has the mail, which must not count as lost.</summary>
    private async Task LeaveAsync(SmtpClient client, bool quit)
    {
        using (client)
        using (var limit = new CancellationTokenSource(s_goodbye, time))
        {
            await client.DisconnectAsync(quit, limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task LogInAsync(SmtpClient client, string user, string password, CancellationToken cancellationToken)
    {
        try
        {
            await client.AuthenticateAsync(user, password, cancellationToken);
        }
        catch (NotSupportedException)
        {
            throw new DeliveryException("The mail server offers no login that this host knows. "
                + "If it takes mail without one, leave Email:User out.");
        }
        catch (AuthenticationException refused)
            when (refused.InnerException is SmtpCommandException { StatusCode: var code } && (int)code is >= 400 and < 500)
        {
            // It says nothing about the password (RFC 4954, section 6): there may be too many logins at once.
            throw new DeliveryException($"The mail server answered {(int)code} to the login.", transient: true);
        }
        catch (AuthenticationException)
        {
            throw new DeliveryException("The mail server refused the login. Look at Email:User and Email:Password.");
        }
    }

    private static string? FindFault(string host, X509Chain? chain, SslPolicyErrors errors)
    {
        string[] found =
        [
            .. errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? ["there is none"] : Array.Empty<string>(),
            .. errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? [$"it is not made for {host}"] : Array.Empty<string>(),
            .. errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? (chain?.ChainStatus ?? []).Select(status => status.Status switch
            {
                X509ChainStatusFlags.NotTimeValid => "it has expired or is not valid yet",
                X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain => "nobody whom this host trusts has issued it",
                var other => $"{other}",
            }).Distinct() : [],
        ];
        return errors == SslPolicyErrors.None ? null : string.Join(", ", found);
    }

    internal MimeMessage Message(Card card, string from, string to)
    {
        var message = new MimeMessage { Subject = EmailBody.Subject(card), Date = time.GetUtcNow(), Priority = MessagePriority.Urgent };
        message.From.Add(MailboxAddress.Parse(from));
        message.To.Add(MailboxAddress.Parse(to));

        // The same on every attempt, so that a server can drop a mail that it has already.
        message.MessageId = $"{MailId.Of(card, to)}@runbooks.invalid";

        // Programs that use it show all mails of an incident together; Gmail wants one subject as well.
        message.References.Add($"{card.Thread}@runbooks.invalid");
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new BodyBuilder { TextBody = EmailBody.Text(card), HtmlBody = EmailBody.Html(card) }.ToMessageBody();
        return message;
    }

    private const int PortWithTls = 465;

    /// <summary>At port 465 a server waits for TLS and says nothing before (RFC 8314), so StartTls could not work there.</summary>
    internal static SecureSocketOptions Socket(EmailOptions settings) => settings.Security switch
    {
        EmailSecurity.StartTls when settings.Port == PortWithTls => SecureSocketOptions.SslOnConnect,
        EmailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        EmailSecurity.None => SecureSocketOptions.None,
        _ => SecureSocketOptions.StartTls,
    };
}

internal interface IMailTransport
{
    /// <returns>Whether it went out; false when it was only accepted and the outcome is not known.</returns>
    Task<bool> SendAsync(Card card, string to, CancellationToken cancellationToken);
}

internal static class MailId
{
    /// <summary>A GUID that identifies a message to one address.</summary>
    /// <param name="sent">When it was sent, where each sending is another message.</param>
    public static Guid Of(Card card, string to, string sent = "") =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{card.IncidentId}\n{card.Key}\n{to}\n{sent}")).AsSpan(0, 16));
}

/// <summary>
/// Azure Communication Services, with the app's identity. All attempts at a message are one request to the service, so it is sent
/// once; after a refusal the next attempt is a new one. It is sent only after it was accepted, so the operation is followed for a
/// while.
/// </summary>
/// <seealso href="https://learn.microsoft.com/rest/api/communication/dataplane/email/get-send-result"/>
/// <seealso href="https://learn.microsoft.com/rest/api/communication/repeatable-requests"/>
internal sealed class AcsTransport(
    IHttpClientFactory clients, TokenCredential credential, IOptions<EmailOptions> options, TimeProvider time) : IMailTransport
{
    /// <summary>An attempt has ten seconds (ChannelClient), and following an accepted mail must not make it count as failed.</summary>
    private static readonly TimeSpan s_followed = TimeSpan.FromSeconds(8);

    private static readonly TimeSpan[] s_pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)];

    /// <summary>When each card was sent first. A repeated attempt has the same card, and the service knows a request by this time too.</summary>
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
                Url("emails:send"),
                content,
                Service,
                cancellationToken,
                ("Operation-Id", operation),
                ("Authorization", $"Bearer {token}"),
                ("Repeatability-Request-Id", $"{MailId.Of(card, to, firstSent)}"),
                ("Repeatability-First-Sent", firstSent));
        }
        catch (DeliveryException taken) when (taken.Status == HttpStatusCode.Conflict)
        {
            // An earlier attempt was accepted, and is not finished.
        }
        catch (DeliveryException refused) when ((int?)refused.Status is >= 400 and < 500)
        {
            // Nothing was accepted, and the service would give the same answer to the same request again.
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
            // It was accepted, and takes its time.
        }

        return false;
    }

    private async Task<bool> HasGoneOutAsync(string operation, string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Url($"emails/operations/{operation}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var answer = await clients.CreateClient(Client).SendAsync(request, cancellationToken);
            var said = answer.IsSuccessStatusCode
                ? JsonAnswer.Parse(await answer.Content.ReadAsStringAsync(cancellationToken)) as JsonObject
                : null;
            return JsonAnswer.Text(said?["status"]) switch
            {
                "Succeeded" => true,
                "Failed" or "Canceled" => throw new DeliveryException($"{Service} could not send it "
                    + $"({Clip.To(JsonAnswer.Text((said?["error"] as JsonObject)?["code"]) ?? "no reason given", 80)})."),
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
        ["content"] = new JsonObject
        {
            ["subject"] = EmailBody.Subject(card),
            ["plainText"] = EmailBody.Text(card),
            ["html"] = EmailBody.Html(card),
        },
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
