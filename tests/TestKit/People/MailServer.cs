using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using MimeKit;

namespace TestKit.People;

/// <summary>A real SMTP server on loopback, from npm; its certificate is of an authority that nobody trusts.</summary>
public sealed class MailServer : IAsyncDisposable
{
    // It ends when its standard input does, and that ends with us.
    private const string Script = """
        process.stdin.on('end', () => process.exit(0)).resume();
        const { SMTPServer } = require('smtp-server');
        if (process.env.NO_GOODBYE === '1') {
          require('smtp-server/lib/smtp-connection').SMTPConnection.prototype.handler_QUIT = () => {};
        }
        const server = new SMTPServer({
          authOptional: true,
          allowInsecureAuth: true,
          key: process.env.TLS_KEY,
          cert: process.env.TLS_CERTIFICATE,
          hideSTARTTLS: process.env.NO_TLS === '1',
          disabledCommands: process.env.NO_LOGIN === '1' ? ['AUTH'] : [],
          onAuth: (auth, session, done) => auth.password === 'right' ? done(null, { user: auth.username }) : done(Object.assign(new Error('no'), { responseCode: auth.password === 'busy' ? 454 : 535 })),
          onRcptTo: (address, session, done) => {
            const code = address.address.startsWith('later') ? 451 : address.address.startsWith('never') ? 550 : 0;
            done(code ? Object.assign(new Error('no'), { responseCode: code }) : null);
          },
          onData: (stream, session, done) => {
            const parts = [];
            stream.on('data', part => parts.push(part));
            stream.on('end', () => { console.log(JSON.stringify({ raw: Buffer.concat(parts).toString('base64'), tls: session.secure })); done(); });
          },
        });
        server.on('error', () => {});
        const net = server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: net.address().port })));
        """;

    private readonly Process _process;

    private MailServer(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    /// <param name="login">Whether it offers any.</param>
    /// <param name="name">Whom its certificate is made for.</param>
    /// <param name="until">When its certificate ends; in ten years where nothing is said.</param>
    /// <param name="goodbye">Whether it answers whoever leaves.</param>
    public static async Task<MailServer> StartAsync(bool tls = true, bool login = true, bool goodbye = true, string name = "127.0.0.1", DateTimeOffset? until = null)
    {
        var (key, certificate) = Certificate(name, until ?? DateTimeOffset.UtcNow.AddYears(10));
        var folder = await NodePackage.InstallAsync("smtp-server", "3.21.6");
        var start = new ProcessStartInfo("node", ["-e", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["NODE_PATH"] = Path.Combine(folder, "node_modules");
        start.Environment["NO_TLS"] = tls ? "0" : "1";
        start.Environment["NO_GOODBYE"] = goodbye ? "0" : "1";
        start.Environment["NO_LOGIN"] = login ? "0" : "1";
        start.Environment["TLS_KEY"] = key;
        start.Environment["TLS_CERTIFICATE"] = certificate;
        var process = Process.Start(start)!;
        var first = JsonNode.Parse(await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("The mail server did not start."))!;
        return new(process, first["port"]!.GetValue<int>());
    }

    public async Task<MimeMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        var line = await _process.StandardOutput.ReadLineAsync(cancellationToken);
        using var raw = new MemoryStream(Convert.FromBase64String(JsonSerializer.Deserialize<JsonElement>(line!).GetProperty("raw").GetString()!));
        return await MimeMessage.LoadAsync(raw, cancellationToken);
    }

    /// <summary>Issued by an authority, and so one of which a list could say that it was taken back.</summary>
    private static (string Key, string Chain) Certificate(string name, DateTimeOffset until)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Nobody", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var authority = authorityRequest.CreateSelfSigned(until.AddYears(-20), until.AddYears(20));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mail", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (System.Net.IPAddress.TryParse(name, out var address))
        {
            names.AddIpAddress(address);
        }
        else
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, until.AddYears(-19), until, [1, 2, 3, 4]);
        return (key.ExportPkcs8PrivateKeyPem(), $"{certificate.ExportCertificatePem()}\n{authority.ExportCertificatePem()}");
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
