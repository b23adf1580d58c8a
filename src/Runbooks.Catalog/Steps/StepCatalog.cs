using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Runbooks.Catalog.Steps;

/// <summary>Two with the same name fail at start-up.</summary>
public sealed class StepCatalog
{
    private readonly Dictionary<string, ICheck> _checks;
    private readonly Dictionary<string, IAction> _actions;

    public StepCatalog(IEnumerable<ICheck> checks, IEnumerable<IAction> actions)
    {
        _checks = Index(checks, check => check.Name, "checks");
        _actions = Index(actions, action => action.Name, "actions");
    }

    public IReadOnlyCollection<ICheck> Checks => _checks.Values;

    public IReadOnlyCollection<IAction> Actions => _actions.Values;

    public ICheck? FindCheck(string name) => _checks.GetValueOrDefault(name);

    public IAction? FindAction(string name) => _actions.GetValueOrDefault(name);

    /// <summary>
    /// Whether a step does more than tell, so that there is something to verify and to undo. An unknown action may change something.
    /// </summary>
    public bool ChangeSomething(IEnumerable<StepSpec> specs) => specs.Any(spec => FindAction(spec.Do) is not { TellsOnly: true });

    public bool ActByThemselves(IEnumerable<StepSpec> specs) =>
        specs.Any(spec => FindAction(spec.Do) is not ({ TellsOnly: true } or { IsManual: true }));

    /// <summary>The check that looks back the longest. Null if none does.</summary>
    public (CheckSpec Check, TimeSpan Back)? LongestLookBack(IEnumerable<CheckSpec> specs) =>
        specs.Select(spec => (spec, FindCheck(spec.Check)?.LookBackOf(spec.With))).Where(one => one.Item2 is not null).OrderByDescending(one => one.Item2)
            .Select(one => ((CheckSpec, TimeSpan)?)(one.spec, one.Item2!.Value)).FirstOrDefault();

    private static Dictionary<string, T> Index<T>(IEnumerable<T> items, Func<T, string> name, string kind)
    {
        var index = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (!index.TryAdd(name(item), item))
            {
                throw new InvalidOperationException($"Two {kind} are called '{name(item)}': {index[name(item)]!.GetType()} and {item!.GetType()}.");
            }
        }

        return index;
    }
}

public static class StepServices
{
    public static IServiceCollection AddRunbookSteps(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ICheck, AlwaysCheck>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, NoteAction>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IAction, ManualAction>());
        services.TryAddSingleton<StepCatalog>();
        return services;
    }
}

/// <summary>The steps of every host. They touch nothing outside, so a simulation needs no substitute for them.</summary>
public static class BuiltInSteps
{
    public const string Always = "always";
    public const string Note = "note";
    public const string Person = "person";

    /// <summary>The undo of a step that only tells.</summary>
    public const string NothingToBringBack = "Nothing to bring back.";
}

/// <summary>For trying out a runbook, and for one that trusts its alert.</summary>
internal sealed class AlwaysCheck() : Check<AlwaysCheck.Parameters>(BuiltInSteps.Always, "Finds what the runbook says, without looking at anything.")
{
    public sealed record Parameters
    {
        [Description("The finding.")]
        public required Verdict Finding { get; init; }
    }

    protected override Task<CheckResult> AskAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new CheckResult(parameters.Finding, "As the runbook says; nothing was looked at."));
}

internal sealed class NoteAction() : RunbookAction<NoteAction.Parameters>(BuiltInSteps.Note, "Writes a line into the incident's timeline, and touches nothing.")
{
    public sealed record Parameters
    {
        [ForPeople(2000), Description("The line.")]
        public required string Text { get; init; }
    }

    /// <summary>There is nothing to restore, so a note never makes a runbook irreversible.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = $"Note: {parameters.Text}",
            Undo = BuiltInSteps.NothingToBringBack,
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override Task<ActionResult> ApplyAsync(
        Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult(parameters.Text));

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("Left the note as it is."));
}

