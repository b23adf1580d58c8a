namespace Runbooks.Integrations;

internal static class ConfiguredName
{
    public static (string? Name, string? Problem) Find<T>(
        string? asked, string? usual, IDictionary<string, T> known, string thing, string section, string key, string how)
    {
        var name = asked ?? usual ?? (known.Count == 1 ? known.Keys.First() : null);
        return name is null && known.Count == 0
            ? (null, $"No {thing} is configured. Add {section}:{key.Replace("{0}", "NAME", StringComparison.Ordinal)}.")
            : name is null ? (null, $"No {thing} is chosen. Set {section}:Default, or {how}.")
            : known.ContainsKey(name) ? (name, null)
            : (null, $"No {thing} is configured as '{name}'. Add {section}:{key.Replace("{0}", name, StringComparison.Ordinal)}.");
    }

    public static IEnumerable<ValidationResult> DefaultProblems<T>(
        string section, string group, string? usual, IDictionary<string, T> known) =>
        usual is null || known.ContainsKey(usual) ? [] : [new($"{section}:Default names '{usual}', which is not among {section}:{group}.")];
}

/// <summary>An address that secrets may be sent to: https, or plain http to this machine.</summary>
internal static class HttpsUrl
{
    public static bool TryParse(string? text, out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url!)
            && (url.Scheme == Uri.UriSchemeHttps || url is { Scheme: "http", IsLoopback: true });

    /// <param name="added">A path that every request adds, so that it must not be there already.</param>
    public static IEnumerable<ValidationResult> Problems(string setting, string? text, string example, string? added = null) =>
        !TryParse(text, out var url) ? [new($"{setting} must be an https URL such as {example}.")]
        : added is not null && $"{url.AbsolutePath}/".Contains($"{added}/", StringComparison.OrdinalIgnoreCase)
            ? [new($"{setting} must not have {added} in it: that is added. It is an address such as {example}.")]
            : [];
}
