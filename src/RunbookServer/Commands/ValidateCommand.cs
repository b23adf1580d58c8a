using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Reading;
using Runbooks.Guardrails;
using Runbooks.Model.Text;
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
            Description = "Runbook files, contacts.yaml and windows.yaml; the runbooks folder unless named. Contacts and maintenance windows beside the runbooks are checked with them.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var folder = new RunbookFolderOption();
        var command = new Command("validate", "Checks runbook files, contacts and maintenance windows and reports every error with its line.") { files, folder };
        command.SetAction(parsed => Check(Find(parsed.GetValue(files) ?? [], () => folder.Of(parsed))));
        return command;
    }

    /// <summary>Contacts and windows are the named ones, else those that stand beside the first runbook.</summary>
    private static Files Find(string[] named, Func<RunbookFolder> usual)
    {
        var missing = named.FirstOrDefault(file => !File.Exists(file));
        if (missing is not null)
        {
            throw new CommandException($"There is no file {missing}.");
        }

        var runbooks = named.Where(file => !Is(file, ContactsFile.FileName) && !Is(file, MaintenanceFile.FileName)).ToList();
        var folder = runbooks.Count > 0 ? new RunbookFolder(Path.GetDirectoryName(Path.GetFullPath(runbooks[0]))!) : usual();
        var withFolder = named.Length == 0 || runbooks.Count > 0;
        return new(
            named.Length == 0 ? folder.Read() : [.. runbooks.Select(RunbookFolder.Read)],
            Read(named.FirstOrDefault(file => Is(file, ContactsFile.FileName)) ?? (withFolder ? folder.Contacts : null)),
            Read(named.FirstOrDefault(file => Is(file, MaintenanceFile.FileName)) ?? (withFolder ? folder.Windows : null)),
            IsWhole: named.Length == 0);
    }

    private static bool Is(string file, string name) => Path.GetFileName(file) == name;

    private static RunbookFile? Read(string? file) => file is null ? null : RunbookFolder.Read(file);

    private static int Check(Files files)
    {
        using var services = OfflineServices.Build();

        // What only the host's settings can tell is asked when it starts.
        var contacts = files.Contacts is { } file ? services.GetRequiredService<ContactsFile>().Read(file.Name, file.Text, withSettings: false) : null;
        var catalog = services.GetRequiredService<RunbookCatalog>();
        var result = catalog.Load(files.Runbooks, contacts?.Book?.Names, files.IsWhole);

        // Of some runbooks alone nobody can say which ids there are.
        IReadOnlyCollection<string>? ids = files.IsWhole && result.Errors.Count == 0 ? [.. catalog.Current.Select(runbook => runbook.Id)] : null;
        var windows = files.Windows is { } planned ? MaintenanceFile.Read(planned.Name, planned.Text, ids) : null;
        List<CatalogError> errors = [.. contacts?.Errors ?? [], .. windows?.Errors ?? [], .. result.Errors];
        foreach (var error in errors)
        {
            ConsoleOutput.Raw(error.ToString());
        }

        foreach (var warning in (IEnumerable<CatalogError>)[.. contacts?.Warnings ?? [], .. windows?.Warnings ?? [], .. result.Warnings])
        {
            ConsoleOutput.Raw($"warning: {warning}");
        }

        List<RunbookFile> beside = [.. new[] { files.Contacts, files.Windows }.OfType<RunbookFile>()];
        List<RunbookFile> all = [.. files.Runbooks, .. beside];
        if (errors.Count > 0)
        {
            ConsoleOutput.Error($"{CountText.Format(errors.Count, "error")} in {errors.Select(error => error.File).Distinct().Count()} of {CountText.Format(all.Count, "file")}.");
            return ExitCode.Failed;
        }

        var others = string.Concat(beside.Select(one => $" and {one.Name}"));
        ConsoleOutput.Raw(all.Count == 1 ? $"{all[0].Name} is valid." : $"{CountText.Format(files.Runbooks.Count, "runbook")}{others} are valid.");
        return ExitCode.Done;
    }

    /// <param name="IsWhole">Whether these are all files of the folder.</param>
    private sealed record Files(IReadOnlyList<RunbookFile> Runbooks, RunbookFile? Contacts, RunbookFile? Windows, bool IsWhole);
}
