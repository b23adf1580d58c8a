using System.CommandLine;
using Runbooks.Catalog;
using Runbooks.Catalog.Schema;
using RunbookServer.Hosting;
using RunbookServer.Rendering;
using RunbookServer.Terminal;

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
            using var services = OfflineServices.Build();
            ConsoleOutput.Raw(RunbookPage.Write(runbook.Load(parsed, services.GetRequiredService<RunbookCatalog>())));
            return ExitCode.Done;
        });
        return command;
    }
}

/// <summary><c>runbook schema</c>: the JSON Schema of runbook files, with every check and action of this host.</summary>
internal static class SchemaCommand
{
    public static Command Build()
    {
        var command = new Command("schema", "Prints the JSON Schema of runbook files, for editors.");
        command.SetAction(_ =>
        {
            using var services = OfflineServices.Build();
            ConsoleOutput.Json(services.GetRequiredService<RunbookSchema>().Create());
            return ExitCode.Done;
        });
        return command;
    }
}
