using System.Text.Json.Nodes;

namespace Runbooks.Catalog.Reading;

/// <summary>Both phases share one space of names.</summary>
internal sealed class StepsReader(StepCatalog steps, IReadOnlyCollection<string> checks, SampleFiles samples)
{
    internal const int MaxSteps = 20;

    private readonly OrderedDictionary<string, IAction?> _earlier = new(StringComparer.Ordinal);

    public TemplatePlace Place => new(true, checks, new OrderedDictionary<string, IAction?>(_earlier), []);

    public IReadOnlyList<StepSpec> Read(YamlSection? phase)
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
            if (!section.Has("do") && section.Errors.HomeOf(name) is { } home)
            {
                section.Errors.AtKey(section.Path, "is a step without 'do'.", home);
                continue;
            }

            NameRules.Check(section, name);
            if (_earlier.ContainsKey(name))
            {
                section.Errors.AtKey(
                    section.Path, $"is a second step called '{name}'.", "Give it another name: outputs are read by the step's name.");
            }

            var place = Place with { Later = [.. sections.Skip(index).Select(pair => pair.Name).Except(_earlier.Keys)] };
            var spec = ReadOne(name, section, place);
            specs.Add(spec);
            _earlier.TryAdd(name, steps.FindAction(spec.Do));
        }

        return specs;
    }

    private StepSpec ReadOne(string name, YamlSection section, TemplatePlace place)
    {
        var actionName = section.Text("do", required: true);
        var with = WithReader.ToJson(section.Free("with"));
        place.Check(section.PathOf("with"), with, section.Errors);
        var action = steps.FindAction(actionName);
        CheckUse(
            section, "do", "action", actionName, with, action?.ParametersType, steps.Actions.Select(candidate => candidate.Name),
            steps.FindCheck(actionName) is null ? "" : "It is a check: checks only look and stand under 'diagnosis'. ");
        if (action is not null)
        {
            samples.Take(with, action.ParametersType, section);
        }

        var (usual, longest) = action is { IsManual: true } ? (ManualAction.DefaultTimeout, ManualAction.LongestTimeout) : (StepSpec.DefaultTimeout, StepSpec.LongestTimeout);
        var timeout = section.Duration("timeout", TimeSpan.FromSeconds(1), longest) ?? usual;
        if (action is { IsManual: true })
        {
            CheckManual(section, with, timeout);
        }

        var retry = Retry(section, action);
        section.RejectOthers();
        return new(name, actionName, WithReader.ToElement(with), timeout, retry);
    }

    /// <param name="parameters">Null if there is none of that name.</param>
    /// <param name="hint">What it may be instead. May be empty.</param>
    public static void CheckUse(
        YamlSection section, string key, string kind, string name, JsonObject with, Type? parameters, IEnumerable<string> all, string hint)
    {
        foreach (var error in parameters is null ? [] : ParameterBinder.Check(with, parameters))
        {
            section.Errors.Add(section.PathOf("with"), error);
        }

        if (parameters is null && name.Length > 0)
        {
            var known = all.Order(StringComparer.Ordinal).ToList();
            section.Errors.AtValue(
                section.PathOf(key),
                $"names the {kind} '{Clip.To(name, 80)}', which does not exist.",
                $"{hint}{Suggestion.For(name, known)}The {kind}s are: {string.Join(", ", known)}.");
        }
    }

    /// <summary>Reminders and escalations have to come before the time is over.</summary>
    private static void CheckManual(YamlSection section, JsonObject with, TimeSpan timeout)
    {
        if (section.Has("retry"))
        {
            section.Errors.AtKey(section.PathOf("retry"), "is not for a person.", "Remove it, and use 'remindAfter' under 'with'.");
        }

        var times = new[] { (Path: "with.remindAfter", Node: with["remindAfter"]) }
            .Concat((with["escalate"] as JsonArray ?? []).Select((one, at) => (Path: $"with.escalate[{at}].after", Node: (one as JsonObject)?["after"])));
        foreach (var (path, node) in times)
        {
            if (node is JsonValue value
                && DurationText.TryParse(value.ToString(), out var after)
                && (after <= TimeSpan.Zero || after >= timeout))
            {
                section.Errors.AtValue(
                    section.PathOf(path),
                    $"is {DurationText.Format(after)}, but the step has {DurationText.Format(timeout)}.",
                    "Make it shorter than 'timeout', or 'timeout' longer.");
            }
        }
    }

    private static StepRetry Retry(YamlSection section, IAction? action)
    {
        var retry = section.Sub("retry");
        var attempts = retry?.Count("attempts", 10);
        var delay = retry?.Duration("delay", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(30));
        retry?.RejectOthers();
        if (action is not { Repeatable: false })
        {
            return new(attempts ?? StepRetry.Default.Attempts, delay ?? StepRetry.Default.Delay);
        }

        if (attempts > 1)
        {
            section.Errors.AtValue(
                section.PathOf("retry.attempts"), $"is {attempts}, but {action.Name} cannot be repeated safely.", "Remove 'retry'.");
        }

        // It is tried again only if an attempt is known to have done nothing. The pause is for that.
        return new(1, delay ?? StepRetry.Default.Delay);
    }
}

