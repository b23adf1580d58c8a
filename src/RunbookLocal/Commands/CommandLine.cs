using System.CommandLine;

namespace RunbookLocal.Commands;

/// <summary>Every command of <c>runbook</c>. One file each; adding one is one line here.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Build().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            Screen.Error($"{string.Join(" ", parsed.Errors.Select(error => error.Message))} See: runbook --help");
            return ExitCode.Usage;
        }

        try
        {
            // Errors are ours to word; the library's handler would print a stack trace.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (CommandException stopped)
        {
            Screen.Error(stopped.Message);
            return stopped.ExitCode;
        }
        catch (OperationCanceledException)
        {
            return ExitCode.Done;
        }
    }

    internal static RootCommand Build()
    {
        var root = new RootCommand("Runs incident runbooks. Without a command it serves: console, API and a practice range to try it on.")
        {
            ServeCommand.Build(),
            RangeCommand.Build(),
            FireCommand.Build(),
            IncidentsCommand.Build(),
            ShowCommand.Build(),
            DecideCommand.BuildApprove(),
            DecideCommand.BuildReject(),
            ValidateCommand.Build(),
            TestCommand.Build(),
            RenderCommand.Build(),
            SchemaCommand.Build(),
            VerifyAuditCommand.Build(),
        };
        ServeCommand.AddTo(root);
        return root;
    }
}
