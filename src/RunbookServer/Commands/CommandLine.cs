using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace RunbookServer.Commands;

/// <summary>Every command of <c>runbook</c>.</summary>
internal static class CommandLine
{
    /// <summary>A host needs up to HostOptions.ShutdownTimeout, which is 30 s, to stop, and some time to close its files.</summary>
    private static readonly TimeSpan s_hostMayTakeToStop = TimeSpan.FromSeconds(45);

    public static async Task<int> RunAsync(string[] args)
    {
        // A note or a reason may begin with @, which does not mean a response file here.
        var parsed = Build().Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var asksForMore = CommandExamples.AreAskedFor(parsed) || parsed.Tokens.Any(token => token.Type == TokenType.Directive);
        if (!asksForMore && FindMistake(parsed) is { } mistake)
        {
            ConsoleOutput.Error($"{mistake} See: {NameOf(parsed.CommandResult)} --help");
            return ExitCode.Usage;
        }

        // The library's own handler would print a stack trace.
        var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false };
        if (parsed.CommandResult.Command is RootCommand or { Name: ServeCommand.Name })
        {
            invocation.ProcessTerminationTimeout = s_hostMayTakeToStop;
        }

        try
        {
            return await parsed.InvokeAsync(invocation);
        }
        catch (CommandException stopped)
        {
            ConsoleOutput.Error(stopped.Message);
            return stopped.ExitCode;
        }
        catch (OperationCanceledException)
        {
            ConsoleOutput.Error("Interrupted before it was done.");
            return ExitCode.Interrupted;
        }
        // The last resort: a person gets a sentence, whatever broke.
        catch (Exception failure)
        {
            var described = Failures.Describe(failure);
            ConsoleOutput.Error(described.Message);
            return described.ExitCode;
        }
    }

    /// <returns>Null where there is none.</returns>
    private static string? FindMistake(ParseResult parsed)
    {
        if (parsed.Errors.Count > 0)
        {
            return $"{OnOneLine(parsed.Errors)} {DidYouMean(parsed)}".TrimEnd();
        }

        return FindEarlyOption(parsed) is { } early
            ? $"{early} stands before the command, where it does nothing. {WhereTo(early, parsed.CommandResult)}"
            : null;
    }

    private static string WhereTo(string option, CommandResult command) => command.Command.Options.Any(known => known.Name == option)
        ? $"Write it behind: {NameOf(command)} {option} …"
        : $"{NameOf(command)} has no such option: leave it out.";

    private static string OnOneLine(IEnumerable<ParseError> errors) => string.Join(" ", errors.Select(error =>
        string.Join(" ", error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));

    private static string DidYouMean(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(subcommand => subcommand.Name)
            .Concat(command.Options.Select(option => option.Name))
            .ToList();
        return parsed.UnmatchedTokens.Count == 0 ? "" : Suggestion.For(parsed.UnmatchedTokens[0], known);
    }

    /// <summary>An option before a command belongs to the root, which serves and does not run then.</summary>
    private static string? FindEarlyOption(ParseResult parsed)
    {
        if (parsed.CommandResult.Command is RootCommand)
        {
            return null;
        }

        var early = parsed.RootCommandResult.Children.OfType<OptionResult>()
            .FirstOrDefault(option => !option.Implicit && option.Option.Action is null);
        return early?.Option.Name;
    }

    private static string NameOf(CommandResult command) =>
        command.Command is RootCommand ? "runbook" : $"runbook {command.Command.Name}";

    internal static RootCommand Build()
    {
        var root = new RootCommand("Runs incident runbooks. Without a command it serves: console, API and a sandbox to try it on.")
        {
            ServeCommand.Build(),
            SandboxCommand.Build(),
            FireCommand.Build(),
            IncidentsCommand.Build(),
            ShowCommand.Build(),
            ReportCommand.Build(),
            DecideCommand.BuildApprove(),
            DecideCommand.BuildReject(),
            DecideCommand.BuildTakeOver(),
            DecideCommand.BuildDone(),
            DecideCommand.BuildCouldNot(),
            VerbCommands.BuildStop(),
            VerbCommands.BuildTakeBack(),
            VerbCommands.BuildAcknowledge(),
            VerbCommands.BuildClose(),
            VerbCommands.BuildRetry(),
            VerbCommands.BuildNote(),
            StartCommand.Build(),
            NewCommand.Build(),
            ValidateCommand.Build(),
            OnCallCommand.Build(),
            TestCommand.Build(),
            SimulateCommand.Build(),
            ExportCommand.Build(),
            BacktestCommand.Build(),
            PublishCommand.Build(),
            RenderCommand.Build(),
            SchemaCommand.Build(),
            VerifyAuditCommand.Build(),
            CompletionCommand.Build(),
        };
        ServeCommand.AddTo(root);
        CommandExamples.AddTo(root);
        return root;
    }
}

