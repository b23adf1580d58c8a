using Runbooks.Model.Text;

namespace Runbooks.Catalog.Templates;

/// <summary>What a placeholder reads from.</summary>
public enum PlaceholderRoot { Labels, Annotations, Alert, Target, Incident, Findings, Steps }

/// <summary>One <c>{{ path }}</c> of a template.</summary>
/// <param name="Path">As written, without the braces.</param>
/// <param name="Key">The label, annotation, alert field, check or step; empty for <c>target</c>.</param>
/// <param name="Member">The part of a finding or the output of a step; empty elsewhere.</param>
public sealed record Placeholder(PlaceholderRoot Root, string Path, string Key, string Member)
{
    internal static readonly IReadOnlyList<string> AlertFields =
        ["name", "source", "severity", "status", "summary", "link", "fingerprint"];

    internal static readonly IReadOnlyList<string> FindingMembers = ["verdict", "value", "summary"];

    private static readonly string[] s_roots = ["labels", "annotations", "alert", "target", "incident", "findings", "steps"];

    /// <returns>The placeholder, or what is wrong with it and what to write instead.</returns>
    internal static (Placeholder? Placeholder, string? Error) Parse(string path)
    {
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        var root = dot < 0 ? path : path[..dot];
        var key = dot < 0 ? "" : path[(dot + 1)..];
        if (path.AsSpan().ContainsAny("{}\n\r"))
        {
            return (null, $"{Show(path)} is not a placeholder. Write for example {{{{ labels.pod }}}}.");
        }

        return root switch
        {
            "labels" when key.Length > 0 => (new(PlaceholderRoot.Labels, path, key, ""), null),
            "annotations" when key.Length > 0 => (new(PlaceholderRoot.Annotations, path, key, ""), null),
            "labels" or "annotations" => (null, $"{Show(path)} names no key. Write for example {{{{ {root}.pod }}}}."),
            "alert" when AlertFields.Contains(key) => (new(PlaceholderRoot.Alert, path, key, ""), null),
            "alert" => (null, $"{Show(path)} is not known. An alert has: {string.Join(", ", AlertFields)}."),
            "target" when dot < 0 => (new(PlaceholderRoot.Target, path, "", ""), null),
            "target" => (null, $"{Show(path)} is not known. Write {{{{ target }}}}."),
            "incident" when key == "id" => (new(PlaceholderRoot.Incident, path, key, ""), null),
            "incident" => (null, $"{Show(path)} is not known. Write {{{{ incident.id }}}}."),
            "findings" => Finding(path, key),
            "steps" => Step(path, key),
            _ => (null, $"{Show(path)} is not known. {Suggestion.For(root, s_roots)}A placeholder begins with one of: {string.Join(", ", s_roots)}."),
        };
    }

    private static (Placeholder?, string?) Finding(string path, string key)
    {
        var dot = key.LastIndexOf('.');
        return dot > 0 && FindingMembers.Contains(key[(dot + 1)..])
            ? (new(PlaceholderRoot.Findings, path, key[..dot], key[(dot + 1)..]), null)
            : (null, $"{Show(path)} is not known. Write findings.<check>.verdict, .value or .summary.");
    }

    private static (Placeholder?, string?) Step(string path, string key)
    {
        var dot = key.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && dot < key.Length - 1
            ? (new(PlaceholderRoot.Steps, path, key[..dot], key[(dot + 1)..]), null)
            : (null, $"{Show(path)} is not known. Write steps.<step>.<output>.");
    }

    private static string Show(string path) => $"{{{{ {Clip.To(path, 80)} }}}}";
}
