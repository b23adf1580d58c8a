using System.Text.Json;
using Runbooks.Catalog.Templates;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Storage;

namespace Runbooks.Web.Pages;

/// <summary>What the page of one runbook shows.</summary>
/// <param name="Recent">Its latest incidents, the newest first.</param>
/// <param name="Refusal">Why it was not started; null when nobody tried.</param>
public sealed record RunbookModel(Runbook Runbook, RunbookReport Report, IReadOnlyList<IncidentSummary> Recent, Visitor Visitor, string? Refusal, DateTimeOffset Now)
{
    /// <summary>Labels stand in the form under their names behind this.</summary>
    public const string LabelField = "label.";

    /// <summary>What was typed, for whoever has to complete it.</summary>
    public IReadOnlyDictionary<string, string> Given { get; init; } = new Dictionary<string, string>();

    public string Address => $"/runbooks/{Uri.EscapeDataString(Runbook.Id)}";

    /// <summary>The labels that its text asks for; without those of the target it cannot start.</summary>
    public IReadOnlyList<(string Name, bool Needed)> Labels { get; } = LabelsOf(Runbook);

    public static IReadOnlyList<(string Name, bool Needed)> LabelsOf(Runbook runbook)
    {
        var target = In(runbook.Target).ToHashSet(StringComparer.Ordinal);
        var others = runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.Mitigation.Steps.Concat(runbook.Resolution.Steps).Select(step => step.With))
            .Select(with => with.GetRawText())
            .Concat([runbook.Mitigation.Approval?.Ask ?? "", runbook.Resolution.Approval?.Ask ?? ""])
            .SelectMany(In);
        return [.. target.Select(name => (name, true)), .. others.Distinct().Where(name => !target.Contains(name)).Select(name => (name, false))];
    }

    private static IEnumerable<string> In(string text) =>
        Template.Parse(text).Placeholders.Where(placeholder => placeholder.Root == PlaceholderRoot.Labels).Select(placeholder => placeholder.Key);

    /// <summary>A step's or check's parameters on one line, as the file has them.</summary>
    public static string Line(JsonElement with) => with.ValueKind == JsonValueKind.Object
        ? string.Join(", ", with.EnumerateObject().Select(pair => $"{pair.Name}: {(pair.Value.ValueKind == JsonValueKind.String ? pair.Value.GetString() : pair.Value.GetRawText())}"))
        : "";
}
