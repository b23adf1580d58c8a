namespace Runbooks.Model.Alerts;

/// <summary>Hides what looks like a secret in an alert, before anything of it is kept or shown.</summary>
public static class AlertSecrets
{
    /// <summary>kube-state-metrics and cert-manager name a Kubernetes secret in this label: the name is none.</summary>
    private const string KubernetesSecret = "secret";

    /// <summary>Versions are in such names, llm-tls-v2 and sh.helm.release.v1.llm.v12; with more of them it may be a key.</summary>
    private const int MaxDigits = 4;

    public static Alert Hide(Alert alert)
    {
        var hidden = alert with
        {
            Name = Redactor.Redact(alert.Name),
            Summary = alert.Summary is null ? null : Redactor.Redact(alert.Summary),
            Link = alert.Link is null ? null : Redactor.Redact(alert.Link),
            Labels = Hide(alert.Labels),
            Annotations = Hide(alert.Annotations),
        };
        return hidden.Name == alert.Name && ReferenceEquals(hidden.Labels, alert.Labels) ? hidden : hidden with { AsSent = alert };
    }

    /// <summary>A value is also hidden when its name says what it is.</summary>
    public static IReadOnlyDictionary<string, string> Hide(IReadOnlyDictionary<string, string> pairs)
    {
        var hidden = pairs.ToDictionary(pair => pair.Key, pair => Hide(pair.Key, pair.Value));
        return hidden.Any(pair => pair.Value != pairs[pair.Key]) ? hidden : pairs;
    }

    /// <summary>
    /// The SHA-256 of a key tells one key from another and opens nothing, as in LiteLLM's <c>hashed_api_key</c>. That of a
    /// password may be guessed, and stays hidden.
    /// </summary>
    private static bool IsDigest(string name, string value) =>
        name.Contains("hash", StringComparison.OrdinalIgnoreCase) && value.Length == 64 && value.All(char.IsAsciiHexDigit)
        && !name.Contains("pass", StringComparison.OrdinalIgnoreCase) && !name.Contains("pwd", StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc cref="Hide(IReadOnlyDictionary{string, string})"/>
    public static string Hide(string name, string value)
    {
        var isName = name == KubernetesSecret && value.AsSpan().ContainsAny('-', '.') && char.IsAsciiLetterLower(value[0])
            && value.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character is '-' or '.') && value.Count(char.IsAsciiDigit) <= MaxDigits;
        var named = isName || IsDigest(name, value) ? value : Redactor.Redact($"{name}={value}");
        return named.StartsWith($"{name}=", StringComparison.Ordinal) ? named[(name.Length + 1)..] : Redactor.Redact(value);
    }
}
