using Runbooks.Catalog;
using Runbooks.Catalog.Matching;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class CertificateExpiringTests : InSandboxWorld
{
    private const string Sample = "certificate-expiring.azure-monitor";

    [Fact]
    public async Task CertificateAboutToExpire_IsToldAndNothingIsClaimed()
    {
        var ended = await FireAsync();

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Reason.ShouldBe("This runbook only tells: nothing outside was changed.");
        EndingText.Headline(ended).ShouldBe("Told, nothing changed");
        var found = ended.Findings.ShouldHaveSingleItem().Result;
        found.Summary.ShouldContain("12 days left; limit < 21. CN=sandbox.runbooks.example, issued by CN=sandbox.runbooks.example, expires ");
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBeEmpty();
        var told = _world.Notifier.Sent.ShouldHaveSingleItem("whom it is for has heard it, and nobody else is told how it ended").Card;
        told.Kind.ShouldBe(CardKind.Page);
        told.Title.ShouldBe($"For platform-lead: Certificate about to expire on {ended.Target}");
        told.Sections.ShouldHaveSingleItem().Lines.ShouldHaveSingleItem().ShouldStartWith($"{found.Summary} Renew it where it was issued");
    }

    [Fact]
    public async Task AlertThatIsSentAgain_IsToldOnceADay()
    {
        await FireAsync();
        EndingText.WithHeadline(await FireAsync()).ShouldBe("Held back, nothing changed. It ran 1 time on this target within 1d; the limit is 1.");
        _world.Notifier.Sent.Count(sent => sent.Card.Kind == CardKind.Page).ShouldBe(1);
    }

    [Fact]
    public async Task CertificateThatWasRenewed_NeedsNothing()
    {
        await _world.SendAsync(HttpMethod.Post, "/tls/_renew", new { days = 90 });

        var ended = await FireAsync();

        ended.State.ShouldBe(IncidentState.NotNeeded, ended.Reason);
        _world.Notifier.Sent.ShouldBeEmpty();
    }

    [Fact]
    public async Task ServerThatCannotBeReached_IsToldAsNotKnown()
    {
        await _world.FaultAsync("tls", "unreachable");

        var ended = await FireAsync();

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Findings.ShouldHaveSingleItem().Verdict.ShouldBe(Verdict.Unknown);
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldStartWith("Told platform-lead: The certificate of 127.0.0.1:");
    }

    [Fact]
    public async Task EventOfKeyVault_IsToldWithoutAQuestion()
    {
        var ended = await _world.FireAsync("vault-certificate-expiring.event-grid");

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Target.ShouldBe("assist-kv/chat-gateway");
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldStartWith("Told platform-lead: Certificate chat-gateway in Key Vault assist-kv expires 2026-12-23 05:20 UTC. Look whether");
    }

    /// <summary>It was told of on each of the days before: that it has expired is an outage, and is heard at once.</summary>
    [Fact]
    public async Task CertificateThatHasExpired_IsToldToWhoeverIsOnCall()
    {
        (await FireAsync()).State.ShouldBe(IncidentState.Resolved);
        await _world.SendAsync(HttpMethod.Post, "/tls/_renew", new { days = -1 });

        var ended = await FireAsync("certificate-expired.alertmanager");

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.RunbookId.ShouldBe("certificate-expired");
        ended.Findings.ShouldHaveSingleItem().Result.Summary.ShouldContain(": expired 1");
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldStartWith("Told oncall: 127.0.0.1:");
        _world.Notifier.Sent.Last().Card.Severity.ShouldBe(ImpactSeverity.High, "PagerDuty calls nobody for less");
    }

    [Fact]
    public async Task EventOfKeyVaultThatOneHasExpired_IsToldToWhoeverIsOnCall()
    {
        var ended = await _world.FireAsync("vault-certificate-expired.event-grid");

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps.ShouldHaveSingleItem().Outcome.ShouldNotBeNull().ShouldStartWith("Told oncall: Certificate chat-gateway in Key Vault assist-kv expired 2026-11-23 03:00 UTC, and the vault has no newer version.");
        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Severity.ShouldBe(ImpactSeverity.High);
    }

    /// <summary>As public rule files name such alerts. One that no runbook knows is told to nobody who could renew it, and one that two know makes two incidents.</summary>
    [Fact]
    public void AlertOfACertificate_StartsExactlyOneRunbook()
    {
        string[] expiring =
        [
            "CertificateExpiring", "CertificateExpiringInDays", "BlackboxSslCertificateWillExpireSoon", "SSLCertExpiringSoon", "SslCertExpireSoon", "SSLCertExpiryWarning",
            "SSLCertificateExpiration", "SSLCertificateExpirationWarning", "SSLCertificateExpiration15day", "SslCertificateAboutToExpire", "SslCertificateAboutToExpireWarning",
            "SSLCertificateExpireIn7Days", "SSL Certificate will expire soon", "SSL certificate about to expire", "SSL cert expire in 7 days",
        ];
        string[] expired = ["CertificateExpired", "BlackboxSslCertificateExpired", "SSLCertExpired", "SSL certificate has expired", "SSLStoreCertExpiredInProd"];

        var started = expiring.Concat(expired).Select(name => (name, string.Join(", ", RunbookMatcher.Match(
            Some.Alert(name) with { Source = "alertmanager" }, _world.Get<RunbookCatalog>().Current).Runbooks.Select(runbook => runbook.Id))));

        started.ShouldBe([.. expiring.Select(name => (name, "certificate-expiring")), .. expired.Select(name => (name, "certificate-expired"))]);
    }

    private Task<Incident> FireAsync(string sample = Sample) => _world.FireAsync(sample, post => post.Replace("127.0.0.1:7072", _world.Address.Authority, StringComparison.Ordinal));
}
