using System.CommandLine;
using Runbooks.Catalog.Schema;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook schema</c>: the JSON Schema of runbook files, with every check and action of this host.</summary>
internal static class SchemaCommand
{
    public static Command Build()
    {
        var command = new Command("schema", "Prints the JSON Schema of runbook files, for editors.");
        command.SetAction(_ =>
        {
            using var services = OfflineServices.Build();
            Screen.Json(services.GetRequiredService<RunbookSchema>().Create());
            return ExitCode.Done;
        });
        return command;
    }
}
