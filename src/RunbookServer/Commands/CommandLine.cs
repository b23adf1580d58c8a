using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace RunbookServer.Commands;

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
