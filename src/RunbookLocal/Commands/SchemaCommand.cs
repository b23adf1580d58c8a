using System.CommandLine;
using System.Text.Json;
using RunbookLocal.Hosting;
using Runbooks.Catalog.Schema;

namespace RunbookLocal.Commands;

/// <summary><c>runbook schema</c>: the JSON Schema of runbook files, with every check and action of this host.</summary>
internal static class SchemaCommand
{
    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    public static Command Build()
    {
        var command = new Command("schema", "Prints the JSON Schema of runbook files, for editors.");
        command.SetAction(_ =>
        {
            using var services = OfflineServices.Build();
            Screen.Raw(services.GetRequiredService<RunbookSchema>().Create().ToJsonString(s_indented));
            return ExitCode.Done;
        });
        return command;
    }
}
