using System.CommandLine;
using Runbooks.Catalog;
using Runbooks.Catalog.Steps;
using Runbooks.Testing;
using RunbookServer.Hosting;
using RunbookServer.Terminal;

namespace RunbookServer.Commands;

/// <summary><c>runbook test [FILE…]</c>: runs the tests beside the runbooks on the real workflow; nothing outside is touched.</summary>
internal static class TestCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("files") { Description = "Runbook files; every runbook of the folder unless named.", Arity = ArgumentArity.ZeroOrMore };
        var folder = new RunbookFolderOption();
        var command = new Command("test", "Runs the tests beside the runbooks, on virtual time and a scripted world.") { files, folder };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(files) is { Length: > 0 } named ? named : [.. folder.Of(parsed).Files()]));
        return command;
    }

    private static async Task<int> RunAsync(string[] files)
    {
        await using var services = OfflineServices.Build();
        var catalog = services.GetRequiredService<RunbookCatalog>();
        if (Array.Find(files, file => !File.Exists(file)) is { } missing)
        {
            throw new CommandException($"There is no file {missing}.");
        }

        var loaded = catalog.Load(files.Select(RunbookFolder.Read), whole: false);
        if (loaded.Errors.Count > 0)
        {
            throw new CommandException($"The runbooks have errors; no test ran.\n{string.Join("\n", loaded.Errors)}", ExitCode.Failed);
        }

        var (passed, failed) = (0, 0);
        foreach (var test in files.SelectMany(Cases))
        {
            var problems = await TryAsync(test, catalog, services.GetRequiredService<StepCatalog>());
            (passed, failed) = problems.Count == 0 ? (passed + 1, failed) : (passed, failed + 1);
            ConsoleOutput.Raw($"{(problems.Count == 0 ? "passed" : "FAILED")}  {Path.GetFileName(Path.GetDirectoryName(test))}/{Path.GetFileName(test)}");
            foreach (var problem in problems)
            {
                ConsoleOutput.Raw($"        {problem}");
            }
        }

        ConsoleOutput.Raw($"{passed} passed, {failed} failed.");
        return failed == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>The case folders of a runbook file: <c>tests/{its name}/*</c> beside it.</summary>
    private static IEnumerable<string> Cases(string runbookFile)
    {
        var tests = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(runbookFile))!, "tests", Path.GetFileNameWithoutExtension(runbookFile));
        return Directory.Exists(tests)
            ? Directory.EnumerateDirectories(tests).Where(folder => File.Exists(Path.Combine(folder, TestCase.FileName))).Order(StringComparer.Ordinal)
            : [];
    }

    private static async Task<IReadOnlyList<string>> TryAsync(string folder, RunbookCatalog catalog, StepCatalog steps)
    {
        try
        {
            var test = TestCase.Read(folder);
            return catalog.Find(test.RunbookId) is { } runbook
                ? await TestRunner.RunAsync(test, runbook, steps)
                : [$"there is no runbook '{test.RunbookId}'. The folder of its tests carries its id."];
        }
        catch (TestCaseException unusable)
        {
            return [unusable.Message];
        }
    }
}
