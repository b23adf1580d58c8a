using System.Collections.Concurrent;
using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

/// <summary>Takes the parameters of a real action, and does what the script says, without touching anything.</summary>
/// <param name="pause">Lets virtual time pass.</param>
internal sealed class ScriptedAction(
    IAction real, Runbook runbook, WorldScript script, ScriptUse use, Func<TimeSpan, CancellationToken, Task> pause) : IAction
{
    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public bool Repeatable => real.Repeatable;

    public bool Reversible => real.Reversible;

    public Reversal ReversalOf(JsonElement with) => real.ReversalOf(with);

    public bool TellsOnly => real.TellsOnly;

    public bool IsManual => real.IsManual;

    public bool AlwaysAsks(JsonElement with) => real.AlwaysAsks(with);

    public Type ParametersType => real.ParametersType;

    public IReadOnlyList<StepOutput> Outputs => real.Outputs;

    /// <summary>Called once for the plan, and again before it acts; both once more when the target changed in between.</summary>
    public async Task<Preparation> PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (step, look) = (StepOf(context), use.Look(NameOf(context)));
        var reversal = ReversalOf(JsonSerializer.SerializeToElement(parameters, parameters.GetType(), JsonSerializerOptions.Web));
        var isToAct = look > (step.Changes ? 3 : 1);
        if (script.IsLive)
        {
            return await real.PrepareAsync(parameters, context with { Time = TimeProvider.System }, cancellationToken);
        }

        var preparation = real.Name is BuiltInSteps.Note or BuiltInSteps.Person
            ? await real.PrepareAsync(parameters, context, cancellationToken)
            : new Preparation
            {
                PlannedEffect = real.Summary,
                Undo = reversal switch
                {
                    Reversal.Undone => $"{NameOf(context)} can be undone.",
                    Reversal.Kept => $"{NameOf(context)} is left to a person.",
                    _ => null,
                },
                UndoneByHand = reversal == Reversal.Kept,
                UndoState = reversal == Reversal.None ? null : JsonSerializer.SerializeToElement(context.IdempotencyKey),
            };
        return preparation with
        {
            Identity = step.Changes ? (look > 1 ? "another" : "the one that was shown") : preparation.Identity,
            Refusal = step.Outcome == "blocked" || (step.Outcome == "refused" && isToAct) ? $"As scripted: {step.Outcome}." : null,
        };
    }

    /// <summary>A scripted world has no identities and no permissions.</summary>
    public Task<string?> CheckPermissionsAsync(
        object parameters, StepContext context, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public async Task<ActionResult> ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var step = StepOf(context);
        use.Act();
        if (step.Duration > TimeSpan.Zero)
        {
            // Virtual time goes from one known time to the next, and the deadline of an attempt is not one of them. Past it, only the stop comes.
            var deadline = runbook.FindStep(PhaseOf(context), NameOf(context))!.Timeout;
            await pause(step.Duration < deadline ? step.Duration : deadline, cancellationToken);
            if (step.Duration >= deadline)
            {
                await Task.Delay(Timeout.Infinite, cancellationToken);
            }
        }

        return step.Outcome switch
        {
            "fails" => throw new InvalidOperationException("As scripted: it fails."),

            "nothingDone" => throw new StepRefusedException("As scripted: it did nothing.") { NothingDone = true },

            // A step whose parameters are known only now was never planned.
            "blocked" or "refused" => throw new StepRefusedException("As scripted: refused."),
            _ when real.Name == BuiltInSteps.Note => await real.ApplyAsync(parameters, preparation, context, cancellationToken),
            _ => new ActionResult("As scripted: done, and nothing was touched.")
            {
                Outputs = script.AssumesOutputs ? real.Outputs.ToDictionary(output => output.Name, output => output.Example) : step.Outputs,
            },
        };
    }

    public Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        use.Undo(NameOf(context));
        return StepOf(context).Undo switch
        {
            "fails" => throw new InvalidOperationException("As scripted: it cannot be undone."),
            "left" => throw new ChangedSinceException("As scripted: somebody else has changed it since."),
            "handedOn" => Task.FromResult(new ActionResult("As scripted: it stays for another incident.") { HandedOn = true }),
            "asBefore" => Task.FromResult(new ActionResult("As scripted: it was so before.") { FoundSo = true }),
            _ => Task.FromResult(new ActionResult("As scripted: undone.")),
        };
    }

    private ScriptedStep StepOf(StepContext context) => script.Steps.GetValueOrDefault(NameOf(context), ScriptedStep.Usual);

    /// <summary>The key is incident, phase, step, and a fourth part when the step is undone.</summary>
    private static string NameOf(StepContext context) => context.IdempotencyKey.Split(':')[2];

    private static Phase PhaseOf(StepContext context) => Enum.Parse<Phase>(context.IdempotencyKey.Split(':')[1], ignoreCase: true);
}

internal sealed class ScriptedStep
{
    public static readonly ScriptedStep Usual = new();

    /// <summary>
    /// <c>done</c>; <c>fails</c> on every attempt; <c>blocked</c>: it cannot run, so nobody is asked; <c>refused</c>: it was planned, and is
    /// refused when it is about to act; <c>nothingDone</c>: it begins, and is turned away before it has changed anything.
    /// </summary>
    public string Outcome { get; init; } = "done";

    /// <summary>Its target is another one after the approval: people are asked again, then it goes on.</summary>
    public bool Changes { get; init; }

    public Dictionary<string, string> Outputs { get; init; } = [];

    /// <summary>For an action that can be undone: <c>done</c>, <c>fails</c>, or <c>left</c> since somebody else has changed it.</summary>
    public string Undo { get; init; } = "done";

    public TimeSpan Duration { get; init; }
}
