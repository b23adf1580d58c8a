using Runbooks.Catalog.Problems;

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
        var (script, errors) = TestScriptReader.Read(name, File.ReadAllText(file));
        if (script is null)
        {
            return (null, errors);
        }

        var runbook = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(folder)))!;
        var alert = script.ByHand || script.Alert.File is not { } named ? null : Path.Combine(folder, named);
        return alert is null || File.Exists(alert)
            ? (new TestCase(folder, runbook, alert, script), [])
            : (null, [new(name, 1, 1, "alert", $"names {script.Alert.File}, and there is no such file beside it.", "Put the alert there as its sender posts it, or write it out under 'alert:'.")]);
    }
}

/// <summary>A test that cannot be played.</summary>
internal sealed class TestCaseException(string message) : Exception(message);
