using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json.Nodes;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Reading;

public sealed class RunbookReader(StepCatalog steps, HostSettings? host = null)
{
    /// <param name="file">The name in errors.</param>
    /// <param name="contacts">Null if contacts are not checked.</param>
    /// <param name="samples">The text files beside it, see <see cref="RunbookFile.Samples"/>.</param>
    /// <param name="team">Null for a runbook without a team.</param>
    public ReadResult Read(
        string file, string text, KnownContacts? contacts = null, IReadOnlyDictionary<string, string>? samples = null, Team? team = null)
    {
        var errors = new FileErrors(file, text);
        var tree = YamlTree.Read(errors.Text, errors.Refuse, errors.Warn);
        var used = new SortedSet<string>(StringComparer.Ordinal);
        if (tree is null || (host ?? HostSettings.None).FillIn(tree, errors.Refuse, used) is not YamlMapping mapping)
        {
            if (tree is not null)
            {
                errors.NoMapping(tree, "id");
            }

            return new(null, errors.Sorted) { Warnings = errors.Warnings };
        }

        var names = team is null ? null : new TeamNames(team, steps, errors, used);
        mapping = names?.Apply(mapping) ?? mapping;
        errors.Locate(mapping);
        var kept = new SampleFiles(samples);
        var runbook = ReadParts(new YamlSection(mapping, "", errors), kept);
        if (names is not null)
        {
            runbook = runbook with { Team = team!.Name, Fallback = names.Fallback };
            names.CheckActions(runbook);
        }

        var filled = used.Count == 0 ? errors.Text : $"{errors.Text}\n{string.Join('\n', used)}";
        runbook = runbook with { Hash = HashOf(filled + kept.HashedText), Samples = kept.Used };
        new SafetyRules(steps, errors).Check(runbook);
        if (errors.Count == 0)
        {
            new WarningRules(steps, errors).Check(runbook);
        }

        if (contacts is not null)
        {
            new ContactRules(contacts, steps, errors).Check(runbook);
        }

        return new(errors.Count > 0 ? null : runbook, errors.Sorted)
        {
            Warnings = errors.Warnings,
            Allowances = errors.Allowances,
            IdAt = errors.PlaceOf("id"),
            SuppressedByAt = errors.PlaceOf("suppressedBy.runbook"),
            TriggersAt = [.. runbook.Trigger.Select((_, index) => errors.PlaceOf($"trigger[{index}].alert"))],
        };
    }

    /// <summary>Line endings do not change the hash.</summary>
    internal static string HashOf(string text) => TextHash.Of(text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n'));

    private Runbook ReadParts(YamlSection root, SampleFiles samples)
    {
        var id = root.Text("id", required: true);
        if (id.Length > 0 && !NameRules.IsId(id))
        {
            root.Errors.AtValue("id", $"is '{Clip.To(id, 80)}'.", $"Use {NameRules.IdFormat}.");
        }

        var title = root.Plain("title", required: true, longest: 120);
        var summary = root.Plain("summary");
        var owner = root.Plain("owner", longest: 200);
        var trigger = TriggerReader.Read(root);
        var target = root.Text("target", required: true, longest: 500);
        TemplatePlace.Target.Check("target", target, root.Errors);
        var suppressedBy = ReadSuppressedBy(root, id);
        var impact = ReadImpact(root);
        var diagnosis = new DiagnosisReader(steps).Read(root);
        var checks = diagnosis.Select(check => check.Name).ToList();
        var stepsReader = new StepsReader(steps, checks, samples);
        var mitigation = new MitigationReader(steps, diagnosis, checks, owner).Read(root, stepsReader);
        var runbook = new Runbook
        {
            Id = id,
            Title = title,
            Summary = summary,
            Owner = owner,
            Trigger = trigger,
            Target = target,
            SuppressedBy = suppressedBy,
            Impact = impact,
            Diagnosis = diagnosis,
            Mitigation = mitigation,
            Resolution = ReadResolution(root, stepsReader, owner),
            Limits = LimitsReader.Read(root, steps.ChangeSomething(mitigation.Steps)),
            ReportTo = root.PlainWords("reportTo", ApprovalReader.ContactName),
            Mode = root.Choice("mode", RunMode.Normal),
        };
        root.RejectOthers();
        return runbook;
    }

    private static SuppressedBy? ReadSuppressedBy(YamlSection root, string id)
    {
        if (root.Sub("suppressedBy") is not { } section)
        {
            return null;
        }

        var runbook = section.Text("runbook", required: true, longest: 64);
        section.RefusePlaceholder("runbook", runbook, "Write the id of a runbook.");
        if (runbook.Length > 0 && runbook == id)
        {
            section.Errors.AtValue(
                section.PathOf("runbook"),
                "is this runbook itself.",
                "Name the runbook that covers this one; alerts on one target are one incident anyway.");
        }

        var target = section.Text("target", required: true, longest: 500);
        TemplatePlace.Target.Check(section.PathOf("target"), target, section.Errors);
        var atMost = section.Duration("atMost", TimeSpan.FromMinutes(1), TimeSpan.FromHours(24)) ?? SuppressedBy.DefaultAtMost;
        section.RejectOthers();
        return new(runbook, target, atMost);
    }

    private static Impact ReadImpact(YamlSection root)
    {
        if (root.Sub("impact", required: true) is not { } section)
        {
            return new(ImpactSeverity.Medium, "", "");
        }

        var impact = new Impact(
            section.Choice("severity", ImpactSeverity.Medium, required: true),
            section.Plain("users", required: true),
            section.Plain("data"));
        section.RejectOthers();
        return impact;
    }

    private static Resolution ReadResolution(YamlSection root, StepsReader steps, string owner)
    {
        var section = root.Sub("resolution");
        var resolution = new Resolution { Approval = ApprovalReader.Read(section, steps.Place, owner), Steps = steps.Read(section) };
        section?.RejectOthers();
        return resolution;
    }
}

/// <summary>Errors are in the file's order.</summary>
public sealed record ReadResult(Runbook? Runbook, IReadOnlyList<CatalogError> Errors)
{
    /// <summary>Warnings do not keep a file from being used.</summary>
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];

