namespace Runbooks.Catalog.Templates;

/// <summary>
/// The names that controllers make up for their pods. A Deployment's are its own name, the hash of its template and a random
/// end; a DaemonSet's have no hash. When such a pod goes, another one takes its place under another name. The pods of a
/// StatefulSet keep theirs.
/// </summary>
/// <seealso href="https://github.com/kubernetes/apimachinery/blob/master/pkg/util/rand/rand.go"/>
public static partial class GeneratedPodName
{
    // Neither vowels nor what looks like them, so that no word comes of it.
    private const string Letter = "[bcdfghjklmnpqrstvwxz2456789]";
    private const string Hash = $"{Letter}{{6,10}}-";
    private const string End = $"{Letter}{{5}}";

    /// <returns>A pattern for the whole name of every pod of the same controller, in PromQL as well; null where a new pod keeps the name.</returns>
    public static string? SiblingsOf(string pod) => MadeUp().Match(pod) is { Success: true } name ? Pattern(name.Groups["of"].Value, name.Groups["hash"].Success) : null;

    /// <returns>A pattern for the whole name of every pod of a deployment, in PromQL as well.</returns>
    public static string OfDeployment(string deployment) => Pattern(deployment, hasHash: true);

    public static bool AreSiblings(string pod, string other) =>
        (MadeUp().Match(pod), MadeUp().Match(other)) is ({ Success: true } one, { Success: true } two)
        && one.Groups["of"].Value == two.Groups["of"].Value && one.Groups["hash"].Success == two.Groups["hash"].Success;

    /// <returns>What its controller is called; the name itself where a new pod keeps it.</returns>
    public static string WithoutEnd(string pod) => MadeUp().Match(pod) is { Success: true } name ? name.Groups["of"].Value : pod;

    private static string Pattern(string of, bool hasHash) => $"{of.Replace(".", "[.]", StringComparison.Ordinal)}-{(hasHash ? Hash : "")}{End}";

    [GeneratedRegex($"^(?<of>.+?)-(?<hash>{Hash})?{End}$", RegexOptions.NonBacktracking)]
    private static partial Regex MadeUp();
}
