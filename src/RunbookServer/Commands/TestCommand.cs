using System.Diagnostics;
using Runbooks.Catalog.Problems;
using RunbookServer.Reporting;

namespace RunbookServer.Commands;

/// <summary><c>runbook test [FILE…]</c>: runs the tests beside the runbooks on the real workflow; nothing outside is touched.</summary>
internal static class TestCommand
{
    private const string NothingTried = "There is no test: nothing was tried.";
    private static readonly EnumerationOptions s_anyCase = new() { RecurseSubdirectories = true, MatchCasing = MatchCasing.CaseInsensitive };

    private const string OneIs = $"One is a folder tests/RUNBOOK/NAME with a {TestCase.FileName}.";

    public static Command Build()
    {
        var files = new Argument<string[]>("files")
        {
            Description = "Runbook files; every runbook of the folder unless named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var folder = new RunbookFolderOption();
        var format = new FormatOption();
        var settings = new HostSettingsOption();
        var command = new Command("test", "Runs the tests beside the runbooks, on virtual time and a scripted world.")
        {
            files,
            folder,
            settings,
            format,
        };
        command.SetAction(async (parsed, _) =>
        {
            string[] runbooks = parsed.GetValue(files) is { Length: > 0 } named ? named : [.. folder.Of(parsed).FilesToCheck()];
            var report = await RunAsync(runbooks, settings.Of(parsed));
            if (!format.Write(parsed, report.Cases.Count > 0 ? report : report with { Cases = [NoTest(runbooks)] }))
            {
                Print(report);
            }

            return report.HasFailed || report.Cases.Count == 0 ? ExitCode.Failed : ExitCode.Done;
        });
        return command;
    }

    public static async Task<Report> RunAsync(string[] files, HostSettings settings)
    {
        await using var services = OfflineServices.Build(host: settings);
        if (Array.Find(files, file => !File.Exists(file)) is { } missing)
        {
            throw ValidateCommand.NoFile(missing);
        }

        // Each folder has its own ids.
        var sets = files.GroupBy(RunbookFolder.Around)
            .Select(set => (Files: set.ToList(), Catalog: new RunbookCatalog(services.GetRequiredService<RunbookReader>())))
            .ToList();
        var errors = sets.SelectMany(set => set.Catalog.Load(set.Files.Select(RunbookFolder.ReadWithSamples), whole: false).Errors).ToList();
        if (errors.Count > 0)
        {
            ConsoleOutput.Error("The runbooks have errors; no test ran.");
            var broken = errors.GroupBy(error => error.File).Select(file => new ReportedCase(file.Key, file.Key, [.. file]));
            return new("test", IsStrict: false, [.. broken]);
        }

        var cases = new List<ReportedCase>();
        foreach (var (folder, catalog) in sets.SelectMany(set => set.Files.SelectMany(Cases).Select(folder => (folder, set.Catalog))))
        {
            var file = Path.GetRelativePath(".", Path.Combine(folder, TestCase.FileName));
            var name = $"{Path.GetFileName(Path.GetDirectoryName(folder))}/{Path.GetFileName(folder)}";
            var started = Stopwatch.GetTimestamp();
            var problems = await TryAsync(folder, file, catalog, services.GetRequiredService<StepCatalog>());
            cases.Add(new(name, file, problems) { Took = Stopwatch.GetElapsedTime(started) });
        }

        var folders = files.Select(file => Path.GetDirectoryName(Path.GetFullPath(file))!).Distinct(StringComparer.Ordinal);
        cases.AddRange(folders.SelectMany(folder => Strays(folder, files)));
        return new("test", IsStrict: false, cases);
    }

    /// <summary>For other programs, which would otherwise read that nothing failed.</summary>
    private static ReportedCase NoTest(string[] runbooks)
    {
        var folder = Path.GetRelativePath(".", Path.Combine(Path.GetDirectoryName(Path.GetFullPath(runbooks[0]))!, "tests"));
        return new(folder, folder, [new(folder, 1, 1, "", NothingTried, OneIs)]);
    }

    /// <summary>Tests that would never run without anybody noticing: of a runbook that is gone or renamed, or in the wrong place.</summary>
    private static IEnumerable<ReportedCase> Strays(string folder, string[] files) => [.. OfNoRunbook(folder, files), .. Misplaced(folder)];

    private static IEnumerable<ReportedCase> Misplaced(string folder)
    {
        var tests = Path.Combine(folder, "tests");
        if (!Directory.Exists(tests))
        {
            return [];
        }

        var remedy = $"A test is tests/RUNBOOK/NAME/{TestCase.FileName}. Move or rename it.";
        return Directory.EnumerateFiles(tests, "test*.y*ml", s_anyCase)
            .Where(file => Path.GetFileNameWithoutExtension(file).ToUpperInvariant() is "TEST" or "TESTS")
            .Where(file => Path.GetFileName(file) != TestCase.FileName
                || Path.GetRelativePath(tests, file).Split(Path.DirectorySeparatorChar).Length != 3)
            .Order(StringComparer.Ordinal)
            .Select(file => Path.GetRelativePath(".", file))
            .Select(file => new ReportedCase(file, file, [new(file, 1, 1, "", "is no test: it is never run.", remedy)]));
    }

    private static IEnumerable<ReportedCase> OfNoRunbook(string folder, string[] files)
    {
        var tests = Path.Combine(folder, "tests");
        return !Directory.Exists(tests) ? [] : Directory.EnumerateDirectories(tests)
            .Where(testsOfOne => Directory.EnumerateFiles(testsOfOne, TestCase.FileName, SearchOption.AllDirectories).Any())
            .Where(testsOfOne => !HasRunbook(folder, files, Path.GetFileName(testsOfOne)))
            .Order(StringComparer.Ordinal)
            .Select(WithoutRunbook);
    }

    private static bool HasRunbook(string folder, string[] files, string id) => Directory.EnumerateFiles(folder).Concat(files).Any(file =>
        RuleSet.IsRunbook(Path.GetFileName(file)) && Path.GetFileNameWithoutExtension(file) == id);

    private static ReportedCase WithoutRunbook(string tests)
    {
        var (name, file) = (Path.GetFileName(tests), Path.GetRelativePath(".", tests));
        var problem = $"holds tests, and there is no runbook {name}.yaml beside 'tests'.";
        return new(name, file, [new(file, 1, 1, "", problem, "Give the folder the name of its runbook, or remove it.")]);
    }

    public static void Print(Report report)
    {
        foreach (var tested in report.Cases)
        {
            ConsoleOutput.Raw($"{(report.HasFailedIn(tested) ? "FAILED" : "passed")}  {tested.Name}");
            foreach (var problem in tested.Problems)
            {
                ConsoleOutput.Raw($"        {problem}");
            }
        }

        var failed = report.Cases.Count(report.HasFailedIn);
        ConsoleOutput.Raw(report.Cases.Count == 0
            ? $"{NothingTried} {OneIs}"
            : $"{report.Cases.Count - failed} passed, {failed} failed.");
    }

    private static IEnumerable<string> Cases(string runbookFile)
    {
        var beside = Path.GetDirectoryName(Path.GetFullPath(runbookFile))!;
        var tests = Path.Combine(beside, "tests", Path.GetFileNameWithoutExtension(runbookFile));
        return !Directory.Exists(tests) ? [] : Directory.EnumerateDirectories(tests)
            .Where(folder => File.Exists(Path.Combine(folder, TestCase.FileName)))
            .Order(StringComparer.Ordinal);
    }

    private static async Task<IReadOnlyList<CatalogError>> TryAsync(string folder, string file, RunbookCatalog catalog, StepCatalog steps)
    {
        var (test, errors) = TestCase.Read(folder);
        if (test is null)
        {
            return errors;
        }

        return catalog.Find(test.RunbookId) is { } runbook
            ? [.. (await TestRunner.RunAsync(test, runbook, steps)).Select(test.PlaceOf)]
            : [new(file, 1, 1, "", $"there is no runbook '{test.RunbookId}'. The folder of its tests carries its id.", "")];
    }
}
