namespace Runbooks.Integrations;

/// <summary>Several systems of one kind are configured by name, and a step or a check means one of them.</summary>
internal static class ConfiguredName
{
    /// <param name="asked">As it stands in the runbook; null for the default one, or for the only one there is.</param>
    /// <param name="thing">What they are: <c>cluster</c>.</param>
    /// <param name="section">The section of the settings, with the key <c>Default</c>.</param>
    /// <param name="key">Below it, where one is configured; <c>{0}</c> stands for its name.</param>
    /// <param name="how">How a runbook names one: <c>name a cluster in the step</c>.</param>
    /// <returns>The name of one that is configured, or what is missing and where it is set.</returns>
    public static (string? Name, string? Problem) Find<T>(
        string? asked, string? usual, IDictionary<string, T> known, string thing, string section, string key, string how)
    {
        var name = asked ?? usual ?? (known.Count == 1 ? known.Keys.First() : null);
        return name is null ? (null, $"No {thing} is chosen. Set {section}:Default, or {how}.")
            : known.ContainsKey(name) ? (name, null)
            : (null, $"No {thing} is configured as '{name}'. Add {section}:{key.Replace("{0}", name, StringComparison.Ordinal)}.");
    }

    /// <param name="group">The key below the section under which they are configured.</param>
    /// <returns>Empty unless the default is none of them.</returns>
    public static IEnumerable<ValidationResult> DefaultProblems<T>(
        string section, string group, string? usual, IDictionary<string, T> known) =>
        usual is null || known.ContainsKey(usual) ? [] : [new($"{section}:Default names '{usual}', which is not among {section}:{group}.")];
}

/// <summary>An address that secrets may be sent to: https, or plain http to this very machine.</summary>
internal static class HttpsUrl
{
    public static bool TryParse(string? text, out Uri url) =>
        Uri.TryCreate(text, UriKind.Absolute, out url!)
            && (url.Scheme == Uri.UriSchemeHttps || url is { Scheme: "http", IsLoopback: true });

    /// <param name="setting">The path of the setting.</param>
    /// <param name="example">One or more that would do.</param>
    /// <returns>Empty where the setting holds one.</returns>
    public static IEnumerable<ValidationResult> Problems(string setting, string? text, string example) =>
        TryParse(text, out _) ? [] : [new($"{setting} must be an https URL such as {example}.")];
}
