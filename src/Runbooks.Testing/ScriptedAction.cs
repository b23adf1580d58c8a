using System.Collections.Concurrent;
using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Testing;

/// <summary>Takes the parameters of a real action, and does what the script says: nothing, for better or worse.</summary>
/// <param name="pause">Lets virtual time pass.</param>
internal sealed class ScriptedAction(IAction real, WorldScript script, Func<TimeSpan, CancellationToken, Task> pause) : IAction
{
    private readonly ConcurrentDictionary<string, int> _looks = new(StringComparer.Ordinal);

    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public bool Repeatable => real.Repeatable;

    public bool Reversible => real.Reversible;

    public Type ParametersType => real.ParametersType;

    /// <summary>Looked at once for the plan, and again when it is about to act; both once more when it changed in between.</summary>
    public async Task<Preparation> PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (step, look) = (StepOf(context), _looks.AddOrUpdate(NameOf(context), 1, (_, before) => before + 1));
        var isToAct = look > (step.Changes ? 3 : 1);
        var preparation = real.Name == BuiltInSteps.Note
            ? await real.PrepareAsync(parameters, context, cancellationToken)
            : new Preparation
            {
                Will = real.Summary,
                Undo = Reversible ? $"{NameOf(context)} can be undone." : null,
                UndoState = Reversible ? JsonSerializer.SerializeToElement(context.IdempotencyKey) : null,
            };
        return preparation with
        {
            Identity = step.Changes ? (look > 1 ? "another" : "the one that was shown") : preparation.Identity,
            Refusal = step.Outcome == "blocked" || (step.Outcome == "refused" && isToAct) ? $"As scripted: {step.Outcome}." : null,
        };
    }

    /// <summary>Nobody to ask: a scripted world has no identities.</summary>
    public Task<string?> FindLackAsync(object parameters, StepContext context, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public async Task<ActionResult> ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var step = StepOf(context);
        if (step.Duration > TimeSpan.Zero)
        {
            await pause(step.Duration, cancellationToken);
        }

        return step.Outcome switch
        {
            "fails" => throw new InvalidOperationException("As scripted: it fails."),

            // One whose parameters are known only now was never planned.
            "blocked" or "refused" => throw new StepRefusedException("As scripted: refused."),
            _ when real.Name == BuiltInSteps.Note && step.Outputs.Count == 0 => await real.ApplyAsync(parameters, preparation, context, cancellationToken),
            _ => new ActionResult("As scripted: done, and nothing was touched.") { Outputs = step.Outputs },
        };
    }

    public Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        StepOf(context).Undo == "fails"
            ? throw new InvalidOperationException("As scripted: it cannot be undone.")
            : Task.FromResult(new ActionResult("As scripted: undone."));

    private ScriptedStep StepOf(StepContext context) => script.Steps.GetValueOrDefault(NameOf(context), ScriptedStep.Usual);

    /// <summary>The key is incident, phase, step, and a fourth word when it is undone.</summary>
    private static string NameOf(StepContext context) => context.IdempotencyKey.Split(':')[2];
}
