using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Steps;

/// <summary>Writes a line into the incident's timeline: what a person has to do, or to know.</summary>
internal sealed class NoteAction() : RunbookAction<NoteAction.Parameters>(BuiltInSteps.Note, "Writes a line into the incident's timeline, and touches nothing.")
{
    public sealed record Parameters
    {
        [MaxLength(2000), Description("The line.")]
        public required string Text { get; init; }
    }

    /// <summary>There is nothing to bring back, so a note never keeps a runbook from being reversible.</summary>
    public override bool Reversible => true;

    protected override Task<Preparation> PrepareAsync(Parameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new Preparation
        {
            Will = $"Note: {parameters.Text}",
            Undo = "Nothing to bring back.",
            UndoState = JsonSerializer.SerializeToElement(new { }),
        });

    protected override Task<ActionResult> ApplyAsync(Parameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult(parameters.Text));

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("Left the note as it is."));
}
