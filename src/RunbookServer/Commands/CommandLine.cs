using System.CommandLine;
using System.CommandLine.Parsing;

namespace RunbookServer.Commands;

/// <summary>Every command of <c>runbook</c>. One file each; adding one is one line here.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0 && !CommandExamples.AreAskedFor(parsed) && !parsed.Tokens.Any(token => token.Type == TokenType.Directive))
        {
            ConsoleOutput.Error($"{OnOneLine(parsed.Errors)} {DidYouMean(parsed)}See: {Words(parsed.CommandResult)} --help");
            return ExitCode.Usage;
        }

        try
        {
            // Errors are ours to word; the library's handler would print a stack trace.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
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
#pragma warning disable CA1031 // Whatever it is: a person gets a sentence.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            var described = Failures.Describe(failure);
            ConsoleOutput.Error(described.Message);
            return described.ExitCode;
        }
    }

    private static string OnOneLine(IEnumerable<ParseError> errors) =>
        string.Join(" ", errors.Select(error => string.Join(" ", error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));

    private static string DidYouMean(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Select(one => one.Name).Concat(command.Options.Select(option => option.Name)).ToList();
        return parsed.UnmatchedTokens.Count == 0 ? "" : Suggestion.For(parsed.UnmatchedTokens[0], known);
    }

    private static string Words(CommandResult command) => command.Command is RootCommand ? "runbook" : $"runbook {command.Command.Name}";

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
