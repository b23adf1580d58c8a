namespace Runbooks.Integrations;

/// <summary>An address that secrets may be sent to: https, or plain http to this very machine.</summary>
internal static class HttpsUrl
{
    public static bool TryParse(string? text, out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url!) && (url.Scheme == Uri.UriSchemeHttps || url is { Scheme: "http", IsLoopback: true });

    /// <param name="setting">The path of the setting.</param>
    /// <param name="example">One or more that would do.</param>
    /// <returns>Empty where the setting holds one.</returns>
    public static IEnumerable<ValidationResult> Problems(string setting, string? text, string example) =>
        TryParse(text, out _) ? [] : [new($"{setting} must be an https URL such as {example}.")];
}
