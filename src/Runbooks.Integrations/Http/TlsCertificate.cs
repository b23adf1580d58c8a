using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Runbooks.Catalog.Problems;

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

internal sealed class TlsCertificate(IOptions<HttpProbeOptions> options)
    : Check<TlsCertificateParameters>(
        "tls.certificate",
        "Holds how many days the certificates of a TLS server are still valid against a threshold; "
            + "one that is not trusted or is for another name is failing.")
{
    /// <summary>More than any certificate has left.</summary>
    private const int ManyDays = 36_500;

    private readonly EgressGuard _guard = options.Value.Guard;
    private readonly EgressGuard _ownAuthority = options.Value.OwnAuthority;

    public override IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) =>
        WithText.Failing(with) is { } failing && failing.Holds(ManyDays)
            ? [new(
                WarningCodes.ThresholdRange,
                "failing",
                $"is '{failing}' days left: a certificate that was just renewed fails.",
                "Write when too few days are left, for example '< 21'.")]
            : [];

    protected override async Task<CheckResult> AskAsync(
        TlsCertificateParameters parameters, StepContext context, CancellationToken cancellationToken)
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

        // A server that asks for a client certificate breaks off after it has shown its own.
        return shown is null
            ? CheckResult.Unknown($"The certificate of {endpoint} cannot be read: {trouble}.")
            : shown.Judge(parameters.Failing, endpoint, _ownAuthority.Allows(endpoint.Host, endpoint.Port), now);
    }

    private static SslClientAuthenticationOptions Handshake(TlsEndpoint endpoint, DateTimeOffset now, Action<ShownCertificates> saw) => new()
    {
        TargetHost = endpoint.Host,
        CertificateChainPolicy = new X509ChainPolicy
        {
            // The server would choose the addresses to fetch from.
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

            // A fault of the certificate is the finding of this check.
            return errors == SslPolicyErrors.None;
        },
    };
}

/// <summary>Where a server speaks TLS, in any form in which senders of alerts write it.</summary>
[Description("a host, host:port or https URL; the port is 443 unless said")]
public sealed record TlsEndpoint : IParsable<TlsEndpoint>
{
    private TlsEndpoint(string host, int port) => (Host, Port) = (host, port);

    /// <summary>In ASCII, an IPv6 address without brackets.</summary>
    public string Host { get; }

    public int Port { get; }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    public static TlsEndpoint Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var endpoint)
            ? endpoint
            : throw new FormatException($"'{s}' is neither a host, host:port nor an https URL.");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out TlsEndpoint result)
    {
        var text = (s ?? "").Trim();
        result = text.Length is > 0 and <= 2000
            && Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : $"https://{text}", UriKind.Absolute, out var url)
            && url is { Scheme: "https", UserInfo: "", Port: > 0, HostNameType: UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 }
                ? new TlsEndpoint(url.IdnHost, url.Port)
                : null;
        return result is not null;
    }
}

/// <summary>What a server showed in the handshake. It is read at once, because the certificates end with the connection.</summary>
internal sealed record ShownCertificates(
    CertificateLine Leaf, CertificateLine First, IReadOnlyList<string> Names, bool NameMatches, X509ChainStatusFlags Faults)
{
    private const int NamesShown = 3;

    // Dates are judged by themselves, and revocation is not asked.
    private const X509ChainStatusFlags NotAsked =
        X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;
    private const X509ChainStatusFlags UnknownAuthority = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;

    public static ShownCertificates Of(X509Certificate2 leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        var sent = (chain?.ChainPolicy.ExtraStore ?? []).Prepend(leaf).Select(CertificateLine.Of).ToList();
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return new(
            sent[0],
            sent.MinBy(one => one.Until)!,
            names is null
                ? []
                : [.. names.EnumerateDnsNames()
                    .Concat(names.EnumerateIPAddresses().Select(address => address.ToString()))
                    .Select(name => CertificateLine.Line(name))],
            !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch),
            (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) & ~NotAsked);
    }

    public CheckResult Judge(FailingWhen failing, TlsEndpoint endpoint, bool ownAuthority, DateTimeOffset now)
    {
        // Rounded down, so that nobody reads a day that is not there.
        var days = Math.Floor((First.Until - now).TotalDays * 10) / 10;
        var left = days < 0 ? $"expired {NumberText.Format(-days)} days ago" : $"{NumberText.Format(days)} days left";
        var isLate = days < 0 || failing.Holds(days);
        var faults = FaultsOf(endpoint, ownAuthority);
        var limit = isLate ? $"limit {failing}" : $"failing would be {failing}";
        var authority = ownAuthority && (Faults & UnknownAuthority) != 0 ? "issued by an authority of your own" : "the chain is trusted";
        var verdict = isLate || faults.Count > 0 ? Verdict.Failing : Verdict.Passing;
        var state = faults.Count > 0 ? $"Do not trust it: {string.Join("; ", faults)}." : $"It is for {endpoint.Host}, and {authority}.";
        return new CheckResult(verdict, $"{endpoint}: {left}; {limit}. {Who()} {state}")
        {
            Value = NumberText.Format(days),
            Threshold = failing.ToString(),
            Unit = "days",
        };
    }

    private string Who() => First == Leaf
        ? $"{Leaf.Subject}, issued by {Leaf.Issuer}, expires {Leaf.Expiry}."
        : $"{First.Subject}, issued by {First.Issuer}, expires first, {First.Expiry}; the server's own, {Leaf.Subject}, {Leaf.Expiry}.";

    private List<string> FaultsOf(TlsEndpoint endpoint, bool ownAuthority)
    {
        var faults = new List<string>();
        if (!NameMatches)
        {
            faults.Add($"it is not for {endpoint.Host} but for "
                + $"{(Names.Count == 0 ? "no name at all" : CountText.Names(Names, NamesShown))}");
        }

        var wrong = ownAuthority ? Faults & ~UnknownAuthority : Faults;
        if (wrong.HasFlag(X509ChainStatusFlags.UntrustedRoot))
        {
            faults.Add("it is not trusted, since the chain ends in an authority that this machine does not know");
        }
        else if (wrong.HasFlag(X509ChainStatusFlags.PartialChain))
        {
            faults.Add("it is not trusted, since the server does not send the whole chain or its authority is not known here");
        }

        if ((wrong & ~UnknownAuthority) is var invalid and not X509ChainStatusFlags.NoError)
        {
            faults.Add($"the chain is not valid ({invalid})");
        }

        return faults;
    }
}

internal sealed record CertificateLine(string Subject, string Issuer, DateTimeOffset Until)
{
    private const int Longest = 120;

    public string Expiry => Until.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static CertificateLine Of(X509Certificate2 certificate) =>
        new(Line(certificate.Subject), Line(certificate.Issuer), new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));

    /// <summary>The maker of the certificate chose the text.</summary>
    public static string Line(string text) => CleanText.Clean(text, Longest, oneLine: true);
}
