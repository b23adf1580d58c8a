using System.CommandLine;
using RunbookLocal.Hosting;
using RunbookLocal.Rendering;
using Runbooks.Catalog;

namespace RunbookLocal.Commands;

/// <summary><c>runbook render RUNBOOK</c>: the runbook as Markdown with a Mermaid diagram.</summary>
internal static class RenderCommand
{
    public static Command Build()
    {
        var what = new Argument<string>("runbook") { Description = "A runbook's id, or its file." };
        var command = new Command("render", "Prints a runbook as Markdown with a Mermaid diagram.") { what };
        command.SetAction(parsed =>
        {
            var name = parsed.GetRequiredValue(what);
            var file = File.Exists(name) ? name : RunbookFolder.Find(null).Files().FirstOrDefault(known => Path.GetFileNameWithoutExtension(known) == name)
                ?? throw new CommandException($"There is no runbook and no file '{name}'.");
            using var services = OfflineServices.Build();
            var catalog = services.GetRequiredService<RunbookCatalog>();
            var loaded = catalog.Load([RunbookFolder.Read(file)]);
            if (loaded.Errors.Count > 0)
            {
                throw new CommandException($"The runbook has errors.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
            }

            Screen.Raw(RunbookPage.Write(catalog.Current[0]));
            return ExitCode.Done;
        });
        return command;
    }
}
