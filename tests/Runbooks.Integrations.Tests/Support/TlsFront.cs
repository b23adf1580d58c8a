using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Core.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Runbooks.Integrations.Tests.Support;

/// <summary>Stands before the sandbox with TLS, as Azure does: only over TLS do the pipelines send a token.</summary>
internal sealed class TlsFront : IAsyncDisposable
{
    private readonly X509Certificate2 _certificate = Certificate();
    private readonly HttpClient _behind = new();
    private WebApplication? _app;

    public Uri Address => new(_app!.Urls.First());

    /// <summary>What came in each request's Authorization header, oldest first.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = new();

    /// <param name="range">Where requests go on to; asked when the first one comes.</param>
    public async Task StartAsync(Func<Uri> range)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        _app = builder.Build();
        _app.MapFallback("/{**path}", async (HttpContext http) =>
        {
            Authorizations.Enqueue(http.Request.Headers.Authorization.ToString());
            using var onward = new HttpRequestMessage(new HttpMethod(http.Request.Method), new Uri(range(), http.Request.Path + http.Request.QueryString));
            if (http.Request.ContentLength > 0)
            {
                onward.Content = new StreamContent(http.Request.Body);
                onward.Content.Headers.TryAddWithoutValidation("Content-Type", http.Request.ContentType);
            }

            using var answer = await _behind.SendAsync(onward);
            http.Response.StatusCode = (int)answer.StatusCode;
            http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            await answer.Content.CopyToAsync(http.Response.Body);
        });
        await _app.StartAsync();
    }

    /// <summary>Lets a pipeline trust exactly this front.</summary>
    public void Trust(ClientOptions options) => options.Transport = new HttpClientTransport(new HttpClientHandler
    {
        ServerCertificateCustomValidationCallback = (_, certificate, _, _) => certificate?.Thumbprint == _certificate.Thumbprint,
    });

    public async ValueTask DisposeAsync()
    {
        await (_app?.DisposeAsync() ?? default);
        _behind.Dispose();
        _certificate.Dispose();
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
