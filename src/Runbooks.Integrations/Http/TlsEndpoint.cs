using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Integrations.Http;

/// <summary>Where a server speaks TLS, in any of the ways in which senders of alerts write it.</summary>
[Description("a host, host:port or https URL; the port is 443 unless said")]
public sealed record TlsEndpoint : IParsable<TlsEndpoint>
{
    private TlsEndpoint(string host, int port) => (Host, Port) = (host, port);

    /// <summary>In ASCII, an IPv6 address without brackets.</summary>
    public string Host { get; }

    public int Port { get; }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    public static TlsEndpoint Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var endpoint) ? endpoint : throw new FormatException($"'{s}' is neither a host, host:port nor an https URL.");

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
