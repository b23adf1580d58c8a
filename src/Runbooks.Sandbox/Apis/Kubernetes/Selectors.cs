using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>Label and field selectors of a list request: equality and inequality, <c>in</c> and <c>notin</c>, comma for "and", a bare label for "has it".</summary>
internal static class Selectors
{
    public static bool Matches(IKubernetesObject<V1ObjectMeta> item, string? labelSelector, string? fieldSelector)
    {
        if (string.IsNullOrEmpty(labelSelector) && string.IsNullOrEmpty(fieldSelector))
        {
            return true;
        }

        // Fields are read where they stand in the object, so any of them can be asked for.
        var json = new Lazy<JsonNode?>(() => JsonNode.Parse(KubernetesJson.Serialize(item)));
        return Terms(labelSelector).All(term => Holds(term, key => item.Metadata.Labels?.TryGetValue(key, out var value) == true ? value : null, bareMeansHas: true))
            && Terms(fieldSelector).All(term => Holds(term, key => Field(json.Value, key) ?? "", bareMeansHas: false));
    }

    private static string? Field(JsonNode? item, string path) => path.Split('.').Aggregate(item, (node, name) => (node as JsonObject)?[name])?.ToString();

    // A comma inside brackets belongs to a set.
    private static IEnumerable<string> Terms(string? selector)
    {
        var (depth, start, text) = (0, 0, selector ?? "");
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                if (text[start..i].Trim() is { Length: > 0 } term)
                {
                    yield return term;
                }

                start = i + 1;
            }
            else
            {
                depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            }
        }
    }

    private static bool Holds(string term, Func<string, string?> read, bool bareMeansHas)
    {
        if (term.IndexOf('(', StringComparison.Ordinal) is var bracket and > 0)
        {
            var words = term[..bracket].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var within = term[(bracket + 1)..].TrimEnd(')').Split(',', StringSplitOptions.TrimEntries).Contains(read(words[0]));
            return words[^1] == "notin" ? !within : within;
        }

        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0)
        {
            return !bareMeansHas || (term.StartsWith('!') ? read(term[1..]) is null : read(term) is not null);
        }

        var wanted = term[(at + 1)..].TrimStart('=').Trim();
        return term[at - 1] == '!'
            ? read(term[..(at - 1)].Trim()) != wanted
            : read(term[..at].Trim()) == wanted;
    }
}
