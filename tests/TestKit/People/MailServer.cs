using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MimeKit;

namespace TestKit.People;

/// <summary>A real SMTP server on loopback, from npm; its certificate is one that nobody trusts.</summary>
public sealed class MailServer : IAsyncDisposable
{
    // It ends when its standard input does, and that ends with us.
    private const string Script = """
        process.stdin.on('end', () => process.exit(0)).resume();
        const { SMTPServer } = require('smtp-server');
        const server = new SMTPServer({
          authOptional: true,
          hideSTARTTLS: process.env.NO_TLS === '1',
          onAuth: (auth, session, done) => auth.password === 'right' ? done(null, { user: auth.username }) : done(new Error('wrong')),
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

    public static async Task<MailServer> StartAsync(bool tls = true)
    {
        var folder = await NodePackage.InstallAsync("smtp-server", "3.21.6");
        var start = new ProcessStartInfo("node", ["-e", Script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["NODE_PATH"] = Path.Combine(folder, "node_modules");
        start.Environment["NO_TLS"] = tls ? "0" : "1";
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

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