/// <summary>The examples that end each command's help. They can be typed as they are.</summary>
internal static class CommandExamples
{
    private const string Id = "261126-0312-k7m2p9wd";

    private static readonly Dictionary<string, string[]> s_examples = new(StringComparer.Ordinal)
    {
        ["runbook"] = ["runbook", "runbook fire hanged-gpu", "runbook incidents"],
        ["serve"] =
        [
            "runbook serve --port 8080 --data ~/runbooks-data",
            "runbook serve --no-practice --config settings.json --runbooks ./runbooks",
            "runbook serve --no-practice --storage azure --runbooks https://ACCOUNT.blob.core.windows.net/runbooks",
        ],
        ["sandbox"] = ["runbook sandbox --port 7072"],
        ["fire"] =
        [
            "runbook fire",
            "runbook fire hanged-gpu",
            "runbook fire hanged-gpu --reset",
            "runbook fire alert.json --source alertmanager",
        ],
        ["incidents"] =
        [
            "runbook incidents",
            "runbook incidents --state awaitingApproval",
            "runbook incidents --state needsPerson",
            "runbook incidents --limit 100 --json",
        ],
        ["show"] = [$"runbook show {Id}", $"runbook show {Id} --json"],
        ["report"] = [$"runbook report {Id}", $"runbook report {Id} --out incident.md"],
        ["approve"] = [$"runbook approve {Id}", $"runbook approve {Id} --yes --reason \"seen it before\""],
        ["reject"] = [$"runbook reject {Id} --reason \"planned maintenance\""],
        ["take-over"] = [$"runbook take-over {Id} --reason \"I am on it\""],
        ["done"] =
        [
            $"runbook done {Id}",
            $"runbook done {Id} --item 1 --item 3",
            $"runbook done {Id} --all --reason \"slot 4 is a new card\"",
        ],
        ["could-not"] = [$"runbook could-not {Id} --reason \"no spare card in this region\""],
        ["stop"] = [$"runbook stop {Id} --reason \"wrong alarm\""],
        ["close"] = [$"runbook close {Id} --reason \"replaced the card\""],
        ["acknowledge"] = [$"runbook acknowledge {Id} --reason \"looking at it\""],
        ["retry"] = [$"runbook retry {Id} --reason \"the cluster is back\""],
        ["take-back"] = [$"runbook take-back {Id} --reason \"no longer needed\""],
        ["note"] = [$"runbook note {Id} \"opened a ticket with the vendor\""],
        ["start"] = ["runbook start hanged-gpu --label cluster=b --label namespace=inference --label pod=llm-b-0"],
        ["new"] = ["runbook new cache-full", "runbook new cache-full --from self-healing --title \"Cache full\" --owner ml-platform"],
        ["validate"] =
        [
            "runbook validate",
            "runbook validate runbooks/hanged-gpu.yaml --strict",
            "runbook validate --format sarif > runbooks.sarif",
        ],
        ["oncall"] = ["runbook oncall --config settings.json", "runbook oncall --runbooks ./runbooks --json"],
        ["test"] = ["runbook test", "runbook test runbooks/hanged-gpu.yaml --format junit > tests.xml"],
        ["simulate"] =
        [
            "runbook simulate hanged-gpu --alert hanged-gpu",
            "runbook simulate hanged-gpu --alert hanged-gpu --finding gpu-memory=failing:97.2",
            "runbook simulate hanged-gpu --alert hanged-gpu --live --config settings.json",
        ],
        ["export"] = [$"runbook export {Id}", $"runbook export {Id} --out runbooks/tests/hanged-gpu/that-night/test.yaml"],
        ["backtest"] =
        [
            "runbook backtest --since 30d",
            "runbook backtest --since 30d --save incidents",
            "runbook backtest --incidents incidents --base main/runbooks --format markdown",
        ],
        ["publish"] =
        [
            "runbook publish runbooks --to https://ACCOUNT.blob.core.windows.net/runbooks --dry-run",
            "runbook publish runbooks --to https://ACCOUNT.blob.core.windows.net/runbooks --strict",
            "runbook publish --to https://ACCOUNT.blob.core.windows.net/runbooks --list",
            "runbook publish --to https://ACCOUNT.blob.core.windows.net/runbooks --roll-back --reason \"asks the wrong people\"",
        ],
        ["render"] = ["runbook render hanged-gpu"],
        ["schema"] = ["runbook schema > runbook.schema.json", "runbook schema test"],
        ["verify-audit"] = ["runbook verify-audit record.jsonl"],
        ["completion"] =
        [
            "source <(runbook completion bash)",
            "runbook completion zsh > \"${fpath[1]}/_runbook\"",
            "runbook completion fish > ~/.config/fish/completions/runbook.fish",
            "runbook completion pwsh >> $PROFILE",
        ],
    };

