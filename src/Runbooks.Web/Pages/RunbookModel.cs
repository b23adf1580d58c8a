using System.Text.Json.Nodes;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;

namespace Runbooks.Web.Pages;

public sealed record RunbookModel(
    Runbook Runbook,
    StepCatalog Steps,
    RunbookReport Report,
    IReadOnlyList<IncidentSummary> Recent,
    Visitor Visitor,
    string? Refusal,
    DateTimeOffset Now)
{
    /// <summary>The prefix of the form's fields for labels.</summary>
    public const string LabelField = "label.";

    public IReadOnlyDictionary<string, string> Given { get; init; } = new Dictionary<string, string>();

    public string Address => $"/runbooks/{Uri.EscapeDataString(Runbook.Id)}";

    public RunMode Mode { get; init; }

    public string WithoutAsking(Phase phase)
    {
        var steps = Runbook.StepsOf(phase);
        if (Mode == RunMode.DryRun && Steps.ChangeSomething(steps))
        {
            return "Rehearses without asking.";
        }

        return WithoutActing(Steps, steps)
            ?? (Mode == RunMode.ApproveAll ? "Asks all the same, since everything is asked about here." : "Acts without asking.");
    }

    /// <summary>The same for steps that do not act by themselves; null where one of them does.</summary>
    public static string? WithoutActing(StepCatalog steps, IReadOnlyCollection<StepSpec> specs) =>
        steps.ActByThemselves(specs) ? null
        : steps.ChangeSomething(specs) ? "Asks for each step that is done by hand."
        : "Tells people, and changes nothing.";

    public static string Asks(Runbook runbook, StepCatalog steps, RunMode most)
    {
        var mode = RunModes.Stricter(runbook.Mode, most);
        var unasked = runbook.CoveredBy(Phase.Mitigation).Select(covered => covered.Step).ToList();
        var rehearses = mode == RunMode.DryRun;
        var acts = steps.ActByThemselves(unasked);
        var asksFirst = runbook.Mitigation.Approval is not null || unasked.Count == 0 || (acts && mode == RunMode.ApproveAll);
        var asks = asksFirst ? AsksFirst : AsksLater(runbook, acts, rehearses);
        return rehearses ? $"dry run, {asks}" : asks;
    }

    private static string AsksLater(Runbook runbook, bool acts, bool rehearses)
    {
        if (runbook.Resolution.Approval is not null)
        {
            return acts && !rehearses ? "acts, then asks for the resolution" : "asks for the resolution";
        }

        // A dry run asks for approvals, but not for work by hand.
        var byHand = ManualAction.IsIn(runbook);
        if (byHand && !rehearses)
        {
            return "asks for what is done by hand";
        }

        return acts || byHand ? "asks nobody" : "only tells";
    }

    public const string AsksFirst = "asks first";

    /// <summary>How long there is time for an answer, and what happens then. Where everything is asked about, silence is never a yes.</summary>
    public string AfterTimeout(Phase phase, Approval approval) =>
        $"After {DurationText.Format(approval.Timeout)} without a decision {Silence(phase, approval.OnTimeout)}.";

    private string Silence(Phase phase, OnTimeout onTimeout)
    {
        var mayProceed = Mode != RunMode.ApproveAll || !Steps.ChangeSomething(Runbook.StepsOf(phase));
        return onTimeout switch
        {
            OnTimeout.ProceedIfReversible when mayProceed =>
                $"the steps {(Mode == RunMode.DryRun ? "are rehearsed" : "run")} all the same, "
                + "if what they change can be undone and nothing speaks against it",
            OnTimeout.Escalate => "the fallback contact is asked",
            _ => phase == Phase.Resolution ? "the resolution does not run" : "nothing is done",
        };
    }

    /// <summary>The labels in its text. Without those of the target it cannot start.</summary>
    public IReadOnlyList<(string Name, bool Needed)> Labels { get; } = LabelsOf(Runbook);

    public static IReadOnlyList<(string Name, bool Needed)> LabelsOf(Runbook runbook)
    {
        var target = In(runbook.Target).ToHashSet(StringComparer.Ordinal);
        var others = runbook.Diagnosis.Select(check => check.With)
            .Concat(runbook.AllSteps().Select(planned => planned.Step.With))
            .SelectMany(Template.TextsOf)
            .Concat([runbook.Mitigation.Approval?.Ask ?? "", runbook.Resolution.Approval?.Ask ?? ""])
            .SelectMany(In);
        var optional = others.Distinct().Where(name => !target.Contains(name));
        return [.. target.Select(name => (name, true)), .. optional.Select(name => (name, false))];
    }

    private static IEnumerable<string> In(string text) =>
        Template.Parse(text).Placeholders
            .Where(placeholder => placeholder.Root == PlaceholderRoot.Labels)
            .Select(placeholder => placeholder.Key);

    public string Line(CheckSpec check) => Line(check.With, Steps.FindCheck(check.Check)!.ParametersType);

    public string Line(StepSpec step) => Line(step.With, Steps.FindAction(step.Do)!.ParametersType);

    /// <summary>Parameters on one line, as in the file but with secrets masked.</summary>
    private static string Line(JsonElement with, Type type) =>
        string.Join(", ", ParameterMask.Mask(with, type).Select(pair => $"{pair.Key}: {ValueText(pair.Value)}"));

    public static string ValueText(JsonNode? value) => value is JsonValue scalar ? scalar.ToString() : value?.ToJsonString() ?? "null";
}
