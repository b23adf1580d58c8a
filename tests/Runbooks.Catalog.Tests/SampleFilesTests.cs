using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Reading;

namespace Runbooks.Catalog.Tests;

/// <summary>Text files beside a runbook that its steps name.</summary>
public sealed class SampleFilesTests
{
    private const string Named = "samples/ordinary.txt";

    [Fact]
    public void FileThatAStepNames_IsPartOfTheVersion()
    {
        var first = Read(Named, (Named, "one\ntwo"), ("samples/other.txt", "a"));

        first.Errors.ShouldBeEmpty();
        first.Runbook!.Samples.ShouldBe([new(Named, "one\ntwo")]);
        Read(Named, (Named, "one\r\ntwo"), ("samples/other.txt", "b")).Runbook!.Hash.ShouldBe(first.Runbook.Hash);
        Read(Named, (Named, "one\nthree"), ("samples/other.txt", "a")).Runbook!.Hash.ShouldNotBe(first.Runbook.Hash);
    }

    [Theory]
    [InlineData("samples/none.txt", "does not stand beside the runbook")]
    [InlineData("../secret.txt", "does not stand beside the runbook")]
    [InlineData("/etc/hostname", "does not stand beside the runbook")]
    [InlineData("{{ labels.file }}", "does not stand beside the runbook")]
    [InlineData("samples/long.txt", "is too long")]
    [InlineData("samples/lines.txt", "has 501 lines")]
    [InlineData("samples/blank.txt", "is empty")]
    [InlineData("samples/binary.txt", "is no text")]
    public void FileThatCannotBeUsed_IsAnErrorWithItsLineAndTheRemedy(string name, string words)
    {
        var error = Read(
            name,
            (Named, "one"), ("samples/long.txt", new string('x', SampleFileAttribute.MaxCharacters + 1)), ("samples/lines.txt", string.Concat(Enumerable.Repeat("x\n", 501))),
            ("samples/blank.txt", " \n\n"), ("samples/binary.txt", "a\0b")).Errors.ShouldHaveSingleItem().ToString();

        error.ShouldContain(words);
        error.ShouldStartWith("sample.yaml:9:");
        error.ShouldContain(words.StartsWith("does", StringComparison.Ordinal) ? "There are: samples/binary.txt" : "Keep at most 500 lines and 64 KB.");
    }

    private static ReadResult Read(string name, params (string Name, string Text)[] files) => new RunbookReader(SampleSteps.Catalog()).Read(
        "sample.yaml",
        $$$"""
        id: sample
        title: Sample
        trigger: [{ alert: Something }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        mitigation:
          approval: { ask: "Do it?", from: [oncall] }
          steps:
            rotate: { do: keys.rotate, with: { name: a, notLike: "{{{name}}}" } }
        """,
        samples: files.ToDictionary(file => file.Name, file => file.Text));
}
