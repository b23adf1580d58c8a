using System.Collections.Concurrent;
using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;

namespace Runbooks.Testing;

internal sealed class ScriptedCheck(ICheck real, WorldScript script, ScriptUse use) : ICheck
{
    public string Name => real.Name;

    public string Summary => real.Summary;

    public string? Role => real.Role;

    public Type ParametersType => real.ParametersType;

    public IReadOnlyList<ParameterWarning> WarningsOf(JsonElement with) => real.WarningsOf(with);

    public bool MayFindNothing(JsonElement with) => real.MayFindNothing(with);

    public Task<CheckResult> AskAsync(object parameters, StepContext context, CancellationToken cancellationToken)
    {
        var name = NameOf(context);
        if (!script.Checks.TryGetValue(name, out var answers))
        {
            return real.Name == BuiltInSteps.Always
                ? real.AskAsync(parameters, context, cancellationToken)
                : Task.FromResult(CheckResult.Unknown("The test does not say what this check answers."));
        }

        var asked = use.Ask(name);
        return Task.FromResult((use.HasActed && script.Afterwards.TryGetValue(name, out var after)
            ? after
            : At(answers, asked)).ToResult(context.Time.GetUtcNow()));
    }

    public static string NameOf(StepContext context) => context.IdempotencyKey.Split(':')[^1];

    private static ScriptedAnswer At(List<ScriptedAnswer> answers, int time)
    {
        foreach (var answer in answers)
        {
            if ((time -= answer.Times) < 0)
            {
                return answer;
            }
        }

        return answers[^1];
    }
}

internal sealed class ScriptedAnswer
{
    public string Verdict { get; init; } = "";

    public string? Summary { get; init; }

    /// <summary>The measured value, for placeholders that read it.</summary>
    public string? Value { get; init; }

    /// <inheritdoc cref="CheckResult.Caveat"/>
    public string? Caveat { get; init; }

    /// <summary>How long before the question the value was measured; null for the moment of the question.</summary>
    public TimeSpan? Behind { get; init; }

    /// <summary>How many times in a row.</summary>
    public int Times { get; set; } = 1;

    public CheckResult ToResult(DateTimeOffset now) =>
        new(
            Enum.Parse<Verdict>(Verdict, ignoreCase: true),
            Summary ?? $"As scripted: {Verdict}.") { Value = Value, Caveat = Caveat, MeasuredAt = now - Behind };
}

/// <summary>Which parts of a script were used while an incident was played. A test must not seem to try a part that nobody asked for.</summary>
internal sealed class ScriptUse
{
    private readonly ConcurrentDictionary<string, int> _asked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _looked = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _undone = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _guarded = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _begun = new(StringComparer.Ordinal);

    public bool HasActed => !_begun.IsEmpty;

    public int Ask(string check) => _asked.AddOrUpdate(check, 1, (_, before) => before + 1) - 1;

    public void Guard(string phase) => _guarded[phase] = true;

    public int Look(string step) => _looked.AddOrUpdate(step, 1, (_, before) => before + 1);

    public void Act(string step) => _begun[step] = true;

    public void Undo(string step) => _undone[step] = true;

    public IEnumerable<TestProblem> Unused(WorldScript script, Incident played)
    {
        foreach (var (check, answers) in script.Checks.Where(said => !IsUnaskable(said.Key, said.Value, played)))
        {
            var (asked, first) = (_asked.GetValueOrDefault(check), 0);
            foreach (var (at, answer) in answers.Index())
            {
                if (first >= asked)
                {
                    yield return new(
                        $"checks.{check}[{at}]",
                        $"The answer '{answer.Verdict}' of check '{check}' was never asked for: "
                            + $"the check was asked {CountText.Format(asked, "time")}. Remove the answer, "
                            + "or let the test go on to where it is asked.");
                }

                first += answer.Times;
            }
        }

        foreach (var phase in script.Objections.Keys.Where(phase => !_guarded.ContainsKey(phase)))
        {
            yield return new(
                $"objections.{phase}",
                $"The guardrails were never asked about the {phase}, so what the test says of them was not tried.",
                IsKey: true);
        }

        foreach (var (name, step) in script.Steps.Where(said => !IsUnusable(said.Key, said.Value, played)))
        {
            if (!_looked.TryGetValue(name, out var looks) || (step.Outcome is "fails" or "nothingDone" && !_begun.ContainsKey(name)))
            {
                yield return new($"steps.{name}", $"Step '{name}' was never come to, so what the test says about it was not tried.", IsKey: true);
            }
            else if (step.Changes && looks == 1)
            {
                yield return new(
                    $"steps.{name}",
                    $"Step '{name}' was looked at only once, so nothing could change in between, and nobody was asked again: that was not tried.",
                    IsKey: true);
            }
            else if (step.Undo != ScriptedStep.Usual.Undo && !_undone.ContainsKey(name))
            {
                yield return new(
                    $"steps.{name}", $"Step '{name}' was never taken back, so what the test says about that was not tried.", IsKey: true);
            }
        }
    }

    /// <summary>Its parameters could not be filled in, so it was not asked, and unknown was the answer in the script.</summary>
    private bool IsUnaskable(string check, List<ScriptedAnswer> answers, Incident played) =>
        !_asked.ContainsKey(check)
        && answers.All(answer => string.Equals(answer.Verdict, nameof(Verdict.Unknown), StringComparison.OrdinalIgnoreCase))
        && played.Findings.Any(finding => finding.Name == check && finding.Verdict == Verdict.Unknown);

    /// <summary>Its parameters could not be filled in, so it could not run, as in the script.</summary>
    private bool IsUnusable(string name, ScriptedStep step, Incident played) =>
        !_looked.ContainsKey(name) && step.Outcome == "blocked"
        && played.Gates.Any(gate => gate is { Outcome: GateOutcome.Refused, Plan.Blocker: not null }
            && gate.Plan.Steps.Any(planned => planned.Name == name));
}

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
        use.Act(NameOf(context));
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
