using System.Text.Json;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace TestKit.Incidents;

public sealed record ScriptedCheckParameters(string Name);

/// <summary>Answers what the script says.</summary>
public sealed class ScriptedCheck(Script script) : Check<ScriptedCheckParameters>("script.check", "Answers what the test says.")
{
    protected override Task<CheckResult> AskAsync(ScriptedCheckParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        script.Asked.Enqueue(parameters.Name);
        script.OnAsk(parameters.Name);
        return Task.FromResult(new CheckResult(script.Verdicts.GetValueOrDefault(parameters.Name, Verdict.Failing), $"{parameters.Name} was asked")
        {
            Value = "1",
            Caveat = script.Caveats.GetValueOrDefault(parameters.Name),
            MeasuredAt = script.Measured.TryGetValue(parameters.Name, out var measured) ? measured : null,
            MeasuredFrom = script.MeasuredFrom.TryGetValue(parameters.Name, out var from) ? from : null,
        });
    }
}

public sealed record ScriptedActionParameters(string Name, string? Text = null)
{
    [Secret]
    public string? Password { get; init; }
}

/// <summary>Does what the script says, and can be undone.</summary>
public class ScriptedAction(Script script, string name = "script.act") : RunbookAction<ScriptedActionParameters>(name, "Does what the test says.")
{
    public override bool Reversible => true;

    public override IReadOnlyList<StepOutput> Outputs => [new("result", "The step's name.", "drain")];

    protected override Task<Preparation> PrepareAsync(ScriptedActionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        script.BeforeLooking(parameters.Name) is { } failure ? throw failure : Task.FromResult(new Preparation
        {
            PlannedEffect = $"Do {parameters.Name}{(parameters.Text is null ? "" : $" with {parameters.Text}")}.",
            Identity = script.Identities.GetValueOrDefault(parameters.Name, "first"),
            IsSo = script.IsSo(parameters.Name),
            UndoneByHand = script.Keeps(parameters.Name),
            Undo = Reversible ? $"Undo {parameters.Name}." : null,
            UndoState = Reversible ? JsonSerializer.SerializeToElement(parameters.Name) : null,
        });

    protected override Task<string?> CheckPermissionsAsync(ScriptedActionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(script.Lack(parameters.Name));

    protected override Task<ActionResult> ApplyAsync(ScriptedActionParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        if (script.BeforeActing(parameters.Name) is { } before)
        {
            throw before;
        }

        script.Deeds.Enqueue($"do {parameters.Name}");
        script.OnDone(parameters.Name);
        return script.AfterActing(parameters.Name) is { } after
            ? throw after
            : Task.FromResult(new ActionResult($"Did {parameters.Name}.") { Outputs = new Dictionary<string, string> { ["result"] = $"{parameters.Name}-result" } });
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var name = undoState.GetString()!;
        if (script.BeforeUndoing(name) is { } before)
        {
            throw before;
        }

        script.Deeds.Enqueue($"undo {name}");
        return Task.FromResult(script.OnUndone(name));
    }
}

/// <summary>As <see cref="ScriptedAction"/>, but neither repeated nor undone: rotating a key.</summary>
public sealed class ScriptedUnrepeatable(Script script) : ScriptedAction(script, "script.once")
{
    public override bool Repeatable => false;

    public override bool Reversible => false;
}
