using System.Buffers;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Templates;

public sealed record TemplateScope
{
    private const int NamesShown = 20;

    public Alert? Alert { get; init; }

    /// <summary>Null while the target itself is being rendered.</summary>
    public string? Target { get; init; }

    public string? IncidentId { get; init; }

    /// <summary>By the check's name in the runbook.</summary>
    public IReadOnlyDictionary<string, CheckResult> Findings { get; init; } = new Dictionary<string, CheckResult>();

    /// <summary>By the step's name in the runbook.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Steps { get; init; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>();

    internal bool IsPending(Placeholder placeholder) =>
        placeholder.Root == PlaceholderRoot.Steps && !Steps.ContainsKey(placeholder.Key);

    internal string? Find(Placeholder placeholder) => placeholder.Root switch
    {
        PlaceholderRoot.Labels => Alert?.Labels.GetValueOrDefault(placeholder.Key),
        PlaceholderRoot.Annotations => Alert?.Annotations.GetValueOrDefault(placeholder.Key),
        PlaceholderRoot.Alert => Alert is { } alert ? Field(alert, placeholder.Key) : null,
        PlaceholderRoot.Target => Target,
        PlaceholderRoot.Incident => IncidentId,
        PlaceholderRoot.Findings => Findings.GetValueOrDefault(placeholder.Key) is { } finding ? Member(finding, placeholder.Member) : null,
        PlaceholderRoot.Steps => Steps.GetValueOrDefault(placeholder.Key)?.GetValueOrDefault(placeholder.Member),
        _ => null,
    };

    /// <summary>Lists names only, since a value may be a secret.</summary>
    internal string Missing(Placeholder placeholder)
    {
        var what = $"{{{{ {Clip.To(placeholder.Path, 80)} }}}} has no value.";
        return placeholder.Root switch
        {
            PlaceholderRoot.Labels => $"{what} {Names("The alert's labels are", Alert?.Labels.Keys)}",
            PlaceholderRoot.Annotations => $"{what} {Names("The alert's annotations are", Alert?.Annotations.Keys)}",
            PlaceholderRoot.Alert => $"{what} The sender gave none.",
            PlaceholderRoot.Findings when Findings.ContainsKey(placeholder.Key) => $"{what} The check gave no {placeholder.Member}.",
            PlaceholderRoot.Findings => $"{what} {Names("There are findings of", Findings.Keys)}",
            PlaceholderRoot.Steps when Steps.TryGetValue(placeholder.Key, out var outputs) =>
                $"{what} {Names("The step's outputs are", outputs.Keys)}",
            PlaceholderRoot.Steps => $"{what} {Names("These steps have run", Steps.Keys)}",
            _ => $"{what} It is not known yet.",
        };
    }

    private static string? Field(Alert alert, string field) => field switch
    {
        "name" => alert.Name,
        "source" => alert.Source,
        "severity" => alert.Severity,
        "status" => CamelCase.Of(alert.Status),
        "summary" => alert.Summary,
        "link" => alert.Link,
        "fingerprint" => alert.Fingerprint,
        _ => null,
    };

    private static string? Member(CheckResult finding, string member) => member switch
    {
        "verdict" => CamelCase.Of(finding.Verdict),
        "value" => finding.Value,
        "summary" => finding.Summary,
        _ => null,
    };

    private static string Names(string before, IEnumerable<string>? names)
    {
        var sorted = (names ?? []).Order(StringComparer.Ordinal).Select(name => Clip.To(name, 60)).ToList();
        return sorted.Count == 0 ? $"{before}: none." : $"{before}: {CountText.Names(sorted, NamesShown)}.";
    }
}

public enum PlaceholderRoot { Labels, Annotations, Alert, Target, Incident, Findings, Steps }

/// <summary>One <c>{{ path }}</c> of a template.</summary>
/// <param name="Path">As written, without the braces.</param>
/// <param name="Key">The label, annotation, alert field, check or step. Empty for <c>target</c>.</param>
/// <param name="Member">The part of a finding, or the output of a step. Otherwise empty.</param>
public sealed record Placeholder(PlaceholderRoot Root, string Path, string Key, string Member)
{
    internal static readonly IReadOnlyList<string> AlertFields =
        ["name", "source", "severity", "status", "summary", "link", "fingerprint"];

    internal static readonly IReadOnlyList<string> FindingMembers = ["verdict", "value", "summary"];

    /// <summary>Characters of filters and functions in other template languages.</summary>
    private static readonly SearchValues<char> s_expressions = SearchValues.Create("|'\"(),?[]");

    private static readonly string[] s_operators = [" or ", " and ", " + ", " if ", " else "];

    private static readonly string[] s_roots = ["labels", "annotations", "alert", "target", "incident", "findings", "steps"];