internal sealed class DiagnosisReader(StepCatalog steps)
{
    private const int MaxChecks = 20;

    public IReadOnlyList<CheckSpec> Read(YamlSection root)
    {
        var sections = root.Named("diagnosis");
        if (sections.Count > MaxChecks)
        {
            root.Errors.AtKey("diagnosis", $"has {sections.Count} checks; all are asked at once.", $"Keep at most {MaxChecks}.");
        }

        return [.. sections.Select(pair => ReadOne(pair.Name, pair.Section))];
    }

    private CheckSpec ReadOne(string name, YamlSection section)
    {
        NameRules.Check(section, name);
        var ask = section.Plain("ask", required: true, longest: 500);
        var checkName = section.Text("check", required: true);
        var with = WithReader.ToJson(section.Free("with"));
        TemplatePlace.Diagnosis.Check(section.PathOf("with"), with, section.Errors);
        var check = steps.FindCheck(checkName);
        StepsReader.CheckUse(
            section, "check", "check", checkName, with, check?.ParametersType, steps.Checks.Select(candidate => candidate.Name),
            steps.FindAction(checkName) is null ? "" : "It is an action: actions change things and stand under 'steps'. ");
        var parameters = WithReader.ToElement(with);
        var timeout = section.Duration("timeout", TimeSpan.FromSeconds(1), CheckSpec.LongestTimeout) ?? check?.UsualTimeoutOf(parameters) ?? CheckSpec.DefaultTimeout;
        section.RejectOthers();
        return new(name, ask, checkName, parameters, timeout);
    }
}

/// <summary>
/// Plain numbers, true, false and null become JSON values and the rest text. True with a capital stays text, and still counts as a boolean
/// where one is expected.
/// </summary>
internal static class WithReader
{
    private static readonly Regex s_number = new(@"\A-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.NonBacktracking);

    public static JsonElement ToElement(JsonObject with) => JsonSerializer.SerializeToElement(with);

    public static JsonObject ToJson(YamlMapping? mapping)
    {
        var with = new JsonObject();
        foreach (var entry in mapping?.Entries ?? [])
        {
            with[entry.Key] = ToJson(entry.Value);
        }

        return with;
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMapping mapping => ToJson(mapping),
        YamlSequence list => new JsonArray([.. list.Items.Select(ToJson)]),
        YamlScalar { IsNull: true } => null,
        YamlScalar { Plain: true, Value: "true" } => JsonValue.Create(true),
        YamlScalar { Plain: true, Value: "false" } => JsonValue.Create(false),
        // The text of the number is kept, so that 1.10 can still be a version.
        YamlScalar { Plain: true } scalar when s_number.IsMatch(scalar.Value) => JsonNode.Parse(scalar.Value),
        YamlScalar scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };
}

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
