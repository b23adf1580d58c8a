using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Runbooks.Integrations.Metrics;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Integrations.Http;

/// <summary>What a server showed in the handshake, read out: the certificates themselves end with the connection.</summary>
/// <param name="First">Whichever expires first of all that the server sent.</param>
/// <param name="Names">The names that the server's own certificate is for.</param>
/// <param name="Faults">What is wrong with the chain beside its dates.</param>
internal sealed record ShownCertificates(CertificateLine Leaf, CertificateLine First, IReadOnlyList<string> Names, bool NameMatches, X509ChainStatusFlags Faults)
{
    private const int NamesShown = 3;

    // Dates are judged by themselves, and revocation is not asked.
    private const X509ChainStatusFlags NotAsked = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;
    private const X509ChainStatusFlags UnknownAuthority = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain;

    public static ShownCertificates Of(X509Certificate2 leaf, X509Chain? chain, SslPolicyErrors errors)
    {
        var sent = (chain?.ChainPolicy.ExtraStore ?? []).Prepend(leaf).Select(CertificateLine.Of).ToList();
        var names = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return new(
            sent[0],
            sent.MinBy(one => one.Until)!,
            names is null ? [] : [.. names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())).Select(name => CertificateLine.Line(name))],
            !errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch),
            (chain?.ChainStatus ?? []).Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) & ~NotAsked);
    }

    public CheckResult Judge(FailingWhen failing, TlsEndpoint endpoint, bool ownAuthority, DateTimeOffset now)
    {
        // Rounded down: nobody should read a day that is not there.
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
            var others = Names.Count > NamesShown ? $" and {Names.Count - NamesShown} more" : "";
            faults.Add($"it is not for {endpoint.Host} but for {(Names.Count == 0 ? "no name at all" : string.Join(", ", Names.Take(NamesShown)) + others)}");
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

/// <summary>One certificate in words that fit into a message.</summary>
internal sealed record CertificateLine(string Subject, string Issuer, DateTimeOffset Until)
{
    private const int Longest = 120;

    public string Expiry => Until.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    public static CertificateLine Of(X509Certificate2 certificate) =>
        new(Line(certificate.Subject), Line(certificate.Issuer), new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));

    /// <summary>Whoever made the certificate chose the text.</summary>
    public static string Line(string text) => CleanText.Clean(text, Longest, oneLine: true);
}
