using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Http;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Http;

public sealed class TlsCertificateTests : OnTheSandbox
{
    protected override IServiceCollection Add(IServiceCollection services) => services.AddHttpProbe();

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["HttpProbe:AllowedHosts:1"] = "127.0.0.1",
        ["HttpProbe:AllowedHosts:2"] = "localhost",
        ["HttpProbe:OwnAuthorityHosts:1"] = "localhost",
    };

    [Theory]
    [InlineData(90, Verdict.Passing, "90 days left; failing would be < 21.")]
    [InlineData(21, Verdict.Passing, "21 days left; failing would be < 21.")]
    [InlineData(12, Verdict.Failing, "12 days left; limit < 21.")]
    [InlineData(-3, Verdict.Failing, "expired 3 days ago; limit < 21.")]
    public async Task DaysLeft_AreHeldAgainstTheThreshold(int days, Verdict verdict, string words)
    {
        using var server = new TlsServer(SelfSigned("localhost", days));

        var result = await AskAsync("tls.certificate", new { endpoint = $"https://localhost:{server.Port}/health" });

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.ShouldBe($"localhost:{server.Port}: {words} CN=localhost, issued by CN=localhost, expires {Clock.GetUtcNow().AddDays(days):yyyy-MM-dd HH:mm} UTC. It is for localhost, and issued by an authority of your own.");
        result.Value.ShouldBe($"{days}");
        (await server.AskedForAsync()).ShouldBe("localhost");
    }

    [Fact]
    public async Task ChainWhoseIntermediateExpiresFirst_IsHeldAgainstThat()
    {
        using var authority = SelfSigned("Own authority", 900, isAuthority: true);
        using var intermediate = Signed("Own issuer", 5, authority, isAuthority: true);
        using var server = new TlsServer(Signed("localhost", 300, intermediate), intermediate);

        var result = await AskAsync("tls.certificate", new { endpoint = $"localhost:{server.Port}" });

        result.Verdict.ShouldBe(Verdict.Failing, result.Summary);
        result.Summary.ShouldContain("5 days left; limit < 21. CN=Own issuer, issued by CN=Own authority, expires first, ");
        result.Summary.ShouldContain("the server's own, CN=localhost, ");
    }

    [Fact]
    public async Task CertificateForAnotherName_IsFailingHoweverLongItLasts()
    {
        using var server = new TlsServer(SelfSigned("chat.example.com", 300));

        var result = await AskAsync("tls.certificate", new { endpoint = $"localhost:{server.Port}" });

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldEndWith("Do not trust it: it is not for localhost but for chat.example.com.");
    }

    [Fact]
    public async Task UnknownAuthority_IsFailing()
    {
        using var server = new TlsServer(SelfSigned("127.0.0.1", 300));

        var result = await AskAsync("tls.certificate", new { endpoint = $"127.0.0.1:{server.Port}" });

        result.Verdict.ShouldBe(Verdict.Failing);
        result.Summary.ShouldEndWith("Do not trust it: it is not trusted, since the chain ends in an authority that this machine does not know.");
    }

    [Fact]
    public async Task PrivateAddressThatIsNotAllowed_IsNeverConnectedTo()
    {
        var result = await AskAsync("tls.certificate", new { endpoint = "169.254.169.254" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldContain("private, link-local or metadata address. Add it to HttpProbe:AllowedHosts if it is meant");
    }

    [Fact]
    public async Task ServerWithoutTls_IsUnknown()
    {
        using var server = new TlsServer(null, hangsUp: true);

        var result = await AskAsync("tls.certificate", new { endpoint = $"localhost:{server.Port}" });

        result.Verdict.ShouldBe(Verdict.Unknown);
        result.Summary.ShouldStartWith($"The certificate of localhost:{server.Port} cannot be read: ");
    }

    [Fact]
    public async Task Silence_IsUnknownAfterTheTimeout()
    {
        using var server = new TlsServer(null);
        var asked = AskAsync("tls.certificate", new { endpoint = $"localhost:{server.Port}", timeout = "5s" });
        await server.ConnectedAsync();

        Clock.Advance(TimeSpan.FromSeconds(5));

        (await asked).ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Unknown),
            result => result.Summary.ShouldEndWith("cannot be read: no answer within 5 s."));
    }

    [Theory]
    [InlineData("chat.example.com", "chat.example.com:443")]
    [InlineData("https://chat.example.com/health?key=1", "chat.example.com:443")]
    [InlineData("chat.example.com:8443", "chat.example.com:8443")]
    [InlineData("[2001:db8::1]:8443", "[2001:db8::1]:8443")]
    [InlineData("http://chat.example.com", null)]
    [InlineData("https://user@chat.example.com", null)]
    [InlineData("chat example", null)]
    [InlineData("", null)]
    public void Endpoint_IsReadAsSendersWriteIt(string text, string? endpoint) =>
        (TlsEndpoint.TryParse(text, null, out var read) ? read.ToString() : null).ShouldBe(endpoint);

    private X509Certificate2 SelfSigned(string name, int days, bool isAuthority = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return Request(name, key, isAuthority).CreateSelfSigned(Clock.GetUtcNow().AddYears(-1), Clock.GetUtcNow().AddDays(days));
    }

    private X509Certificate2 Signed(string name, int days, X509Certificate2 issuer, bool isAuthority = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issuerKey = issuer.GetECDsaPrivateKey()!;
        using var issued = Request(name, key, isAuthority).Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), Clock.GetUtcNow().AddDays(-1), Clock.GetUtcNow().AddDays(days), [1, 2, 3, (byte)days]);
        return issued.CopyWithPrivateKey(key);
    }

    private static CertificateRequest Request(string name, ECDsa key, bool isAuthority)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (!isAuthority)
        {
            var names = new SubjectAlternativeNameBuilder();
            if (IPAddress.TryParse(name, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(name);
            }

            request.CertificateExtensions.Add(names.Build());
        }

        return request;
    }

    /// <summary>Takes one connection: shows its certificates, or says nothing.</summary>
    private sealed class TlsServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _connected = new();
        private readonly TaskCompletionSource<string> _askedFor = new();
        private readonly X509Certificate2? _certificate;

        public TlsServer(X509Certificate2? certificate, X509Certificate2? intermediate = null, bool hangsUp = false)
        {
            _certificate = certificate;
            _listener.Start();
            _ = ServeAsync(intermediate is null ? [] : [intermediate], hangsUp);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public Task ConnectedAsync() => _connected.Task.WaitAsync(Cancel);

        public Task<string> AskedForAsync() => _askedFor.Task.WaitAsync(Cancel);

        public void Dispose()
        {
            _listener.Dispose();
            _certificate?.Dispose();
        }

        private async Task ServeAsync(X509Certificate2Collection others, bool hangsUp)
        {
            using var client = await _listener.AcceptTcpClientAsync(Cancel);
            _connected.SetResult();
            if (hangsUp)
            {
                return;
            }

            await using var stream = client.GetStream();
            if (_certificate is null)
            {
                await stream.ReadExactlyAsync(new byte[1_000_000], Cancel);
                return;
            }

            await using var tls = new SslStream(stream);
            var context = SslStreamCertificateContext.Create(_certificate, others, offline: true);
            await tls.AuthenticateAsServerAsync((_, hello, _, _) =>
            {
                _askedFor.SetResult(hello.ServerName);
                return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = context });
            }, null, Cancel);
        }
    }
}
