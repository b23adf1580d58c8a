using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Http;

public sealed record TlsCertificateParameters
{
    [Required]
    [Description("The server.")]
    public required TlsEndpoint Endpoint { get; init; }

    [Description("When the number of days left is bad.")]
    public FailingWhen Failing { get; init; } = FailingWhen.Parse("< 21", null);

    [Range(typeof(TimeSpan), "00:00:00.1", "00:02:00")]
    [Description("How long the connection and the handshake may take together.")]
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Reads the certificates that a server shows in the TLS handshake, and sends nothing after it.</summary>
internal sealed class TlsCertificate(IOptions<HttpProbeOptions> options)
    : Check<TlsCertificateParameters>("tls.certificate", "Holds how many days the certificates of a TLS server are still valid against a threshold; one that is not trusted or is for another name is failing.")
{
    /// <summary>More than any certificate has left.</summary>
    private const int ManyDays = 36_500;

    private readonly EgressGuard _guard = options.Value.Guard;
    private readonly EgressGuard _ownAuthority = new([.. options.Value.OwnAuthorityHosts]);

    public override TimeSpan UsualTimeoutOf(JsonElement with) => WithText.TimeoutOf(with, UsualTimeout);

    public override IReadOnlyList<Doubt> DoubtsOf(JsonElement with) =>
        WithText.Failing(with) is { } failing && failing.Holds(ManyDays)
            ? [new(WarningCodes.ThresholdRange, "failing", $"is '{failing}' days left: a certificate that was just renewed fails.", "Write when too few days are left, for example '< 21'.")]
            : [];

    protected override async Task<CheckResult> AskAsync(TlsCertificateParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(parameters.Timeout, context.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var endpoint = parameters.Endpoint;
        var now = context.Time.GetUtcNow();
        ShownCertificates? shown = null;
        var trouble = "it showed none";
        try
        {
            await using var connection = await _guard.ConnectAsync(endpoint.Host, endpoint.Port, both.Token);
            await using var tls = new SslStream(connection);
            await tls.AuthenticateAsClientAsync(Handshake(endpoint, now, seen => shown = seen), both.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            trouble = $"no answer within {parameters.Timeout.TotalSeconds:0.#} s";
        }
        catch (Exception failed) when (failed is EgressRefusedException or SocketException or AuthenticationException or IOException)
        {
            trouble = failed.Message.TrimEnd('.');
        }

        // A server that asks for a certificate of ours breaks off after it has shown its own.
        return shown is null
            ? CheckResult.Unknown($"The certificate of {endpoint} cannot be read: {trouble}.")
            : shown.Judge(parameters.Failing, endpoint, _ownAuthority.Allows(endpoint.Host, endpoint.Port), now);
    }

    private static SslClientAuthenticationOptions Handshake(TlsEndpoint endpoint, DateTimeOffset now, Action<ShownCertificates> saw) => new()
    {
        TargetHost = endpoint.Host,
        CertificateChainPolicy = new X509ChainPolicy
        {
            // The addresses to fetch from would be the server's to choose.
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = now.LocalDateTime,
            VerificationTimeIgnored = false,
        },
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
        {
            if (certificate is X509Certificate2 leaf)
            {
                saw(ShownCertificates.Of(leaf, chain, errors));
            }

            // What is wrong with it is the finding.
            return errors == SslPolicyErrors.None;
        },
    };
}
