using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Runbooks.Sandbox.Apis;

/// <summary>
/// A server certificate that is about to expire. TLS handshakes on the sandbox's port show it until <c>POST /tls/_renew</c> replaces it.
/// </summary>
internal sealed class TlsApi(
    [FromKeyedServices(TlsApi.Began)] FirstAsked began, SandboxChanges changes, TimeProvider time) : SandboxApi("tls"), IRemembered
{
    public const string Began = "tls/began";

    private static readonly TimeSpan s_left = TimeSpan.FromDays(12);
    private static readonly TimeSpan s_lasts = TimeSpan.FromDays(90);
    private DateTimeOffset? _renewedUntil;

    string IRemembered.Key => "tls/renewed";

    public DateTimeOffset ExpiresAt => _renewedUntil ?? began.At + s_left;

    public bool ExpiresSoon => (_renewedUntil ?? (began.Known ?? time.GetUtcNow()) + s_left) < time.GetUtcNow() + TimeSpan.FromDays(21);

    /// <summary>Replaces it; a negative time makes one that has expired.</summary>
    public void Renew(TimeSpan? lasts = null)
    {
        _renewedUntil = time.GetUtcNow() + (lasts ?? s_lasts);
        changes.Touch();
    }

    public override void Map(IEndpointRouteBuilder routes) => routes.MapPost("/_renew", async (HttpRequest request) =>
    {
        var (renewal, problem) = await PracticeBody.ReadAsync<Renewal>(request, "{\"days\":90}");
        if (problem is null)
        {
            Renew(renewal?.Days is { } days ? TimeSpan.FromDays(days) : null);
        }

        return PracticeBody.Answer(problem);
    });

    public override object Describe() => new { expiresAt = _renewedUntil ?? began.Known + s_left };

    public override void Reset()
    {
        _renewedUntil = null;
        began.Reset();
    }

    public override IResult Error(int status, HttpRequest request) => Results.StatusCode(status);

    JsonNode? IRemembered.Save() => JsonSerializer.SerializeToNode(_renewedUntil);

    void IRemembered.Load(JsonNode saved) => _renewedUntil = saved.Deserialize<DateTimeOffset?>();

    /// <param name="Days">How long the new one lasts; negative for one that has expired.</param>
    internal sealed record Renewal(int? Days);
}

/// <summary>Answers TLS handshakes on the same port as plain HTTP. The first byte tells them apart.</summary>
internal sealed class TlsConnections(TlsApi api, FaultRegistry faults, TimeProvider time)
{
    private const byte Handshake = 0x16;
    private readonly Lock _lock = new();
    private (DateTimeOffset Until, X509Certificate2 Certificate)? _made;

    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate http)
    {
        var stops = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? connection.ConnectionClosed;
        var input = connection.Transport.Input;
        try
        {
            var begin = (await input.ReadAsync(stops)).Buffer;
            var isHandshake = !begin.IsEmpty && begin.FirstSpan[0] == Handshake;
            input.AdvanceTo(begin.Start);
            if (!isHandshake)
            {
                await http(connection);
                return;
            }

            await ShakeHandsAsync(connection.Transport, stops);
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or AuthenticationException)
        {
            // The caller has gone, or does not accept the certificate.
        }
    }

    private async Task ShakeHandsAsync(IDuplexPipe transport, CancellationToken stops)
    {
        var fault = faults.Take(fault => fault.Api == api.Name && fault.Kind is Fault.Slow or Fault.Unreachable);
        if (fault?.Kind == Fault.Unreachable)
        {
            return;
        }

        if (fault is not null)
        {
            await Task.Delay(TimeSpan.FromSeconds(fault.Seconds), time, stops);
        }

        await using var tls = new SslStream(new DuplexStream(transport));
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate() }, stops);
        await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, stops);
    }

    private X509Certificate2 Certificate()
    {
        var until = api.ExpiresAt;
        lock (_lock)
        {
            if (_made?.Until != until)
            {
                _made = (until, Make(until));
            }

            return _made.Value.Certificate;
        }
    }

    private static X509Certificate2 Make(DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=sandbox.runbooks.example", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(until.AddDays(-90), until);

        // Windows cannot serve a certificate whose key was never stored.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    private sealed class DuplexStream(IDuplexPipe transport) : Stream
    {
        private readonly Stream _input = transport.Input.AsStream(leaveOpen: true);
        private readonly Stream _output = transport.Output.AsStream(leaveOpen: true);

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _input.ReadAsync(buffer, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            _output.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

        public override void Flush() => _output.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
