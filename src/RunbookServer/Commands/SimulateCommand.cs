using System.CommandLine.Parsing;
using Runbooks.Catalog.Matching;
using Runbooks.Engine;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using Runbooks.Sandbox;
using RunbookServer.Reporting;
using RunbookServer.Samples;

namespace RunbookServer.Commands;

/// <summary><c>runbook simulate RUNBOOK --alert FILE</c>: what would happen. No host has to run, and nothing outside is touched.</summary>
internal static class SimulateCommand
{
    public static Command Build()
    {
        var runbook = new RunbookArgument();
        var alert = new Option<string>("--alert")
        {
            Description = "A file with an alert as its sender posts it, or the name of a sample (see: runbook fire).",
            Required = true,
        };
        var source = SampleAlerts.SourceOption();
        var assumed = new AssumptionOptions();
        var live = new LiveOptions();
        var json = new Option<bool>("--json") { Description = "As JSON, for another program." };
        var command = new Command(
            "simulate",
            "Shows what a runbook would do about an alert: whom it asks when, and every step with its parameters. "
            + "Touches nothing; with --live it asks the real checks.");
        runbook.AddTo(command);
        command.Add(alert);
        command.Add(source);
        assumed.AddTo(command);
        live.AddTo(command);
        command.Add(json);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = await live.FindAsync(parsed, cancellationToken);
            await using var services = OfflineServices.Build(settings, runbook.Settings.Of(parsed, settings));
            var chosen = runbook.Load(parsed, services.GetRequiredService<RunbookCatalog>());
            var alerts = Read(services.GetRequiredService<AlertReader>(), parsed.GetRequiredValue(alert), parsed.GetValue(source));
            var assumptions = settings is null ? assumed.Of(parsed, chosen) : assumed.NoneOf(parsed);
            var report = await ReportAsync(chosen, alerts, assumptions, services.GetRequiredService<StepCatalog>());
            if (parsed.GetValue(json))
            {
                ConsoleOutput.Json(JsonSerializer.SerializeToNode(report, DurableJson.Options));
            }
            else
            {
                ConsoleOutput.Raw(SimulationText.Of(report).TrimEnd());
            }

            return report is { Applies: true, Problems.Count: 0 } ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<SimulationReport> ReportAsync(
        Runbook runbook, IReadOnlyList<Alert> alerts, Assumptions assumed, StepCatalog real)
    {
        var fitting = alerts.Where(alert => RunbookMatcher.Misses(alert, runbook).Count == 0).ToList();
        if (fitting.Count == 0)
        {
            return SimulationReport.NotApplying(runbook, alerts[0]);
        }

        try
        {
            var played = await Simulator.PlayAsync(runbook, fitting, assumed, real);
            return new SimulationReportFactory(runbook, played, real, assumed.IsLive).Make();
        }
        catch (TestCaseException nothing)
        {
            throw new CommandException(
                $"There is nothing to simulate: {nothing.Message} Simulate with an alert that fires.", ExitCode.Failed);
        }
    }

    private static IReadOnlyList<Alert> Read(AlertReader reader, string name, string? source)
    {
        var (sender, body) = SampleAlerts.Read(name, source);
        var parsed = reader.Read(sender, body);
        return parsed.IsRefused
            ? throw new CommandException($"{name} is not what {sender} sends.\n{string.Join("\n", parsed.Errors)}", ExitCode.Failed)
            : parsed.Alerts;
    }
}

internal sealed class AssumptionOptions
{
    private readonly Option<string[]> _findings = Many(
        "--finding",
        "What diagnosis finds: CHECK=passing|failing|unknown[:text]. Unless named, the checks that the mitigation is for fail.");

    private readonly Option<string[]> _afterwards = Many(
        "--then", "What a check answers after the steps, in the same form. Unless named, it passes.");

    private readonly Option<string[]> _steps = Many("--step", $"How a step goes: STEP={string.Join('|', TestScriptReader.Outcomes)}.");
    private readonly Option<string> _decision = new("--decision")
    {
        Description = "What people answer.",
        DefaultValueFactory = _ => "approve",
    };

    private readonly Option<string> _by = new("--by")
    {
        Description = "Who decides; the user of this machine unless named.",
        DefaultValueFactory = _ => Environment.UserName,
    };

    private readonly Option<string> _after = new("--after")
    {
        Description = "How long people take to answer.",
        DefaultValueFactory = _ => "1m",
    };

