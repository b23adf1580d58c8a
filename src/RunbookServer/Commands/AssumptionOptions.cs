using System.CommandLine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Text;
using Runbooks.Testing;
using Runbooks.Testing.Simulation;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary>What a simulation assumes, as options: <c>--finding zombie=failing:"no answer"</c>.</summary>
internal sealed class AssumptionOptions
{
    private readonly Option<string[]> _findings = Many("--finding", "What diagnosis finds: CHECK=passing|failing|unknown[:text]. Unless named, the checks that the mitigation is for fail.");
    private readonly Option<string[]> _afterwards = Many("--then", "What a check answers after the steps, in the same form. Unless named, it passes.");
    private readonly Option<string[]> _steps = Many("--step", "How a step goes: STEP=done|fails|blocked|refused.");
    private readonly Option<string> _decision = new("--decision") { Description = "What people answer.", DefaultValueFactory = _ => "approve" };
    private readonly Option<string> _by = new("--by") { Description = "Who decides.", DefaultValueFactory = _ => Environment.UserName };
    private readonly Option<string> _after = new("--after") { Description = "How long people take to answer.", DefaultValueFactory = _ => "1m" };

    public AssumptionOptions() => _decision.AcceptOnlyFromAmong("approve", "reject", "takeOver", "none");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _findings, _afterwards, _steps, _decision, _by, _after })
        {
            command.Add(option);
        }
    }

    /// <exception cref="CommandException">Something is said about what the runbook does not have, or in words that mean nothing.</exception>
    public Assumptions Of(ParseResult parsed, Runbook runbook)
    {
        var assumed = new Assumptions
        {
            Findings = Read(parsed, _findings, Answer),
            Afterwards = Read(parsed, _afterwards, Answer),
            Steps = Read(parsed, _steps, outcome => new ScriptedStep { Outcome = outcome }),
            Decision = Enum.TryParse<Verb>(parsed.GetRequiredValue(_decision), ignoreCase: true, out var verb) ? verb : null,
            By = parsed.GetRequiredValue(_by),
            After = DurationText.TryParse(parsed.GetRequiredValue(_after), out var after) ? after : throw new CommandException($"--after has to be {DurationText.Words}."),
        };
        var script = assumed.ScriptFor(runbook);
        if (script.Strangers(runbook).FirstOrDefault() is { } stranger)
        {
            throw new CommandException(stranger);
        }

        script.Validate(problem => throw new CommandException($"{problem} See: runbook simulate --help"));
        return assumed;
    }

    private static ScriptedAnswer Answer(string text) => text.Split(':', 2) is [var verdict, var words]
        ? new() { Verdict = verdict, Summary = words }
        : new() { Verdict = text, Summary = "Assumed." };

    private static Dictionary<string, T> Read<T>(ParseResult parsed, Option<string[]> option, Func<string, T> read)
    {
        var values = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var given in parsed.GetValue(option) ?? [])
        {
            values[given.Split('=', 2) is [{ Length: > 0 } name, { Length: > 0 }] ? name : throw new CommandException($"{option.Name} is '{given}'; it has to be NAME=VALUE. See: runbook simulate --help")]
                = read(given.Split('=', 2)[1]);
        }

        return values;
    }

    private static Option<string[]> Many(string name, string description) => new(name) { Description = description };
}
