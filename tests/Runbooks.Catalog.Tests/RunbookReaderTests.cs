using CsCheck;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Yaml;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests;

public sealed class RunbookReaderTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "cases", "valid", "minimal", "runbook.yaml"));

    private readonly RunbookReader _reader = new(SampleSteps.Catalog());

    [Fact]
    public void ShippedRunbook_IsRead()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "runbooks", "hanged-gpu.yaml"));

        var result = _reader.Read("hanged-gpu.yaml", text);

        result.Errors.ShouldBeEmpty();
        result.Runbook!.Diagnosis.Select(check => check.Name).ShouldBe(["stalled", "zombie", "gpu-memory"]);
        result.Runbook.Mitigation.Steps.ShouldHaveSingleItem().Do.ShouldBe("kubernetes.recyclePod");
    }

    [Fact]
    public void LineEndsAndByteOrderMark_DoNotChangeTheHash()
    {
        var hash = _reader.Read("a", s_text).Runbook!.Hash;

        hash.Length.ShouldBe(64);
        _reader.Read("b", '\uFEFF' + s_text.ReplaceLineEndings("\r\n")).Runbook!.Hash.ShouldBe(hash);
        _reader.Read("c", s_text + "# changed\n").Runbook!.Hash.ShouldNotBe(hash);
    }

    /// <summary>What the file allows may be looked for only once its mistakes are mended.</summary>
    [Fact]
    public void AllowanceInAFileWithMistakes_IsNotCalledUnused()
    {
        var text = "# runbook-allow lease-keeps: it is meant\n" + s_text;

        _reader.Read("a", text).Warnings.Select(warning => warning.Code).ShouldContain(WarningCodes.AllowUnused);
        var broken = _reader.Read("a", text + "nonsense: 1\n");

        broken.Errors.ShouldNotBeEmpty();
        broken.Warnings.Select(warning => warning.Code).ShouldNotContain(WarningCodes.AllowUnused);
    }

    /// <summary>Where something acts, what comes undone within <c>per</c> counts as a fix that did not hold, whatever else is limited.</summary>
    [Theory]
    [InlineData("keys.rotate, with: { name: k }", false)]
    [InlineData("note, with: { text: Hello. }", true)]
    public void PeriodWithoutALimit_IsUnusedOnlyWhereNothingActs(string step, bool isUnused) =>
        _reader.Read("a", With(step) + "limits: { per: 1d }\n").Warnings.Any(warning => warning.Code == WarningCodes.LimitUnused).ShouldBe(isUnused);

    /// <summary>What is indented too much or too little is told where it stands, not what is missing where it does not.</summary>
    [Theory]
    [InlineData("  verify: { within: 5m }\n", "    verify: { within: 5m }\n", "mitigation.steps.verify  is a step without 'do'.  'verify' stands directly below 'mitigation': look at the indentation.")]
    [InlineData("  verify: { within: 5m }\n", "  limits: { maxRuns: 1 }\n", "mitigation.limits  is not a known key.  'limits' stands at the beginning of a line: look at the indentation.")]
    [InlineData("  verify: { within: 5m }\n", "verify: { within: 5m }\n", "verify  is not a known key.  'verify' stands directly below 'mitigation': look at the indentation.")]
    public void KeyThatIsIndentedWrongly_IsToldWhereItStands(string right, string wrong, string expected)
    {
        var text = With("keys.rotate, with: { name: k }").TrimEnd() + $"\n{right}";
        _reader.Read("a", text).Errors.ShouldBeEmpty();

        _reader.Read("a", text.Replace(right, wrong, StringComparison.Ordinal)).Errors.ShouldHaveSingleItem().ToString().ShouldContain(expected);
    }

    [Fact]
    public void FlagInQuotes_IsOneAsANumberInQuotesIs() =>
        _reader.Read("a", With("keys.rotate, with: { name: k }") + "limits: { maxRuns: \"2\" }\nresolution:\n  approval: { ask: A?, from: oncall, separationOfDuties: \"true\" }\n  steps: { n: { do: note, with: { text: T } } }\n")
            .Runbook!.Resolution.Approval!.SeparationOfDuties.ShouldBeTrue();

    /// <summary>People copy queries from where the placeholders are others.</summary>
    [Theory]
    [InlineData("pod {labels.pod} of {{ labels.pod }}", "'{labels.pod}', which is no placeholder")]
    [InlineData("${labels.pod}", "'${labels.pod}', which")]
    [InlineData("$labels.pod", "'$labels.pod', which")]
    [InlineData("{ .annotations.summary }", "'{ .annotations.summary }', which")]
    [InlineData("${{ labels.pod }}", "'${{ labels.pod }}': the '$' stays")]
    [InlineData("{{ labels.pod }} costs $5, {pod=a}, {{ alert.name }}$", null)]
    public void LooksLikeAPlaceholder_IsWarnedOf(string text, string? problem)
    {
        var read = _reader.Read("a", With($"note, with: {{ text: '{text}' }}"));

        read.Errors.ShouldBeEmpty();
        read.Warnings.SingleOrDefault(warning => warning.Code == WarningCodes.PlaceholderPlain)?.Problem.ShouldStartWith($"holds {problem}");
        read.Warnings.Any(warning => warning.Code == WarningCodes.PlaceholderPlain).ShouldBe(problem is not null);
    }

    [Fact]
    public void NoVerify_AsksTheChecksOfWhen()
    {
        var verify = ReadWith("keys.rotate, with: { name: k }").Mitigation.Verify!;

        verify.Checks.ShouldBe(["broken"]);
        (verify.Every, verify.Within).ShouldBe((TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)));
    }

    /// <summary>Otherwise a ticket that was opened would end as a fix that did not help, and the resolution would never run.</summary>
    [Fact]
    public void NoVerifyAndStepsThatOnlyTell_AskNothing() => ReadWith("note, with: { text: Hello. }").Mitigation.Verify.ShouldBeNull();

    [Fact]
    public void NoVerifyAndAStepOfAPerson_AsksTheChecks() => ReadWith("person, with: { instruction: Do it., who: [oncall] }").Mitigation.Verify.ShouldNotBeNull();

    [Fact]
    public void UnrepeatableAction_HasOneAttempt() =>
        ReadWith("keys.rotate, with: { name: k }").Mitigation.Steps[0].Retry.Attempts.ShouldBe(1);

    /// <summary>An attempt of which is known that it did nothing is made again.</summary>
    [Fact]
    public void UnrepeatableAction_KeepsItsPause() =>
        ReadWith("keys.rotate, with: { name: k }, retry: { delay: 1m }").Mitigation.Steps[0].Retry.ShouldBe(new(1, TimeSpan.FromMinutes(1)));

    /// <summary>Quotes make a text of everything; a True keeps its capital where a text is asked for, and is a truth value where one is.</summary>
    [Theory]
    [InlineData("keepLogs: true", "true")]
    [InlineData("keepLogs: True", "\"True\"")]
    [InlineData("keepLogs: \"false\"", "\"false\"")]
    [InlineData("cluster: FALSE", "\"FALSE\"")]
    [InlineData("cluster: \"null\"", "\"null\"")]
    public void PlainWord_IsReadAsItIsMeant(string written, string json) =>
        ReadWith($"kubernetes.recyclePod, with: {{ namespace: n, pod: p, {written} }}").Mitigation.Steps[0].With.GetProperty(written.Split(':')[0]).GetRawText().ShouldBe(json);

    [Theory]
    [InlineData("null")]
    [InlineData("Null")]
    [InlineData("NULL")]
    [InlineData("~")]
    public void PlainWordForNothing_IsNoText(string written) =>
        _reader.Read("a", s_text.Replace("text: Hello.", $"text: {written}", StringComparison.Ordinal)).Errors.ShouldHaveSingleItem().Problem.ShouldBe("is empty.");

    [Fact]
    public void FileTooLarge_IsRefusedUnread() =>
        _reader.Read("a", s_text + "#" + new string('x', YamlTree.MaxCharacters)).Errors.ShouldHaveSingleItem().Problem.ShouldContain("more than");

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    [InlineData("? ")]
    [InlineData("!!x ")]
    [InlineData("&a ")]
    [InlineData("\"")]
    [InlineData("a:\n")]
    [InlineData("{{ ")]
    [InlineData("%YAML 1.1\n")]
    [InlineData("--- a\n")]
    [InlineData("*a\n")]
    [InlineData("\0")]
    public void GarbageInQuantity_IsAnErrorAndNothingElse(string piece)
    {
        var result = _reader.Read("a", string.Concat(Enumerable.Repeat(piece, 20_000)));

        result.Runbook.ShouldBeNull();
        result.Errors.Count.ShouldBeInRange(1, 100);
    }

    [Fact]
    public void ScannerTrips_IsAnErrorOfTheFile()
    {
        var text = "trigger:\n  - alert: a\n    severity: [Sev0, !source: alertmanager\n    alert: \"*\"\n    labels: { cluster: b, code: 503 }\ntarget: t\nimpact: { severity: low }\n";

        _reader.Read("a", text).Errors.ShouldContain(error => error.Problem.Contains("cannot be read from here on"));
    }

    [Fact]
    public void EveryPrefixOfAFile_IsReadWithoutAnException()
    {
        for (var length = 0; length < s_text.Length; length++)
        {
            var result = _reader.Read("a", s_text[..length]);
            (result.Runbook is null).ShouldBe(result.Errors.Count > 0);
        }
    }

    /// <summary>As YAML counts lines: whatever ends them, an error is told with its place.</summary>
    [Theory]
    [InlineData("\r")]
    [InlineData("\u0085")]
    [InlineData("\r\n")]
    public void MisspeltPlaceholder_IsToldWithItsLineWhateverEndsLines(string end) =>
        _reader.Read("a", s_text.Replace("{{ labels.pod }}", "{{ findings.x.value }}", StringComparison.Ordinal).ReplaceLineEndings(end)).Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("a:4:10  target  ");

    [Fact]
    public void LineSeparatorOfAChat_MovesNoError()
    {
        var text = $"summary: |\n  soft\u2028  break\n{s_text}".Replace("text: Hello.", "text: \"{{ findings.x.value }}\"", StringComparison.Ordinal);

        var error = _reader.Read("a", text).Errors.ShouldHaveSingleItem();

        FileLines.Of(text)[error.Line - 1][(error.Column - 1)..].ShouldStartWith("{{ findings.x.value }}");
    }

    [Fact]
    public void MutatedFile_IsReadWithoutAnException()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "cases", "valid", "every-key", "runbook.yaml"));
        string[] pieces = ["\n", " ", "{{", "}}", "- ", ": ", "[", "]", "{", "}", "*", "&", "!", "|", "\"", "'", "\t", "0", "~", "🙂", "\ud83d"];

        Gen.Select(Gen.Int[0, text.Length - 1], Gen.Int[0, 12], Gen.Int[0, pieces.Length - 1]).Array[1, 4].Sample(
            mutations =>
            {
                var mutated = mutations.Aggregate(text, (current, mutation) =>
                {
                    var (at, length, index) = mutation;
                    at = Math.Min(at, current.Length);
                    return string.Concat(current.AsSpan(0, at), pieces[index], current.AsSpan(Math.Min(current.Length, at + length)));
                });
                var result = _reader.Read("a", mutated);
                return (result.Runbook is null) == (result.Errors.Count > 0);
            },
            iter: 1_000);
    }

    private Runbook ReadWith(string step) => _reader.Read("a", With(step)).Runbook!;

    private static string With(string step) => s_text.Replace("note, with: { text: Hello. }", step, StringComparison.Ordinal);
}
