using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Reading;
using Runbooks.Notifications;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook validate [FILE…]</c>: every error of every file at once.</summary>
internal static class ValidateCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Runbook files, and contacts.yaml; the runbooks folder unless named. Contacts beside the runbooks are checked with them.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var folder = new RunbookFolderOption();
        var command = new Command("validate", "Checks runbook files and contacts and reports every error with its line.") { files, folder };
        command.SetAction(parsed => Check(Find(parsed.GetValue(files) ?? [], () => folder.Of(parsed))));
        return command;
    }

    /// <summary>The contacts are the named ones, else those that stand beside the first runbook.</summary>
    private static (IReadOnlyList<RunbookFile> Runbooks, RunbookFile? Contacts) Find(string[] named, Func<RunbookFolder> usual)
    {
        var missing = named.FirstOrDefault(file => !File.Exists(file));
        if (missing is not null)
        {
            throw new CommandException($"There is no file {missing}.");
        }

        var runbooks = named.Where(file => !IsContacts(file)).ToList();
        var folder = runbooks.Count > 0 ? new RunbookFolder(Path.GetDirectoryName(Path.GetFullPath(runbooks[0]))!) : usual();
        var contacts = named.FirstOrDefault(IsContacts) ?? (named.Length == 0 || runbooks.Count > 0 ? folder.Contacts : null);
        return (named.Length == 0 ? folder.Read() : [.. runbooks.Select(RunbookFolder.Read)], contacts is null ? null : RunbookFolder.Read(contacts));
    }

    private static bool IsContacts(string file) => Path.GetFileName(file) == ContactsFile.FileName;

    private static int Check((IReadOnlyList<RunbookFile> Runbooks, RunbookFile? Contacts) files)
    {
        using var services = OfflineServices.Build();

        // What only the host's settings can tell is asked when it starts.
        var contacts = files.Contacts is { } file ? services.GetRequiredService<ContactsFile>().Read(file.Name, file.Text, withSettings: false) : null;
        var result = services.GetRequiredService<RunbookCatalog>().Load(files.Runbooks, contacts?.Book?.Names);
        List<CatalogError> errors = [.. contacts?.Errors ?? [], .. result.Errors];
        foreach (var error in errors)
        {
            ConsoleOutput.Raw(error.ToString());
        }

        var all = files.Runbooks.Concat(files.Contacts is null ? [] : [files.Contacts]).ToList();
        if (errors.Count > 0)
        {
            ConsoleOutput.Error($"{errors.Count} errors in {errors.Select(error => error.File).Distinct().Count()} of {all.Count} files.");
            return ExitCode.Failed;
        }

        ConsoleOutput.Raw(all.Count == 1 ? $"{all[0].Name} is valid." : $"{files.Runbooks.Count} {(files.Runbooks.Count == 1 ? "runbook" : "runbooks")}{(files.Contacts is null ? "" : $" and {files.Contacts.Name}")} are valid.");
        return ExitCode.Done;
    }
}
