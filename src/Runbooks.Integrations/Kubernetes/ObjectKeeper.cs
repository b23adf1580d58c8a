namespace Runbooks.Integrations.Kubernetes;

/// <summary>Who looks after an object and may set a change back: another object that owns it, Argo CD or Flux.</summary>
/// <seealso href="https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/"/>
/// <seealso href="https://fluxcd.io/flux/faq/#why-are-kubectl-edits-rolled-back-by-flux"/>
internal static class ObjectKeeper
{
    private const string ArgoCd = "argocd.argoproj.io/tracking-id";

    private static readonly (string Label, string Kind)[] s_flux =
        [("kustomize.toolkit.fluxcd.io/name", "kustomization"), ("helm.toolkit.fluxcd.io/name", "release")];

    /// <returns>A sentence that begins with a blank; empty where nobody is known.</returns>
    public static string Remark(V1ObjectMeta? of)
    {
        List<string> keepers = [];
        if (of?.OwnerReferences?.FirstOrDefault(owner => owner.Controller == true) is { } owner)
        {
            keepers.Add(IsName(owner.Kind) && IsName(owner.Name) ? $"its owner ({owner.Kind} {owner.Name})" : "its owner");
        }

        if (of?.Annotations?.TryGetValue(ArgoCd, out var tracked) == true)
        {
            var application = tracked.Split(':')[0];
            keepers.Add(IsName(application) ? $"Argo CD (application {application})" : "Argo CD");
        }

        foreach (var (label, kind) in s_flux)
        {
            if (of?.Labels?.TryGetValue(label, out var name) == true)
            {
                keepers.Add($"Flux ({kind} {name})");
            }
        }

        return keepers.Count == 0
            ? ""
            : $" {CleanText.Capital(string.Join(" and ", keepers))} may set this back soon, unless that is paused there.";
    }

    /// <summary>Unlike a label, an annotation or an owner may be called anything.</summary>
    private static bool IsName(string text) =>
        text.Length is > 0 and <= 253 && text.All(one => char.IsAsciiLetterOrDigit(one) || one is '-' or '.' or '_' or '/');
}