    internal Position IdAt { get; init; }

    internal Position SuppressedByAt { get; init; }

    internal IReadOnlyList<Position> TriggersAt { get; init; } = [];

    /// <summary>Null if the file is not a runbook.</summary>
    internal Allowances? Allowances { get; init; }
}

internal static class TriggerReader
{
    private const string AsSent = "Write what the sender sends, or a pattern such as prod-*.";

    public static IReadOnlyList<Trigger> Read(YamlSection root) => [.. root.Items("trigger", required: true).Select(ReadOne)];

    private static Trigger ReadOne(YamlSection section)
    {
        var source = section.Text("source");
        if (source.Length > 0 && !AlertSource.All.Contains(source))
        {
            section.Errors.AtValue(section.PathOf("source"), $"is '{Clip.To(source, 80)}', which is no sender.",
                $"{Suggestion.For(source, AlertSource.All)}The senders are: {string.Join(", ", AlertSource.All)}.");
        }

        var alert = section.Text("alert", longest: 500).Trim();
        section.RefusePlaceholder("alert", alert, AsSent);
        if (!section.Has("alert"))
        {
            section.Errors.AtKey(
                section.PathOf("alert"),
                "is missing.",
                "Add 'alert:' with the name of the rule, a pattern such as HighLatency_*, or \"*\" for every alert.");
        }

        var severity = section.PlainWords("severity", AsSent).Select(word => word.Trim()).ToList();
        var labels = section.TextMap("labels").ToDictionary(label => label.Key, label => label.Value.Trim(), StringComparer.Ordinal);
        foreach (var (name, value) in labels)
        {
            section.Errors.RefusePlaceholderInKey(section.PathOf($"labels.{name}"), name);
            section.RefusePlaceholder($"labels.{name}", value, AsSent);
        }

        section.RejectOthers();
        return new(source.Length > 0 ? source : null, alert, severity, labels);
    }
}

/// <summary>The text files beside a runbook. Those that the steps name are part of the runbook's version.</summary>
internal sealed class SampleFiles(IReadOnlyDictionary<string, string>? there)
{
    private readonly IReadOnlyDictionary<string, string> _there = there ?? FrozenDictionary<string, string>.Empty;
    private readonly SortedDictionary<string, string> _used = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Used => _used;

    /// <summary>Empty if no file is named.</summary>
    public string HashedText => string.Concat(_used.Select(file => $"\n{file.Key}\n{file.Value}"));

    /// <summary>Takes the files that a step's parameters name.</summary>
    public void Take(JsonObject with, Type parameters, YamlSection section)
    {
        var names = parameters.GetProperties()
            .Where(property => property.GetCustomAttribute<SampleFileAttribute>() is not null)
            .Select(property => CamelCase.Of(property.Name));
        foreach (var name in names)
        {
            if (with[name] is not JsonValue value || value.ToString() is not { Length: > 0 } file)
            {
                continue;
            }

            if (!_there.TryGetValue(file, out var text))
            {
                section.Errors.AtValue(section.PathOf($"with.{name}"), $"names {Clip.To(file, 80)}, which does not stand beside the runbook.",
                    $"Put a text file there, or into {SampleFileAttribute.Folder}/, and name it so: "
                    + $"{SampleFileAttribute.Folder}/ordinary.txt. {Known()}");
            }
            else if (WhyRefused(text) is { } objection)
            {
                section.Errors.AtValue(
                    section.PathOf($"with.{name}"),
                    $"names {file}, which {objection}",
                    $"Keep at most {SampleFileAttribute.MaxLines} lines and {SampleFileAttribute.MaxCharacters / 1024} KB.");
            }
            else
            {
                _used[file] = text;
            }
        }
    }

    private static string? WhyRefused(string text)
    {
        var lines = text.Split('\n').Count(line => !string.IsNullOrWhiteSpace(line));
        return text.Length > SampleFileAttribute.MaxCharacters ? "is too long."
            : lines > SampleFileAttribute.MaxLines ? $"has {lines} lines."
            : lines == 0 ? "is empty."
            : text.Contains('\0', StringComparison.Ordinal) || text.Contains('\uFFFD', StringComparison.Ordinal) ? "is no text in UTF-8."
            : null;
    }

    private string Known() =>
        _there.Count == 0
            ? "There is none yet."
            : $"There are: {Clip.To(string.Join(", ", _there.Keys.Order(StringComparer.Ordinal)), 300)}.";
}
