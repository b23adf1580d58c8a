using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;

namespace Runbooks.Catalog.Reading;

/// <summary>Reads the steps of both phases; they share one space of names.</summary>
internal sealed class StepsReader(StepCatalog steps, IReadOnlyCollection<string> checks)
{
    private const int MaxSteps = 20;
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(2);

    private readonly List<string> _earlier = [];

    /// <summary>What templates may read after the steps that were read so far.</summary>
    public TemplatePlace Place => new(true, checks, [.. _earlier], []);

    public IReadOnlyList<StepSpec> Read(Section? phase)
    {
        var sections = phase?.Named("steps") ?? [];
        if (sections.Count > MaxSteps)
        {
            phase!.Errors.AtKey(phase.PathOf("steps"), $"has {sections.Count} steps.", $"Keep at most {MaxSteps}.");
        }

        var specs = new List<StepSpec>();
        for (var index = 0; index < sections.Count; index++)
        {
            var (name, section) = sections[index];
            Names.Check(section, name);
            if (_earlier.Contains(name))
            {
                section.Errors.AtKey(section.Path, $"is a second step called '{name}'.", "Give it another name: outputs are read by the step's name.");
            }

            var place = Place with { Later = [.. sections.Skip(index).Select(pair => pair.Name).Except(_earlier)] };
            specs.Add(ReadOne(name, section, place));
            _earlier.Add(name);
        }

        return specs;
    }

    private StepSpec ReadOne(string name, Section section, TemplatePlace place)
    {
        var actionName = section.Text("do", required: true);
        var with = WithReader.ToJson(section.Free("with"));
        place.Check(section.PathOf("with"), with, section.Errors);
        var action = steps.FindAction(actionName);
        if (action is not null)
        {
            foreach (var error in ParameterBinder.Check(with, action.ParametersType))
            {
                section.Errors.Add(section.PathOf("with"), error);
            }
        }
        else if (actionName.Length > 0)
        {
            var known = steps.Actions.Select(candidate => candidate.Name).Order(StringComparer.Ordinal).ToList();
            var check = steps.FindCheck(actionName) is null ? "" : "It is a check: checks only look and stand under 'diagnosis'. ";
            section.Errors.AtValue(section.PathOf("do"), $"names the action '{Clip.To(actionName, 80)}', which does not exist.",
                $"{check}{Suggestion.For(actionName, known)}The actions are: {string.Join(", ", known)}.");
        }

        var timeout = section.Duration("timeout", TimeSpan.FromSeconds(1), LongestTimeout) ?? StepSpec.DefaultTimeout;
        var retry = Retry(section, action);
        section.RejectOthers();
        return new(name, actionName, WithReader.ToElement(with), timeout, retry);
    }

    private static StepRetry Retry(Section section, IAction? action)
    {
        var retry = section.Sub("retry");
        var attempts = retry?.Whole("attempts", 1, 10);
        var delay = retry?.Duration("delay", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30));
        retry?.RejectOthers();
        if (action is not { Repeatable: false })
        {
            return new(attempts ?? StepRetry.Default.Attempts, delay ?? StepRetry.Default.Delay);
        }

        if (attempts > 1)
        {
            section.Errors.AtValue(section.PathOf("retry.attempts"), $"is {attempts}, but {action.Name} cannot be repeated safely.", "Remove 'retry'.");
        }

        return StepRetry.Default with { Attempts = 1 };
    }
}
