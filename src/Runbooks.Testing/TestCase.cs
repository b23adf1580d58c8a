using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Yaml;

namespace Runbooks.Testing;

/// <summary>One test of a runbook: <c>tests/{runbook}/{case}/test.yaml</c> beside it, with the alert it begins with.</summary>
/// <param name="Folder">Where it is; the last part of the path is its name.</param>
/// <param name="AlertFile">Null when the test itself has the alert, or needs none.</param>
internal sealed record TestCase(string Folder, string RunbookId, string? AlertFile, TestScript Script)
{
    public const string FileName = "test.yaml";

    /// <returns>The case; null where its file has errors.</returns>
    public static (TestCase? Case, IReadOnlyList<CatalogError> Errors) Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        var name = Path.GetRelativePath(".", file);
        var (script, errors) = TestScriptReader.Open(name, File.ReadAllText(file));
        if (script is null)
        {
            return (null, errors.Sorted);
        }

        var runbook = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(folder)))!;
        var alert = script.ByHand || script.Alert.File is not { } named ? null : Path.Combine(folder, named);
        if (alert is not null && !File.Exists(alert))
        {
            errors.AtValue("alert", $"names {script.Alert.File}, and there is no such file beside it.", "Put the alert there as its sender posts it, or write it out under 'alert:'.");
            return (null, errors.Sorted);
        }

        return (new TestCase(folder, runbook, alert, script) { PlaceOf = problem => new(name, PlaceIn(errors, problem).Line, PlaceIn(errors, problem).Column, "", problem.Text, "") }, []);
    }

    /// <summary>Tells a problem at its place in the file.</summary>
    public Func<TestProblem, CatalogError> PlaceOf { get; private init; } = problem => new(FileName, 1, 1, "", problem.Text, "");

    private static Position PlaceIn(FileErrors errors, TestProblem problem) => problem.IsKey ? errors.PlaceOfKey(problem.Path) : errors.PlaceOf(problem.Path);
}

/// <summary>A test that cannot be played.</summary>
internal sealed class TestCaseException(string message) : Exception(message);

/// <summary>What did not go as a test says.</summary>
/// <param name="Path">Where the test says so: <c>expect.state</c>; empty for the file as a whole.</param>
/// <param name="IsKey">The key there is wrong, and not its value.</param>
internal sealed record TestProblem(string Path, string Text, bool IsKey = false)
{
    public override string ToString() => Text;
}