    internal static (Placeholder? Placeholder, string? Error) Parse(string path)
    {
        var dot = path.IndexOf('.', StringComparison.Ordinal);
        var root = dot < 0 ? path : path[..dot];
        var key = dot < 0 ? "" : path[(dot + 1)..];
        if (path.AsSpan().ContainsAny("{}\n\r"))
        {
            return (null, $"{Show(path)} is not a placeholder. Write for example {{{{ labels.pod }}}}.");
        }

        if (path.AsSpan().ContainsAny(s_expressions) || s_operators.Any(word => path.Contains(word, StringComparison.Ordinal)))
        {
            return (
                null,
                $"{Show(path)} is not a placeholder: there are no filters, functions and alternatives. "
                + $"Write for example {{{{ labels.pod }}}}.");
        }

        if (key != key.TrimStart() || (dot > 0 && root != root.TrimEnd()))
        {
            return (null, $"{Show(path)} has a blank beside the dot. Write {{{{ {root.TrimEnd()}.{key.TrimStart()} }}}}.");
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
            _ => (null, $"{Show(path)} is not known. {Suggestion.For(root, s_roots)}A placeholder begins with one of: {string.Join(", ", s_roots)}, settings."),
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

public static class ParameterComparison
{
    /// <summary>Labels from the id of an Azure resource, which ignores case. Some of Azure's senders write it in lower case, others do not.</summary>
    private static readonly HashSet<string> s_azureNames = ["resourceName", "resourceType", "resourceGroup", "subscription", "resourcePath", "configurationItem"];

    /// <summary>
    /// If checks and steps are the same for both alerts, checking one is checking the other. Hidden values may differ, so they never count
    /// as the same.
    /// </summary>
    public static bool AreSame(Runbook runbook, string target, Alert left, Alert right)
    {
        // For a start by hand these labels are the only place that names the resource.
        var ofAzure = left.Resources.Count + right.Resources.Count > 0;
        return Of(runbook, target, left, ofAzure) is var parameters
            && !parameters.Contains(Redactor.Hidden, StringComparison.Ordinal)
            && parameters == Of(runbook, target, right, ofAzure);
    }

    /// <summary>
    /// A hash of the labels, with their values, that the checks and the changing steps read, without those that name the target. Messages
    /// to people do not count, nor does the generated part of a pod's name.
    /// </summary>
    /// <param name="changes">Whether a step changes something.</param>
    /// <returns>Null if a value is hidden.</returns>
    public static string? SubjectOf(Runbook runbook, Alert alert, Func<StepSpec, bool> changes)
    {
        var texts = runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.AllSteps().Select(one => one.Step).Where(changes).Select(step => step.With))
            .SelectMany(Template.TextsOf);
        var keys = LabelsIn(texts).Except(LabelsIn([runbook.Target])).Order(StringComparer.Ordinal);
        var labels = string.Join('\n', keys.Select(key => $"{key}={Lasting(key, Named(key, alert.Labels.GetValueOrDefault(key, "")))}"));
        return labels.Contains(Redactor.Hidden, StringComparison.Ordinal) ? null : TextHash.Of(labels, bytes: 8);
    }

    private static IEnumerable<string> LabelsIn(IEnumerable<string> texts) =>
        texts
            .SelectMany(text => Template.Parse(text).Placeholders)
            .Where(placeholder => placeholder.Root == PlaceholderRoot.Labels)
            .Select(placeholder => placeholder.Key);

    private static string Lasting(string label, string value) =>
        label.Contains("pod", StringComparison.OrdinalIgnoreCase) ? GeneratedPodName.WithoutEnd(value) : value;

    private static string Named(string label, string value) => s_azureNames.Contains(label) ? value.ToLowerInvariant() : value;

    private static string Of(Runbook runbook, string target, Alert alert, bool ofAzure)
    {
        var named = !ofAzure
            ? alert
            : alert with { Labels = alert.Labels.ToDictionary(label => label.Key, label => Named(label.Key, label.Value)) };
        var scope = new TemplateScope { Alert = named, Target = target };
        return string.Join('\n', runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.AllSteps().Select(one => one.Step.With))
            .SelectMany(Template.TextsOf)
            .Select(text => Template.RenderLenient(text, scope)));
    }
}

/// <summary>
/// Pod names that controllers generate. A Deployment's are its name, a hash of its template and a random end; a DaemonSet's have no hash.
/// Such a pod is replaced under another name. The pods of a StatefulSet keep their names.
/// </summary>
/// <seealso href="https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go"/>
public static partial class GeneratedPodName
{
    // Without vowels and characters that look like them, so that no words appear.
    private const string Letter = "[bcdfghjklmnpqrstvwxz2456789]";
    private const string Hash = $"{Letter}{{6,10}}-";
    private const string End = $"{Letter}{{5}}";

    /// <returns>A pattern for the whole name of every pod of the same controller, also in PromQL. Null if a new pod keeps the name.</returns>
    public static string? SiblingsOf(string pod) =>
        MadeUp().Match(pod) is { Success: true } name ? Pattern(name.Groups["of"].Value, name.Groups["hash"].Success) : null;

    /// <returns>A pattern for the whole name of every pod of a deployment, also in PromQL.</returns>
    public static string OfDeployment(string deployment) => Pattern(deployment, hasHash: true);

    public static bool AreSiblings(string pod, string other) =>
        (MadeUp().Match(pod), MadeUp().Match(other)) is ({ Success: true } one, { Success: true } two)
        && one.Groups["of"].Value == two.Groups["of"].Value && one.Groups["hash"].Success == two.Groups["hash"].Success;

    /// <returns>The controller's name. The pod's name itself if a new pod keeps it.</returns>
    public static string WithoutEnd(string pod) => MadeUp().Match(pod) is { Success: true } name ? name.Groups["of"].Value : pod;

    private static string Pattern(string of, bool hasHash) =>
        $"{of.Replace(".", "[.]", StringComparison.Ordinal)}-{(hasHash ? Hash : "")}{End}";

    [GeneratedRegex($"^(?<of>.+?)-(?<hash>{Hash})?{End}$", RegexOptions.NonBacktracking)]
    private static partial Regex MadeUp();
}
