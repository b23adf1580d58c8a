using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Runbooks.Catalog.Steps;

/// <summary>
/// A step that a person does: not everything can be automated, and what cannot is part of the runbook all the same. The
/// workflow asks, waits and records the answer; this says what is asked.
/// </summary>
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
            .. Checklist.Count > MaxItems ? [new($"has {Checklist.Count} items. Keep at most {MaxItems}.", [nameof(Checklist)])] : Array.Empty<ValidationResult>(),
            .. Checklist.Any(string.IsNullOrWhiteSpace) ? [new("has an item that is empty.", [nameof(Checklist)])] : Array.Empty<ValidationResult>(),
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

    public override Reversal ReversalOf(JsonElement with) => with.ValueKind == JsonValueKind.Object && with.TryGetProperty("undo", out var undo) && undo.ValueKind == JsonValueKind.String
        ? Reversal.Undone
        : Reversal.None;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) => Task.FromResult(new Preparation
    {
        PlannedEffect = Planned(parameters.Who, parameters.Instruction, parameters.Checklist.Count),
        Undo = parameters.Undo is { } undo ? $"A person does this: {undo}" : null,
        UndoneByHand = parameters.Undo is not null,
        UndoState = parameters.Undo is { } text ? JsonSerializer.SerializeToElement(text) : null,
    });

    protected override Task<ActionResult> ApplyAsync(Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A person does this; there is nothing to apply.");

    /// <summary>What the step asks, as long as it needs what a step before it gives.</summary>
    /// <param name="shown">Its parameters, with placeholders where something is not known yet.</param>
    public static string Planned(JsonElement shown) =>
        Planned(Texts(shown, "who"), Pending().Replace(string.Join(" ", Texts(shown, "instruction")), "(known after $1)"), Texts(shown, "checklist").Count());

    private static string Planned(IEnumerable<string> who, string instruction, int items) =>
        $"A person does this ({string.Join(", ", who)}): {instruction}{(items == 0 ? "" : $" {CountText.Format(items, "item")} to tick.")}";

    [GeneratedRegex(@"\{\{\s*steps\.([\w-]+)\.[^}]*\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Pending();

    /// <summary>Whether a runbook has such a step, so that it asks somebody even where it needs no approval.</summary>
    public static bool IsIn(Runbook runbook) => runbook.AllSteps().Any(one => one.Step.Do == BuiltInSteps.Person);

    /// <summary>What a step asks a person to do, as the file says it, a line each: who and what, the checklist, how it is taken back, who is asked when nobody answers.</summary>
    public static IEnumerable<string> LinesOf(StepSpec step) =>
    [
        $"{string.Join(", ", Texts(step.With, "who"))}, within {DurationText.Format(step.Timeout)}: {string.Join(" ", Texts(step.With, "instruction"))}",
        .. Texts(step.With, "checklist").Select(item => $"☐ {item}"),
        .. Texts(step.With, "undo").Select(undo => $"To take it back: {undo}"),
        .. Texts(step.With, "remindAfter").Select(pause => $"Asked again after {pause}."),
        .. step.With.ValueKind == JsonValueKind.Object && step.With.TryGetProperty("escalate", out var escalate) && escalate.ValueKind == JsonValueKind.Array
            ? escalate.EnumerateArray().Select(further => $"After {string.Join("", Texts(further, "after"))} {string.Join(", ", Texts(further, "to"))} is asked too.")
            : [],
    ];

    private static IEnumerable<string> Texts(JsonElement with, string key) => with.ValueKind != JsonValueKind.Object || !with.TryGetProperty(key, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(item => item.ToString())
        : [value.ToString()];
}
