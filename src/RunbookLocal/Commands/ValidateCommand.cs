using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using RunbookLocal.Hosting;
using Runbooks.Catalog;

namespace RunbookLocal.Commands;

/// <summary><c>runbook validate [FILE…]</c>: every error of every file at once.</summary>
internal static class ValidateCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("files") { Description = "Runbook files; every runbook of the folder unless named.", Arity = ArgumentArity.ZeroOrMore };
        var folder = new RunbookFolderOption();
        var command = new Command("validate", "Checks runbook files and reports every error with its line.") { files, folder };
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(files) ?? [];
            var read = named.Length > 0 ? named.Select(Open).ToList() : folder.Of(parsed).Read();
            using var services = OfflineServices.Build();
            var catalog = services.GetRequiredService<RunbookCatalog>();
            var result = catalog.Load(read);
            foreach (var error in result.Errors)
            {
                Screen.Raw(error.ToString());
            }

            if (result.Errors.Count > 0)
            {
                Screen.Error($"{result.Errors.Count} errors in {result.Errors.Select(error => error.File).Distinct().Count()} of {read.Count} files.");
                return ExitCode.Failed;
            }

            Screen.Raw(read.Count == 1 ? $"{read[0].Name} is valid." : $"{read.Count} runbooks are valid.");
            return ExitCode.Done;
        });
        return command;
    }

    private static RunbookFile Open(string file) =>
        File.Exists(file) ? RunbookFolder.Read(file) : throw new CommandException($"There is no file {file}.");
}
