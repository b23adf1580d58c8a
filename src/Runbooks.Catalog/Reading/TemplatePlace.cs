using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Reading;

/// <param name="Incident">They do everywhere except in the target itself.</param>
/// <param name="Checks">The checks that have been asked by then.</param>
/// <param name="Earlier">Null for an unknown action.</param>
internal sealed record TemplatePlace(
    bool Incident, IReadOnlyCollection<string> Checks, IReadOnlyDictionary<string, IAction?> Earlier, IReadOnlyCollection<string> Later)
{
    public static readonly TemplatePlace Target = new(false, [], new Dictionary<string, IAction?>(), []);

    public static readonly TemplatePlace Diagnosis = Target with { Incident = true };

    public void Check(string path, string text, FileErrors errors)
    {
        var template = Template.Parse(text);
        foreach (var error in template.Errors)
        {
            errors.AtValue(path, error, "");
        }

        // A target without any placeholder has a warning of its own.
        if (template.Lookalikes.FirstOrDefault() is { } plain && (Incident || Template.HasPlaceholder(text)))
        {
            var what = Clip.To(plain, 80);
            errors.Warn(
                WarningCodes.PlaceholderPlain,
                path,
                Template.HasPlaceholder(plain)
                    ? $"holds '{what}': the '$' stays before what is filled in."
                    : $"holds '{what}', which is no placeholder and stays as it is written.",
                "A placeholder has two braces, and no '$': {{ labels.pod }}.");
        }

        foreach (var placeholder in template.Placeholders)
        {
            if (WhyRefused(placeholder) is var (problem, remedy))
            {
                errors.AtPlaceholder(path, placeholder.Path, $"{{{{ {Clip.To(placeholder.Path, 80)} }}}} {problem}", remedy);
            }
        }
    }

    public void Check(string path, JsonNode? node, FileErrors errors)
    {
        switch (node)
        {
            case JsonObject mapping:
                foreach (var (key, value) in mapping)
                {
                    errors.RefusePlaceholderInKey(FileErrors.Join(path, key), key);
                    Check(FileErrors.Join(path, key), value, errors);
                }

                break;
            case JsonArray list:
                for (var index = 0; index < list.Count; index++)
                {
                    Check($"{path}[{index}]", list[index], errors);
                }

                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                Check(path, text, errors);
                break;
        }
    }

    private string EarlierSteps => Earlier.Count == 0
        ? "No step has run here yet."
        : $"The steps before are: {string.Join(", ", Earlier.Keys)}.";

    private (string Problem, string Remedy)? WhyRefused(Placeholder placeholder) => placeholder.Root switch
    {
        PlaceholderRoot.Target or PlaceholderRoot.Incident when !Incident =>
            ("is not known yet when the target is made.", "Use labels, annotations or the alert."),
        PlaceholderRoot.Findings when Checks.Count == 0 =>
            ("is not known yet here.", "Findings can be read once the diagnosis is over: in the mitigation and the resolution."),
        PlaceholderRoot.Findings when !Checks.Contains(placeholder.Key) =>
            ("names a check that the diagnosis does not have.", $"{Suggestion.For(placeholder.Key, Checks)}The checks are: {string.Join(", ", Checks)}."),
        PlaceholderRoot.Steps when Later.Contains(placeholder.Key) =>
            ("reads a step that has not run by then.", "Read only steps that stand above this one."),
        PlaceholderRoot.Steps when !Earlier.ContainsKey(placeholder.Key) =>
            ("names a step that does not exist or has not run by then.", $"{Suggestion.For(placeholder.Key, Earlier.Keys)}{EarlierSteps}"),
        PlaceholderRoot.Steps when Earlier[placeholder.Key] is { } action && action.Outputs.All(output => output.Name != placeholder.Member) =>
            ($"names an output that {action.Name} does not have.", action.RemedyFor(placeholder.Member)),
        _ => null,
    };
}
