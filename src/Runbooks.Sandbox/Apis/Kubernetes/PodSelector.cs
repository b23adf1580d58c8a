using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>Label and field selectors of a list request: equality and inequality, comma for "and", a bare label for "has it".</summary>
internal static class PodSelector
{
    public static bool Matches(V1Pod pod, string? labelSelector, string? fieldSelector) =>
        Terms(labelSelector).All(term => Holds(term, key => pod.Metadata.Labels.TryGetValue(key, out var value) ? value : null))
        && Terms(fieldSelector).All(term => Holds(term, key => Field(pod, key)));

    private static string[] Terms(string? selector) =>
        (selector ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static bool Holds(string term, Func<string, string?> read)
    {
        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            return read(term) is not null;
        }

        var wanted = term[(at + 1)..].TrimStart('=').Trim();
        return term[at - 1] == '!'
            ? read(term[..(at - 1)].Trim()) != wanted
            : read(term[..at].Trim()) == wanted;
    }

    private static string? Field(V1Pod pod, string key) => key switch
    {
        "metadata.name" => pod.Metadata.Name,
        "metadata.namespace" => pod.Metadata.NamespaceProperty,
        "status.phase" => pod.Status.Phase,
        "spec.nodeName" => pod.Spec.NodeName,
        _ => null,
    };
}
