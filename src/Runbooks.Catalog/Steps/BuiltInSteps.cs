using System.ComponentModel;

namespace Runbooks.Catalog.Steps;

/// <summary>What every host has beside its integrations; they touch nothing outside, so they need no stand-in anywhere.</summary>
public static class BuiltInSteps
{
    public const string Always = "always";
    public const string Note = "note";
    public const string Person = "person";

    /// <summary>How a step is taken back that only tells.</summary>
    public const string NothingToBringBack = "Nothing to bring back.";
}

/// <summary>A check that finds what it is told to: for trying a runbook, and for one that trusts its alert.</summary>
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

/// <summary>Writes a line into the incident's timeline: what a person has to do, or to know.</summary>
internal sealed class NoteAction() : RunbookAction<NoteAction.Parameters>(BuiltInSteps.Note, "Writes a line into the incident's timeline, and touches nothing.")
{
    public sealed record Parameters
    {
        [ForPeople(2000), Description("The line.")]
        public required string Text { get; init; }
    }

    /// <summary>There is nothing to bring back, so a note never keeps a runbook from being reversible.</summary>
    public override bool Reversible => true;

    public override bool TellsOnly => true;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            PlannedEffect = $"Note: {parameters.Text}",
            Undo = BuiltInSteps.NothingToBringBack,
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override Task<ActionResult> ApplyAsync(Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult(parameters.Text));

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("Left the note as it is."));
}