/// <summary>The workflow asks, waits and records the answer. This class only says what is asked.</summary>
public sealed partial class ManualAction() : RunbookAction<ManualAction.Parameters>(
    BuiltInSteps.Person, "Asks a person to do something by hand, and goes on once somebody says that it is done. `timeout` is how long they have: 1h unless said, at most 7d.")
{
    public const int MaxItems = 20;

    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromHours(1);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(7);

    public sealed record Parameters : IValidatableObject
    {
        [Required, ForPeople(1000), Description("What to do.")]
        public required string Instruction { get; init; }

        [ContactName, ForPeople(128, OneLine = true), Description("Contacts that are asked. Each of them may say that it is done, or that it could not be done and why.")]
        public required IReadOnlyList<string> Who { get; init; }

        [ForPeople(300), Description("What has to be ticked, each item by whoever did it. The step is done with the last.")]
        public IReadOnlyList<string> Checklist { get; init; } = [];

        [ForPeople(1000), Description("How a person takes it back. Without it the step cannot be undone.")]
        public string? Undo { get; init; }

        [Description("Ask again after this long without an answer.")]
        public TimeSpan? RemindAfter { get; init; }

        [Description("Ask more people while nobody answers.")]
        public IReadOnlyList<EscalateTo> Escalate { get; init; } = [];

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        [
            .. Who.Count == 0 ? [new("names nobody. Name the contacts that are asked.", [nameof(Who)])] : Array.Empty<ValidationResult>(),
            .. Checklist.Count > MaxItems
                ? [new($"has {Checklist.Count} items. Keep at most {MaxItems}.", [nameof(Checklist)])]
                : Array.Empty<ValidationResult>(),
            .. Checklist.Any(string.IsNullOrWhiteSpace)
                ? [new("has an item that is empty.", [nameof(Checklist)])]
                : Array.Empty<ValidationResult>(),
        ];
    }

    public sealed record EscalateTo
    {
        [Description("Without an answer for this long.")]
        public required TimeSpan After { get; init; }

        [ContactName, ForPeople(128, OneLine = true), Description("Contacts that are asked as well.")]
        public required IReadOnlyList<string> To { get; init; }
    }

    public override bool IsManual => true;

    public override IReadOnlyList<StepOutput> Outputs => [new("by", "Who did it.", "ada")];

    public override bool Reversible => true;

    public override Reversal ReversalOf(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("undo", out var undo) && undo.ValueKind == JsonValueKind.String
            ? Reversal.Undone
            : Reversal.None;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) => Task.FromResult(new Preparation
    {
        PlannedEffect = Planned(parameters.Who, parameters.Instruction, parameters.Checklist.Count),
        Undo = parameters.Undo is { } undo ? $"A person does this: {undo}" : null,
        UndoneByHand = parameters.Undo is not null,
        UndoState = parameters.Undo is { } text ? JsonSerializer.SerializeToElement(text) : null,
    });

    protected override Task<ActionResult> ApplyAsync(
        Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A person does this; there is nothing to apply.");

    public static string Planned(JsonElement shown) =>
        Planned(
            Texts(shown, "who"),
            Pending().Replace(string.Join(" ", Texts(shown, "instruction")), "(known after $1)"),
            Texts(shown, "checklist").Count());

    private static string Planned(IEnumerable<string> who, string instruction, int items) =>
        $"A person does this ({string.Join(", ", who)}): "
        + (items == 0 ? instruction : $"{EndingText.Sentence(instruction)} {CountText.Format(items, "item")} to tick.");

    [GeneratedRegex(@"\{\{\s*steps\.([\w-]+)\.[^}]*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Pending();

    /// <summary>Whether a runbook has such a step, and so asks somebody even without an approval.</summary>
    public static bool IsIn(Runbook runbook) => runbook.AllSteps().Any(one => one.Step.Do == BuiltInSteps.Person);

    public static IEnumerable<string> LinesOf(StepSpec step) =>
    [
        $"{string.Join(", ", Texts(step.With, "who"))}, within {DurationText.Format(step.Timeout)}: "
        + $"{string.Join(" ", Texts(step.With, "instruction"))}",
        .. Texts(step.With, "checklist").Select(item => $"☐ {item}"),
        .. Texts(step.With, "undo").Select(undo => $"To take it back: {undo}"),
        .. Texts(step.With, "remindAfter").Select(pause => $"Asked again after {pause}."),
        .. step.With.ValueKind == JsonValueKind.Object
            && step.With.TryGetProperty("escalate", out var escalate)
            && escalate.ValueKind == JsonValueKind.Array
            ? escalate.EnumerateArray().Select(further => $"After {string.Join("", Texts(further, "after"))} {string.Join(", ", Texts(further, "to"))} is asked too.")
            : [],
    ];

    private static IEnumerable<string> Texts(JsonElement with, string key) => with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(key, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(item => item.ToString())
        : [value.ToString()];
}