    public AssumptionOptions() => _decision.AcceptOnlyFromAmong("approve", "reject", "takeOver", "none");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _findings, _afterwards, _steps, _decision, _by, _after })
        {
            command.Add(option);
        }
    }

    /// <exception cref="CommandException">An assumption is given although the real world is asked.</exception>
    public Assumptions NoneOf(ParseResult parsed)
    {
        var given = Array.Find(
            new Option[] { _findings, _afterwards, _steps, _decision, _after }, option => parsed.GetResult(option) is { Implicit: false });
        return given is null
            ? new() { IsLive = true, By = parsed.GetRequiredValue(_by) }
            : throw new CommandException($"{given.Name} assumes something, and --live asks the real world. Leave one of them out.");
    }

    /// <exception cref="CommandException">An assumption names something that the runbook does not have, or cannot be read.</exception>
    public Assumptions Of(ParseResult parsed, Runbook runbook)
    {
        var assumed = new Assumptions
        {
            Findings = Read(parsed, _findings, answer => Answer(_findings, answer)),
            Afterwards = Read(parsed, _afterwards, answer => Answer(_afterwards, answer)),
            Steps = Read(parsed, _steps, outcome => new ScriptedStep { Outcome = OneOf(_steps, outcome, TestScriptReader.Outcomes) }),
            Decision = Enum.TryParse<DecisionVerb>(parsed.GetRequiredValue(_decision), ignoreCase: true, out var verb) ? verb : null,
            By = parsed.GetRequiredValue(_by),
            After = DurationText.TryParse(parsed.GetRequiredValue(_after), out var after)
                ? after
                : throw new CommandException($"--after has to be {DurationText.Expected}."),
        };
        var script = assumed.ScriptFor(runbook);
        if (script.Strangers(runbook).FirstOrDefault() is { } stranger)
        {
            throw new CommandException(stranger.Text);
        }

        return assumed;
    }

    /// <summary>The text after the verdict is the finding. A number at its start is the measured value as well.</summary>
    private static ScriptedAnswer Answer(Option option, string text)
    {
        var (verdict, words) = text.Split(':', 2) is [var first, { Length: > 0 } rest] ? (first, rest) : (text, null);
        var number = words?.Split(' ')[0];
        return new()
        {
            Verdict = OneOf(option, verdict, TestScriptReader.Verdicts),
            Summary = words ?? "Assumed.",
            Value = double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? number : null,
        };
    }

    private static string OneOf(Option option, string word, string[] choices) => choices.Contains(word)
        ? word
        : throw new CommandException(
            $"{option.Name} says '{word}'; it has to be one of {string.Join(", ", choices)}. "
            + $"{Suggestion.For(word, choices)}See: runbook simulate --help");

    private static Dictionary<string, T> Read<T>(ParseResult parsed, Option<string[]> option, Func<string, T> read)
    {
        var values = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var given in parsed.GetValue(option) ?? [])
        {
            if (given.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } value])
            {
                throw new CommandException($"{option.Name} is '{given}'; it has to be NAME=VALUE. See: runbook simulate --help");
            }

            values[name] = read(value);
        }

        return values;
    }

    private static Option<string[]> Many(string name, string description) => new(name) { Description = description };
}

/// <summary><c>--live [--config FILE]</c>: whom a simulation asks in earnest.</summary>
internal sealed class LiveOptions
{
    private readonly Option<bool> _live = new("--live")
    {
        Description = "Ask the real checks and let the steps look at their targets, with the settings of --config (or RUNBOOK_ variables); "
            + "without any, in the sandbox of a practice host that runs here. Stops at the question: nothing acts.",
    };

    private readonly Option<Uri?> _sandbox = new("--sandbox")
    {
        Description = "With --live: the address of a sandbox to ask, as a practice host prints it; "
            + "that of the host on the data folder unless named, else http://127.0.0.1:7072.",
        CustomParser = result => Address(result),
    };

    private readonly Option<DirectoryInfo> _data = new("--data")
    {
        Description = "With --live: the data folder of the practice host whose sandbox is asked.",
        DefaultValueFactory = _ => new DirectoryInfo(ServerDefaults.DataDirectory),
    };

    private readonly Option<string?> _config = new("--config")
    {
        Description = "With --live: a JSON file with settings, as serve takes it.",
    };

    public void AddTo(Command command)
    {
        command.Add(_live);
        command.Add(_config);
        command.Add(_sandbox);
        command.Add(_data);
    }

    /// <returns>Null where nothing outside is asked.</returns>
    /// <exception cref="CommandException">No system and no sandbox can be asked.</exception>
    public async Task<IConfiguration?> FindAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (file, named) = (parsed.GetValue(_config), parsed.GetValue(_sandbox));
        if (!parsed.GetValue(_live))
        {
            return file is null && named is null
                ? null
                : throw new CommandException($"{(file is null ? _sandbox.Name : _config.Name)} goes with --live.");
        }

        if (named is not null)
        {
            return file is null
                ? await SandboxAsync(named, cancellationToken)
                    ?? throw new CommandException($"No sandbox answers at {named}. A practice host prints its address when it starts.")
                : throw new CommandException("--sandbox and --config name two worlds to ask. Leave one of them out.");
        }

        var settings = SettingsFile.Read(file);
        if (file is not null || NamesSystems(settings))
        {
            return settings;
        }

        var own = ClientOptions.AddressIn(parsed.GetRequiredValue(_data), ServerDefaults.SandboxAddressFile);
        return (own is null ? null : await SandboxAsync(own, cancellationToken))
            ?? await SandboxAsync(SandboxWorld.Usual, cancellationToken)
            ?? throw new CommandException(
                "There is nothing to ask: name the settings file with --config, "
                + "or start a practice host with 'runbook serve' and ask its sandbox "
                + "(with --data where its data folder is another one, or --sandbox).");
    }

    /// <summary>A variable may also be the secret of a contact, which names no system.</summary>
    internal static bool NamesSystems(IConfiguration settings) => settings.AsEnumerable()
        .Any(setting => setting.Value is not null && PracticeGuard.NamesSystem(setting.Key));

    private static async Task<IConfiguration?> SandboxAsync(Uri sandbox, CancellationToken cancellationToken) =>
        await SandboxWorld.AnswersAsync(sandbox, cancellationToken)
            ? new ConfigurationBuilder().AddInMemoryCollection(SandboxSettings.For(sandbox)).Build()
            : null;

    private static Uri? Address(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https")
        {
            return address;
        }

        result.AddError($"--sandbox is '{result.Tokens[0].Value}'; it has to be an address such as http://127.0.0.1:7072.");
        return null;
    }
}
