using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Reading;
using Runbooks.Guardrails;
using Runbooks.Model.Text;
using Runbooks.Notifications;
using Runbooks.Publishing;
using RunbookServer.Hosting;
using RunbookServer.Reporting;
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
        var strict = new Option<bool>("--strict") { Description = "Warnings count as errors." };
        var format = new FormatOption();
        var settings = new HostSettingsOption();
        var command = new Command("validate", "Checks runbook files, contacts and maintenance windows and reports every error and warning with its line.") { files, folder, settings, strict, format };
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(files) ?? [];
            var report = Check(Find(named, () => folder.Of(parsed)), isWhole: named.Length == 0, parsed.GetValue(strict), settings.Of(parsed));
            if (!format.Write(parsed, report))
            {
                Tell(report);
            }

            return report.HasFailed ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    /// <summary>Contacts and windows are the named ones, else those that stand beside the first runbook.</summary>
    private static RuleSet Find(string[] named, Func<RunbookFolder> usual)
    {
        var missing = named.FirstOrDefault(file => !File.Exists(file));
        if (missing is not null)
        {
            throw new CommandException($"There is no file {missing}.");
        }

        var runbooks = named.Where(file => !IsBeside(file)).ToList();
        var folder = runbooks.Count > 0 ? new RunbookFolder(Path.GetDirectoryName(Path.GetFullPath(runbooks[0]))!) : usual();
        var withFolder = named.Length == 0 || runbooks.Count > 0;
        return new(
            [.. (named.Length == 0 ? folder.FilesToCheck() : runbooks).Select(RunbookFolder.ReadWithSamples)],
            Read(named.FirstOrDefault(file => Is(file, ContactsFile.FileName)) ?? (withFolder ? folder.Contacts : null)),
            Read(named.FirstOrDefault(file => Is(file, MaintenanceFile.FileName)) ?? (withFolder ? folder.Windows : null)));
    }

    private static bool IsBeside(string file) => Is(file, ContactsFile.FileName) || Is(file, MaintenanceFile.FileName);

    private static bool Is(string file, string name) => Path.GetFileName(file) == name;

    private static RunbookFile? Read(string? file) => file is null ? null : RunbookFolder.Read(file);

    /// <param name="isWhole">Whether these are all files of the folder.</param>
    public static Report Check(RuleSet files, bool isWhole, bool strict, HostSettings settings)
    {
        using var services = OfflineServices.Build(host: settings);

        // What only the host's settings can tell is asked when it starts.
        var contacts = files.Contacts is { } file ? services.GetRequiredService<ContactsFile>().Read(file.Name, file.Text, withSettings: false) : null;
        var catalog = services.GetRequiredService<RunbookCatalog>();
        var result = catalog.Load(files.Runbooks, contacts?.Book?.Names, isWhole);

        // Of some runbooks alone nobody can say which ids there are.
        IReadOnlyCollection<string>? ids = isWhole && result.Errors.Count == 0 ? [.. catalog.Current.Select(runbook => runbook.Id)] : null;
        var windows = files.Windows is { } planned ? MaintenanceFile.Read(planned.Name, planned.Text, ids) : null;
        var problems = Enumerable.Concat([.. contacts?.Errors ?? [], .. windows?.Errors ?? []], result.Errors)
            .Concat([.. contacts?.Warnings ?? [], .. windows?.Warnings ?? [], .. result.Warnings])
            .ToLookup(problem => problem.File);
        return new("validate", strict, [.. Enumerable.Concat([files.Contacts, files.Windows], files.Runbooks).OfType<RunbookFile>().Select(one => new ReportedCase(one.Name, one.Name, [.. problems[one.Name]]) { Text = one.Text })]);
    }

    public static void Tell(Report report)
    {
        var all = report.Cases.SelectMany(one => one.Problems.Select(problem => (one.Text, Problem: problem))).ToList();
        foreach (var (text, problem) in all.OrderBy(one => one.Problem.Code is not null))
        {
            ConsoleOutput.Raw(problem.Code is null ? problem.ToString() : $"warning: {problem}");
            foreach (var line in Excerpt.Of(text!, problem))
            {
                ConsoleOutput.Raw(line);
            }
        }

        var (errors, warnings) = (all.Count(one => one.Problem.Code is null), all.Count(one => one.Problem.Code is not null));
        if (report.HasFailed)
        {
            var found = string.Join(" and ", new[] { (errors, "error"), (report.IsStrict ? warnings : 0, "warning") }.Where(count => count.Item1 > 0).Select(count => CountText.Format(count.Item1, count.Item2)));
            ConsoleOutput.Error($"{found} in {report.Cases.Count(report.HasFailedIn)} of {CountText.Format(report.Cases.Count, "file")}.{(errors == 0 ? " With --strict warnings count; docs/warnings.md says how a file means one." : "")}");
            return;
        }

        var names = report.Cases.Select(one => one.Name).Where(IsBeside).ToList();
        ConsoleOutput.Raw((report.Cases.Count == 1 ? $"{report.Cases[0].Name} is valid." : $"{CountText.Format(report.Cases.Count - names.Count, "runbook")}{string.Concat(names.Select(name => $" and {name}"))} are valid.")
            + (warnings > 0 ? $" {CountText.Format(warnings, "warning")}." : ""));
    }
}
