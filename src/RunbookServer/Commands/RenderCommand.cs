using RunbookServer.Rendering;

namespace RunbookServer.Commands;

/// <summary><c>runbook render RUNBOOK</c>: the runbook as Markdown with a Mermaid diagram.</summary>
internal static class RenderCommand
{
    public static Command Build()
    {
        var runbook = new RunbookArgument();
        var command = new Command("render", "Prints a runbook as Markdown with a Mermaid diagram.");
        runbook.AddTo(command);
        command.SetAction(parsed =>
        {
            using var services = OfflineServices.Build(host: runbook.Settings.Of(parsed));
            ConsoleOutput.Raw(new RunbookMarkdown(runbook.Load(parsed, services.GetRequiredService<RunbookCatalog>()), services.GetRequiredService<StepCatalog>()).Write().TrimEnd());
            return ExitCode.Done;
        });
        return command;
    }
}
