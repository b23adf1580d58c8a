using System.Collections.Concurrent;
using System.Text.Json;
using Runbooks.Steps;

namespace RunbookLocal.Testing;

/// <summary>Takes the parameters of a real check, and answers what the test says.</summary>
internal sealed class ScriptedCheck(ICheck real, TestScript script) : ICheck
{
    private readonly ConcurrentDictionary<string, int> _asked = new(StringComparer.Ordinal);

    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public Type ParametersType => real.ParametersType;

    public Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var name = context.IdempotencyKey.Split(':')[^1];
        if (!script.Checks.TryGetValue(name, out var answers))
        {
            return Task.FromResult(CheckResult.Unknown("The test does not say what this check answers."));
        }

        var time = _asked.AddOrUpdate(name, 0, (_, before) => before + 1);
        var answer = answers[Math.Min(time, answers.Count - 1)];
        return Task.FromResult(new CheckResult(Enum.Parse<Verdict>(answer, ignoreCase: true), $"The test says {answer}."));
    }
}

/// <summary>Takes the parameters of a real action, and does what the test says: nothing, for better or worse.</summary>
internal sealed class ScriptedAction(IAction real, TestScript script) : IAction
{
    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public bool Repeatable => real.Repeatable;

    public bool Reversible => real.Reversible;

    public Type ParametersType => real.ParametersType;

    public Task<Preparation> PrepareAsync(object parameters, StepContext context, CancellationToken cancellationToken) => Task.FromResult(new Preparation
    {
        Will = real.Summary,
        Undo = Reversible ? "Undo it." : null,
        UndoState = Reversible ? JsonSerializer.SerializeToElement(context.IdempotencyKey) : null,
    });

    public Task<ActionResult> ApplyAsync(object parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        script.Steps.GetValueOrDefault(context.IdempotencyKey.Split(':')[^1], "done") switch
        {
            "fails" => throw new InvalidOperationException("The test says that it fails."),
            "refused" => throw new StepRefusedException("The test says that it is refused."),
            _ => Task.FromResult(new ActionResult("The test says that it was done.")),
        };

    public Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        Task.FromResult(new ActionResult("The test says that it was undone."));
}
