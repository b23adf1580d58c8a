using Runbooks.Catalog.Problems;
using Runbooks.Guardrails;
using Runbooks.Storage;
using RunbookServer.Reporting;
using Spectre.Console.Rendering;

namespace RunbookServer.Commands;

/// <summary><c>runbook validate [FILE…]</c>: every error of every file at once.</summary>
internal static class ValidateCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Runbook files, contacts.yaml, windows.yaml and team.yaml; the runbooks folder unless named. "
                + "Contacts, maintenance windows and teams beside the runbooks are checked with them.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var folder = new RunbookFolderOption();
        var strict = new Option<bool>("--strict") { Description = "Warnings count as errors." };
        var format = new FormatOption();
        var settings = new HostSettingsOption();
        var command = new Command(
            "validate", "Checks runbook files, contacts, maintenance windows and teams and reports every error and warning with its line.")
        {
            files,
            folder,
            settings,
            strict,
            format,
        };
        command.SetAction(parsed =>
        {
            var named = parsed.GetValue(files) ?? [];
            var (isStrict, host) = (parsed.GetValue(strict), settings.Of(parsed));
            var sets = Find(named, () => folder.Of(parsed));
            var report = Merged([.. sets.Select(set => Check(set, isWhole: named.Length == 0, isStrict, host))]);
            if (!format.Write(parsed, report))
            {
                Print(report);
            }

            return report.HasFailed ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    public static CommandException NoFile(string named) => new(
        Directory.Exists(named) ? $"{named} is a folder. Name it with --runbooks to look at all in it."
        : named.StartsWith('-') ? $"There is no option {named}. See: {ThisProgram.Command} --help"
        : $"There is no file {named}. Name a runbook file, or leave it out for the whole folder.");

    /// <summary>A set for each folder with a named file: contacts, windows and teams count for the runbooks of their own folder only.</summary>
    private static IReadOnlyList<RuleSet> Find(string[] named, Func<RunbookFolder> usual)
    {
        if (named.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            throw NoFile(missing);
        }

        if (named.Length == 0)
        {
            var folder = usual();
            return [SetOf(folder.FilesToCheck(), folder.Contacts, folder.Windows, folder.Teams())];
        }

        // Contacts that are kept elsewhere are named with the runbooks.
        var elsewhere = named.Where(file => IsCommon(file, ContactsFile.FileName)).ToList() is [var only] ? only : null;
        return [.. named.GroupBy(RunbookFolder.Around).Select(files => Of(files.Key, [.. files]))];

        RuleSet Of(RunbookFolder folder, List<string> files)
        {
            var runbooks = files.FindAll(file => !IsBeside(file) || IsWindowsOfTeam(file));
            var contacts = files.Find(file => IsCommon(file, ContactsFile.FileName));
            var windows = files.Find(file => IsCommon(file, MaintenanceFile.FileName));
            return runbooks.Count > 0 || files.Exists(IsOfTeam)
                ? SetOf(runbooks, contacts ?? folder.Contacts ?? elsewhere, windows ?? folder.Windows, folder.Teams())
                : SetOf([], contacts, windows, []);
        }
    }

    private static RuleSet SetOf(IEnumerable<string> runbooks, string? contacts, string? windows, IReadOnlyList<TeamFiles> teams) =>
        new([.. runbooks.Select(RunbookFolder.ReadWithSamples)], Read(contacts), Read(windows))
        {
            Teams = teams,
            Calendars = teams.Select(team => (Prefix: $"{team.Folder}/", Beside: team.File.Name))
                .Concat(contacts is null ? [] : [(Prefix: "", Beside: contacts)])
                .SelectMany(place => Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(place.Beside))!)
                    .Where(file => RuleSet.IsCalendar(Path.GetFileName(file)))
                    .Select(file => (Name: $"{place.Prefix}{Path.GetFileName(file)}", Text: TextOf(file))))
                .Where(calendar => calendar.Text is not null)
                .ToDictionary(calendar => calendar.Name, calendar => calendar.Text!, StringComparer.Ordinal),
        };

    /// <returns>Null where it cannot be opened: contacts that name it are warned of, as where it is not there.</returns>
    private static string? TextOf(string calendar)
    {
        try
        {
            return File.ReadAllText(calendar);
        }
        catch (Exception closed) when (closed is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A file that is in two of the reports is one case.</summary>
    private static Report Merged(IReadOnlyList<Report> reports)
    {
        var files = reports.SelectMany(report => report.Cases).GroupBy(checkedFile => checkedFile.File);
        return reports[0] with
        {
            Cases = [.. files.Select(same => same.First() with
            {
                Problems = [.. same.SelectMany(checkedFile => checkedFile.Problems).Distinct()],
            })],
        };
    }

    /// <summary>It does not belong to a team.</summary>
    private static bool IsCommon(string file, string name) => Is(file, name) && !IsInTeam(file);

    private static bool IsOfTeam(string file) => Is(file, TeamFile.FileName) || (Is(file, ContactsFile.FileName) && IsInTeam(file));

    /// <summary>It is checked as a runbook, as hosts read it, and is an error there.</summary>
    private static bool IsWindowsOfTeam(string file) => Is(file, MaintenanceFile.FileName) && IsInTeam(file);

    private static bool IsInTeam(string file) => TeamFolders.FileOf(new(Path.GetDirectoryName(Path.GetFullPath(file))!)) is not null;

    private static bool IsBeside(string file) =>
        Is(file, ContactsFile.FileName) || Is(file, MaintenanceFile.FileName) || Is(file, TeamFile.FileName);

    private static bool Is(string file, string name) => Path.GetFileName(file) == name;

    private static RunbookFile? Read(string? file) => file is null ? null : RunbookFolder.Read(file);

    /// <param name="isWhole">Whether these are all files of the folder.</param>
    public static Report Check(RuleSet files, bool isWhole, bool strict, HostSettings settings)
    {
        using var services = OfflineServices.Build(
            host: settings, beside: (name, _) => Task.FromResult(files.Calendars.GetValueOrDefault(name)));

        // Checks that need the host's settings are made when the host starts.
        var contacts = services.GetRequiredService<ContactsFile>().Read(
            files.People, withSettings: false, FindProblem);
        var catalog = services.GetRequiredService<RunbookCatalog>();
        var handOver = services.GetServices<INotifier>()
            .Where(notifier => notifier.OnlyHandsOver)
            .Select(notifier => notifier.Channel)
            .ToList();
        var result = catalog.Load(files.Runbooks, contacts.Book?.Known(handOver), isWhole);

        // Some runbooks alone do not tell which ids there are.
        IReadOnlyCollection<string>? ids = isWhole && result.Errors.Count == 0 ? [.. catalog.Current.Select(runbook => runbook.Id)] : null;
        var windows = files.Windows is { } planned ? MaintenanceFile.Read(planned.Name, planned.Text, ids) : null;
        var teams = files.Teams.Select(team => TeamFile.Read(team, contacts.Book?.Names)).ToList();
        IEnumerable<CatalogError> problems =
        [
            .. contacts.Errors,
            .. windows?.Errors ?? [],
            .. teams.SelectMany(team => team.Errors),
            .. result.Errors,
            .. contacts.Warnings,
            .. windows?.Warnings ?? [],
            .. teams.SelectMany(team => team.Warnings),
            .. result.Warnings,
        ];
        return new("validate", strict, CasesOf(files, problems.Distinct().ToLookup(problem => problem.File)));
    }

    /// <summary>Of a calendar beside the contacts, for the next week. Whatever is elsewhere is not asked.</summary>
    private static string? FindProblem(IOnCallSource source, OnCallSchedule schedule)
    {
        if (!RuleSet.IsCalendar(Path.GetFileName(schedule.Id)) || Uri.TryCreate(schedule.Id, UriKind.Absolute, out _))
        {
            return null;
        }

        var now = TimeProvider.System.GetUtcNow();
        try
        {
            // The text is there already, so nothing is waited for.
            source.ReadAsync(schedule, now, now.AddDays(7), CancellationToken.None).GetAwaiter().GetResult();
            return null;
        }
        catch (OnCallException unreadable)
        {
            return unreadable.Message;
        }
    }

    private static IReadOnlyList<ReportedCase> CasesOf(RuleSet files, ILookup<string, CatalogError> problems)
    {
        IEnumerable<RunbookFile?> beside =
        [
            files.Contacts,
            files.Windows,
            .. files.Teams.SelectMany(team => new[] { team.File, team.Contacts }),
        ];
        var cases = beside.Concat(files.Runbooks).OfType<RunbookFile>()
            .Select(file => new ReportedCase(file.Name, file.Name, [.. problems[file.Name]]) { Text = file.Text })
            .ToList();
        var others = problems.ExceptBy(cases.Select(known => known.File), file => file.Key)
            .Select(file => new ReportedCase(file.Key, file.Key, [.. file]));
        return [.. cases, .. others];
    }

    public static void Print(Report report)
    {
        var found = report.Cases.SelectMany(file => file.Problems.Select(problem => (file.Text, Problem: problem))).ToList();
        foreach (var (text, problem) in found.OrderBy(item => item.Problem.Code is not null))
        {
            ConsoleOutput.Raw(problem.Code is null ? problem.ToString() : $"warning: {problem}");
            foreach (var line in Excerpt.Of(text ?? "", problem))
            {
                ConsoleOutput.Raw(line);
            }
        }

        var warnings = found.Count(item => item.Problem.Code is not null);
        var errors = found.Count - warnings;
        if (report.HasFailed)
        {
            ConsoleOutput.Error(FailureText(report, errors, warnings));
            return;
        }

        var warned = warnings > 0 ? $" {CountText.Format(warnings, "warning")}." : "";
        ConsoleOutput.Raw($"{ValidText(report)}{warned}");
    }

    private static string FailureText(Report report, int errors, int warnings)
    {
        var counts = Lines.Of(
            errors > 0 ? CountText.Format(errors, "error") : null,
            report.IsStrict && warnings > 0 ? CountText.Format(warnings, "warning") : null);
        var strict = errors == 0 ? " With --strict warnings count; docs/warnings.md says how a file means one." : "";
        return $"{string.Join(" and ", counts)} in {report.Cases.Count(report.HasFailedIn)} "
            + $"of {CountText.Format(report.Cases.Count, "file")}.{strict}";
    }

    private static string ValidText(Report report)
    {
        if (report.Cases.Count == 1)
        {
            return $"{report.Cases[0].Name} is valid.";
        }

        var beside = report.Cases.Select(file => file.Name).Where(IsBeside).ToList();
        var runbooks = CountText.Format(report.Cases.Count - beside.Count, "runbook");
        return $"{runbooks}{string.Concat(beside.Select(name => $" and {name}"))} are valid.";
    }
}

internal static class Excerpt
{
    private const int LongestLine = 160;

    /// <returns>Two lines; none where the file has no such line.</returns>
    public static IEnumerable<string> Of(string text, CatalogError problem)
    {
        var lines = FileLines.Of(text.TrimStart('\uFEFF'));
        if (problem.Line > lines.Length || lines[problem.Line - 1] is not { Length: > 0 } line || problem.Column - 1 > line.Length)
        {
            yield break;
        }

        // An excerpt of a long line begins a little before the place.
        var start = problem.Column > LongestLine ? problem.Column - LongestLine / 2 : 0;
        var number = problem.Line.ToString(CultureInfo.InvariantCulture);
        yield return $"  {number} | {(start > 0 ? "…" : "")}{Clip.To(line[start..], LongestLine)}";
        var indent = new string(' ', Width(line[start..(problem.Column - 1)]));
        yield return $"  {new string(' ', number.Length)} | {(start > 0 ? " " : "")}{indent}^";
    }

    /// <summary>In columns, as it is printed: a wide character takes two, a combining character none.</summary>
    private static int Width(string text) => new Segment(ConsoleOutput.Clean(text)).CellCount();
}
