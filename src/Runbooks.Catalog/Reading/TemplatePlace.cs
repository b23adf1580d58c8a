using System.Text.Json.Nodes;
using Runbooks.Catalog.Templates;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

/// <summary>What is known at one place of a runbook, and so what templates there may read.</summary>
/// <param name="Incident">Whether target and incident exist: everywhere but in the target itself.</param>
/// <param name="Checks">The checks that have been asked by then.</param>
/// <param name="Earlier">The steps that have run by then.</param>
/// <param name="Later">The steps that run at the same time or later.</param>
internal sealed record TemplatePlace(bool Incident, IReadOnlyCollection<string> Checks, IReadOnlyCollection<string> Earlier, IReadOnlyCollection<string> Later)
{
    public static readonly TemplatePlace Target = new(false, [], [], []);

    public static readonly TemplatePlace Diagnosis = new(true, [], [], []);

    public void Check(string path, string text, FileErrors errors)
    {
        var template = Template.Parse(text);
        foreach (var error in template.Errors)
        {
            errors.AtValue(path, error, "");
        }

        foreach (var placeholder in template.Placeholders)
        {
            if (Objection(placeholder) is var (problem, remedy))
            {
                errors.AtValue(path, $"{{{{ {Clip.To(placeholder.Path, 80)} }}}} {problem}", remedy);
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

    private (string Problem, string Remedy)? Objection(Placeholder placeholder) => placeholder.Root switch
    {
        PlaceholderRoot.Target or PlaceholderRoot.Incident when !Incident =>
            ("is not known yet when the target is made.", "Use labels, annotations or the alert."),
        PlaceholderRoot.Findings when Checks.Count == 0 =>
            ("is not known yet here.", "Findings can be read once the diagnosis is over: in the mitigation and the resolution."),
        PlaceholderRoot.Findings when !Checks.Contains(placeholder.Key) =>
            ("names a check that the diagnosis does not have.", $"{Suggestion.For(placeholder.Key, Checks)}The checks are: {string.Join(", ", Checks)}."),
        PlaceholderRoot.Steps when Later.Contains(placeholder.Key) =>
            ("reads a step that has not run by then.", "Read only steps that stand above this one."),
        PlaceholderRoot.Steps when !Earlier.Contains(placeholder.Key) =>
            ("names a step that does not exist or has not run by then.", $"{Suggestion.For(placeholder.Key, Earlier)}{(Earlier.Count == 0 ? "No step has run here yet." : $"The steps before are: {string.Join(", ", Earlier)}.")}"),
        _ => null,
    };
}
