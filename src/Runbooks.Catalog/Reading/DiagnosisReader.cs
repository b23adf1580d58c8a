using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

internal sealed class DiagnosisReader(StepCatalog steps)
{
    private const int MaxChecks = 20;
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMinutes(10);

    public IReadOnlyList<CheckSpec> Read(Section root)
    {
        var sections = root.Named("diagnosis");
        if (sections.Count > MaxChecks)
        {
            root.Errors.AtKey("diagnosis", $"has {sections.Count} checks; all are asked at once.", $"Keep at most {MaxChecks}.");
        }

        return [.. sections.Select(pair => ReadOne(pair.Name, pair.Section))];
    }

    private CheckSpec ReadOne(string name, Section section)
    {
        Names.Check(section, name);
        var ask = section.Plain("ask", required: true, longest: 500);
        var checkName = section.Text("check", required: true);
        var with = WithReader.ToJson(section.Free("with"));
        TemplatePlace.Diagnosis.Check(section.PathOf("with"), with, section.Errors);
        if (steps.FindCheck(checkName) is { } check)
        {
            foreach (var error in ParameterBinder.Check(with, check.ParametersType))
            {
                section.Errors.Add(section.PathOf("with"), error);
            }
        }
        else if (checkName.Length > 0)
        {
            var known = steps.Checks.Select(candidate => candidate.Name).Order(StringComparer.Ordinal).ToList();
            var action = steps.FindAction(checkName) is null ? "" : "It is an action: actions change things and stand under 'steps'. ";
            section.Errors.AtValue(section.PathOf("check"), $"names the check '{Clip.To(checkName, 80)}', which does not exist.",
                $"{action}{Suggestion.For(checkName, known)}The checks are: {string.Join(", ", known)}.");
        }

        var timeout = section.Duration("timeout", TimeSpan.FromSeconds(1), LongestTimeout) ?? CheckSpec.DefaultTimeout;
        section.RejectOthers();
        return new(name, ask, checkName, WithReader.ToElement(with), timeout);
    }
}