    public static IReadOnlyCollection<string> Commands => s_examples.Keys;

    public static IReadOnlyList<string> Of(Command command) =>
        s_examples.GetValueOrDefault(command is RootCommand ? "runbook" : command.Name) ?? [];

    /// <summary>Whether the caller asks for help: then no other argument is missing.</summary>
    public static bool AreAskedFor(ParseResult parsed) =>
        parsed.GetResult(parsed.RootCommandResult.Command.Options.OfType<HelpOption>().Single()) is not null;

    public static void AddTo(RootCommand root)
    {
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new WithExamples((SynchronousCommandLineAction)help.Action!);
    }

    private sealed class WithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
    {
        public override bool Terminating => help.Terminating;

        public override int Invoke(ParseResult parseResult)
        {
            var code = help.Invoke(parseResult);
            ConsoleOutput.Raw("Examples:");
            foreach (var example in Of(parseResult.CommandResult.Command))
            {
                ConsoleOutput.Raw($"  {example}");
            }

            return code;
        }
    }
}

/// <summary><c>runbook completion SHELL</c>: the script that a shell reads to complete commands, options and their values.</summary>
internal static class CompletionCommand
{
    // Each script asks the program what may come next, so that it never knows less than the program.
    private const string Bash = """
        _runbook() {
          local line="${COMP_LINE:0:COMP_POINT}"
          line="${line#* }"
          local IFS=$'\n'
          COMPREPLY=( $(runbook "[suggest:${#line}]" "$line" 2>/dev/null) )
        }
        complete -o default -F _runbook runbook
        """;

    private const string Zsh = """
        #compdef runbook
        _runbook() {
          local line="${BUFFER[1,CURSOR]#* }"
          local -a found
          found=("${(@f)$(runbook "[suggest:${#line}]" "$line" 2>/dev/null)}")
          compadd -- ${found:#} || _files
        }
        compdef _runbook runbook
        """;

    private const string Fish = """
        function __runbook_complete
          set -l line (commandline -cp | string replace -r '^\S+\s+' '')
          runbook "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c runbook -f -a '(__runbook_complete)'
        complete -c runbook -n 'test (count (__runbook_complete)) -eq 0' -F
        """;

    private const string Pwsh = """
        Register-ArgumentCompleter -Native -CommandName runbook -ScriptBlock {
          param($word, $ast, $position)
          $line = $ast.ToString()
          $line = $line.Substring(0, [Math]::Min($position, $line.Length)).PadRight($position) -replace '^\S+\s+', ''
          runbook "[suggest:$($line.Length)]" "$line" 2>$null | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
          }
        }
        """;

    public static Command Build()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish", "pwsh");
        var command = new Command("completion", "Prints the script that completes commands and options in a shell.") { shell };
        command.SetAction(parsed =>
        {
            ConsoleOutput.Raw(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, "fish" => Fish, _ => Pwsh });
            return ExitCode.Done;
        });
        return command;
    }
}
