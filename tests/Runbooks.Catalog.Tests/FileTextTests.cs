using System.Text;
using Runbooks.Catalog.Matching;
using Runbooks.Catalog.Reading;
using Runbooks.Model.Alerts;

namespace Runbooks.Catalog.Tests;

/// <summary>Files as people write them: other encodings, letters and blanks that only look alike, and texts that YAML reads otherwise.</summary>
public sealed class FileTextTests
{
    [Fact]
    public void FileInWindows1252_IsRefusedWithTheLineAndTheRemedy()
    {
        var file = Path.Combine(AppContext.BaseDirectory, $"latin-{Guid.NewGuid():N}.yaml");
        File.WriteAllBytes(file, Encoding.Latin1.GetBytes(Valid("title: Überlast in München\n")));
        var text = File.ReadAllText(file);
        File.Delete(file);

        var result = Read(text);

        result.Runbook.ShouldBeNull();
        result.Errors.ShouldHaveSingleItem().ToString().ShouldBe(
            "runbook.yaml:2:8  The file is not UTF-8: a character here cannot be read.  Save the file with the encoding UTF-8; the present one is probably Windows-1252, which editors also call ANSI or Latin-1.");
    }

    [Theory]
    [InlineData("alert: *HighCPU*", "runbook.yaml:2:12  Aliases (*name) are not allowed.  Write the value out; a text that begins with '*' needs quotes: \"*HighCPU*\".")]
    [InlineData("alert: *", "a text that begins with '*' needs quotes.  Put quotes around it: \"*\".")]
    [InlineData("alert: %A", "a text that begins with '%' needs quotes.  Put quotes around it: \"%A\".")]
    [InlineData("alert: @oncall", "a text that begins with '@' needs quotes.  Put quotes around it: \"@oncall\".")]
    [InlineData("alert: `A`", "a text that begins with '`' needs quotes.  Put quotes around it: \"`A`\".")]
    [InlineData("alert: > 95", "a text that begins with '>' needs quotes.  Put quotes around it: \"> 95\".")]
    [InlineData("alert: |95", "a text that begins with '|' needs quotes.  Put quotes around it: \"|95\".")]
    [InlineData("alert: Restart: now", "a text that holds ': ' needs quotes.  Put quotes around it: \"Restart: now\".")]
    [InlineData("alert: &co", "a text that begins with '&' needs quotes: \"&co\".")]
    [InlineData("alert: [P1] Disk full # for now", "a text that begins with '[' needs quotes.  Put quotes around it: \"[P1] Disk full\".")]
    [InlineData("alert: [a, b] c", "a text that begins with '[' needs quotes.  Put quotes around it: \"[a, b] c\".")]
    [InlineData("alert: 'It's down'", "the quotes end before the text does.  Put the other kind of quotes around the whole text.")]
    [InlineData("alert: \"Disk\" is full", "the quotes end before the text does.  Put the other kind of quotes around the whole text.")]
    [InlineData("alert: #3 is down", "is nothing and must be text.  What follows '#' is a comment: put quotes around it.")]
    [InlineData("alert: # the name", "is nothing and must be text.  Write a line of text.")]
    [InlineData("alert: \"\\d+ requests\"", "within double quotes a backslash begins a special character.  Write the text in single quotes, where a backslash is a backslash, or \\\\ for each.")]
    [InlineData("alert: \"C:\\users\"", "within double quotes a backslash begins a special character.")]
    [InlineData("alert: - down", "a text that begins with '- ' needs quotes.  Put quotes around it: \"- down\".")]
    [InlineData("alert: ? down", "a text that begins with '? ' needs quotes.  Put quotes around it: \"? down\".")]
    [InlineData("labels: { a: Pod #3, b: c }", "cannot be read from here on.  Put quotes around the text that holds the '#'.")]
    public void TextThatYamlReadsOtherwise_IsToldWithTheQuotesItNeeds(string line, string expected)
    {
        var result = Read($"trigger:\n  - {line}\ntarget: t\n");

        result.Errors.ShouldContain(
            error => error.ToString().Contains(expected) && error.Line >= 2,
            string.Join('\n', result.Errors));
    }

    /// <summary>The library has its own words, and often names the line below.</summary>
    [Theory]
    [InlineData("impact:\n  severity high\n  users: U", 2, "a key and its value need ': ' between them.  Write severity: high.")]
    [InlineData("impact:\n  severity = high\n  users: U", 2, "a key and its value need ': ' between them.  Write severity: high.")]
    [InlineData("impact:\n  severity： high\n  users: U", 2, "a key and its value need ': ' between them.  Write severity: high.")]
    [InlineData("<<<<<<< HEAD\nid: a\n=======\nid: b\n>>>>>>> x", 1, "this line is a mark of a merge that git could not finish.  Keep one of the two sides, and remove the marks.")]
    [InlineData("escalate:\n  • { after: 10m, to: a }", 2, "an item of a list begins with '-', and not with '•', as Word and chats write it.  Write '- ' in its place.")]
    [InlineData("escalate:\n  – { after: 10m, to: a }", 2, "an item of a list begins with '-', and not with '–', as Word and chats write it.")]
    [InlineData("a:\n  - ask: A\n  check: C", 3, "a list stands above, and this line is no item of it.  Indent it like the text behind the '-'")]
    [InlineData("a:\n    b: c\n   d: e", 3, "this line is indented like nothing above it, or a comma or a bracket is left over.")]
    [InlineData("a:\n  ask: \"Are all there?\nb: c", 2, "the quotes that begin here are not closed.  Close them where the text ends.")]
    [InlineData("query: |\n          \n  up\nb: c", 3, "the empty line at the beginning of the text above has more blanks than the text.")]
    [InlineData("a: first\n  second\n  third: x", 3, "a key stands here, and the text above it has not ended.  Look at the line above")]
    [InlineData("summary: The pod is slow,\n  hangs for ever\n  and this: nothing helps", 3, "a key stands here, and the text above it has not ended.")]
    [InlineData("impact:\n  users: U\n  severity = high\n  data: D", 3, "a key and its value need ': ' between them.  Write severity: high.")]
    [InlineData("a:\n  summary: \"Latency: - p95 is high\"\n   d: e", 3, "this line is indented like nothing above it")]
    [InlineData("a:\n  b: |\n    • one\n   d: e", 4, "this line is indented like nothing above it")]
    public void BrokenLine_IsToldInPlainWords(string text, int line, string expected)
    {
        var error = Read($"{text}\n").Errors.ShouldHaveSingleItem();

        error.Line.ShouldBe(line);
        $"{error.Problem}  {error.Remedy}".ShouldContain(expected);
    }

    /// <summary>Behind the indentation of a block a tab is text, and a line of one tab is empty: neither is what keeps the file from being read.</summary>
    [Theory]
    [InlineData("query: |\n  AppRequests\n  \t| where DurationMs > 1500\nunit: %", 4, "a text that begins with '%' needs quotes")]
    [InlineData("a: |\n  A\n  \t\nunit: > 95", 4, "a text that begins with '>' needs quotes")]
    [InlineData("a: b\n\t\nc: d", 2, "a line begins with a tab")]
    [InlineData("query: |\n  A\n  \t| B\nunit: \"open", 4, "quotes are not closed")]
    [InlineData("a:\n\t\n\tb: c", 3, "a line begins with a tab")]
    [InlineData("a: |\n  A\n  \tB\nc:\n\td: e", 5, "a line begins with a tab")]
    public void TabThatIsNotTheFault_IsNotBlamed(string text, int line, string problem)
    {
        var error = Read($"{text}\n").Errors.ShouldHaveSingleItem();

        error.Line.ShouldBe(line);
        error.Problem.ShouldContain(problem);
    }

    /// <summary>What Windows PowerShell 5.1 makes of a file in UTF-8 that it reads without -Encoding and writes as UTF-8.</summary>
    [Fact]
    public void Utf8ThatWasReadAsWindows1252_IsWarnedOfWithWhatItWas()
    {
        var warning = Read("summary: Ã¼ber\ntitle: Ãœberlast in MÃ¼nchen â€“ jetzt\n").Warnings.ShouldHaveSingleItem();

        (warning.Line, warning.Column).ShouldBe((1, 10));
        warning.Problem.ShouldBe("'Ã¼' is most likely 'ü', read with the wrong encoding when the file was written.");
        warning.Remedy.ShouldContain("UTF-8");
    }

    [Theory]
    [InlineData("title: Überlast in München – jetzt")]
    [InlineData("title: SÃO PAULO, 5 €, É, Â, «CAFÉ»")]
    [InlineData("title: Ünïcödé Äß")]
    public void LettersThatAreNoUtf8WhenWrittenAnew_AreNotWarnedOf(string line) => Read($"{line}\n").Warnings.Where(warning => warning.Code == "misread-encoding").ShouldBeEmpty();

    [Theory]
    [InlineData("checklist:\n  - Restart #3 and #4", 3, 13)]
    [InlineData("checklist: [a]\nask:\n  - Restart # now", 4, 13)]
    public void EntryOfAListThatACommentCutsOff_IsWarnedOf(string text, int number, int column)
    {
        var warning = Read($"summary: s\n{text}\n").Warnings.ShouldHaveSingleItem();

        (warning.Line, warning.Column).ShouldBe((number, column));
    }

    [Theory]
    [InlineData("ask: Restart replica #3 of it?", 2, 22)]
    [InlineData("ask: Restart # the replica", 2, 14)]
    [InlineData("text: see #channel", 2, 11)]
    [InlineData("alert: Pod #1 down", 2, 12)]
    public void TextThatACommentCutsOff_IsWarnedOf(string line, int number, int column)
    {
        var warning = Read($"summary: s\n{line}\n").Warnings.ShouldHaveSingleItem();

        (warning.Line, warning.Column).ShouldBe((number, column));
        warning.Problem.ShouldContain("comment");
        warning.Remedy.ShouldContain("quotes");
    }

    [Theory]
    [InlineData("timeout: 20m  # twenty minutes")]
    [InlineData("timeout: 20m #twenty")]
    [InlineData("check: prometheus.query # asks Prometheus")]
    [InlineData("ask: \"Restart replica #3?\" # quoted")]
    [InlineData("ask: Restart replica#3?")]
    [InlineData("# ask: Restart #3")]
    [InlineData("ask: Restart it? #")]
    public void CommentThatCutsNothing_IsFine(string line) => Read($"summary: s\n{line}\n").Warnings.ShouldBeEmpty();

    /// <summary>A comment of the query goes on to the end of the line as it is read, not as it is written.</summary>
    [Theory]
    [InlineData(">-\n        up{a=\"#b\"} # how many\n        * 2", 10, 20)]
    [InlineData(">\n        up\n        # each\n        * 2", 11, 9)]
    [InlineData("\"up # how many\n        * 2\"", 9, 18)]
    [InlineData("|\n        up # how many\n        * 2", null, null)]
    [InlineData(">-\n        up\n        * 2 # twice", null, null)]
    [InlineData(">-\n        up # how many\n          * 2\n", null, null)]
    [InlineData(">-\n        up{a=\"#b\"}\n        * 2", null, null)]
    [InlineData("'up # how many'", null, null)]
    public void CommentOfAQueryWhoseLinesAreJoined_IsWarnedOf(string query, int? line, int? column)
    {
        var file = Valid("title: T").Replace("check: always, with: { finding: failing } }", "check: prometheus.query, with: { query: up, failing: 1 } }", StringComparison.Ordinal)
            .Replace("broken: { ask: \"Is it broken?\", check: prometheus.query, with: { query: up, failing: 1 } }", $"broken:\n    ask: Is it?\n    check: prometheus.query\n    with:\n      failing: 1\n      query: {query}", StringComparison.Ordinal)
            .Replace("  - alert: A\n", "  - { alert: A }\n", StringComparison.Ordinal);

        var result = Read(file);

        result.Errors.ShouldBeEmpty();
        var warning = result.Warnings.SingleOrDefault(one => one.Code == "query-cut-off");
        (warning?.Line, warning?.Column).ShouldBe((line is null ? null : line + 4, column));
    }

    /// <summary>No test and no simulation asks it: it is unknown each night.</summary>
    [Theory]
    [InlineData("sum(up{a=“b”})", "has “ outside a text")]
    [InlineData("up{a=&quot;b&quot;}", "has &quot; outside a text")]
    [InlineData("sum(up{a=\"b\"}", "has a '(' without its counterpart")]
    [InlineData("sum(up{a=\"b\")}", "has a ')' without its counterpart")]
    [InlineData("up{a=\"b} > 1", "begins a text with \" that is not closed on its line")]
    [InlineData("up{a=\"b}\n        * up{c=\"d\"}", "begins a text with \" that is not closed on its line")]
    [InlineData("sum(up{a=\"(“b”\"}) # (x", null)]
    [InlineData("up{a=~`b\\.(c`, d='\\'e(', pod=\"{{ labels.pod }}\"}[5m:1m]", null)]
    [InlineData("T | where A == @'it''s \\'", null)]
    [InlineData("T | where A == @\"say \"\"hi\"\" \\\" and B == ''", null)]
    [InlineData("T | where A == @'it''s", "begins a text with ' that is not closed on its line")]
    public void QueryThatCannotBeAsked_IsWarnedOf(string query, string? problem)
    {
        var file = Valid("title: T").Replace(
            "  broken: { ask: \"Is it broken?\", check: always, with: { finding: failing } }",
            $"  broken:\n    ask: Is it?\n    check: prometheus.query\n    with:\n      failing: 1\n      query: |\n        {query}",
            StringComparison.Ordinal);

        var result = Read(file);

        result.Errors.ShouldBeEmpty();
        result.Warnings.Where(warning => warning.Code == "query-broken").Select(warning => warning.Problem.Contains(problem ?? "none", StringComparison.Ordinal))
            .ShouldBe(problem is null ? [] : [true]);
    }

    [Theory]
    [InlineData("title: \"a\\bc\"", "U+0008")]
    [InlineData("alert: \"C:\\temp\"", "U+0009")]
    [InlineData("summary: [\"a\\eb\"]", "U+001B")]
    [InlineData("title: \"a\\nb\"", null)]
    [InlineData("text: \"Hello\\nWorld\"", null)]
    [InlineData("alert: \"acme\\nightly\"", "U+000A")]
    [InlineData("alert: \"one\\nother line\"", null)]
    [InlineData("instruction: \"Empty C:\\new\"", "U+000A")]
    [InlineData("folder: \"C:\\Logs\"", "U+2028")]
    [InlineData("instruction: \"Empty C:\\Program Files\"", "U+2029")]
    [InlineData("folder: \"agent\\_work\"", "U+00A0")]
    [InlineData("folder: \"one\u2028two\"", null)]
    [InlineData("title: 'a\\bc'", null)]
    [InlineData("title: a\tb", null)]
    [InlineData("title: \"a\tb\"", null)]
    public void ControlCharacterOfABackslash_IsWarnedOf(string line, string? character) =>
        (Read($"id: a\n{line}\n").Warnings.SingleOrDefault(one => one.Code == "control-character")?.Problem.Split(' ').First(word => word.StartsWith("U+", StringComparison.Ordinal)).TrimEnd(':')).ShouldBe(character);

    [Theory]
    [InlineData("title:\u00A0T", 2, 7)]
    [InlineData("\u00A0title: T", 2, 1)]
    [InlineData("  -\u00A0alert: A", 2, 4)]
    public void NoBreakSpaceInTheStructure_IsAnError(string line, int number, int column)
    {
        var error = Read($"id: a\n{line}\n").Errors.ShouldHaveSingleItem();

        (error.Line, error.Column).ShouldBe((number, column));
        error.Problem.ShouldContain("no-break space");
    }

    [Theory]
    [InlineData("query: up\u00A0> 5", 2, 10, "no-break space")]
    [InlineData("alert: Disk\u200BFull", 2, 12, "A character that nobody sees stands here (U+200B)")]
    [InlineData("alert: \u200EDiskFull", 2, 8, "(U+200E)")]
    [InlineData("alert: Disk\u00ADFull", 2, 12, "(U+00AD)")]
    [InlineData("alert: Disk\uFEFFFull", 2, 12, "(U+FEFF)")]
    [InlineData("title: Mu\u0308nchen", 2, 9, "'ü' is written as two characters")]
    public void LookAlikesInAText_AreWarnedOf(string line, int number, int column, string problem)
    {
        var warning = Read($"id: a\n{line}\n").Warnings.ShouldHaveSingleItem();

        (warning.Line, warning.Column).ShouldBe((number, column));
        warning.Problem.ShouldContain(problem);
    }

    [Theory]
    [InlineData("title: München")]
    [InlineData("# Mu\u0308nchen\u00A0!")]
    [InlineData("title: \u0915\u093F")]
    [InlineData("title: \U0001F469\u200D\U0001F680 on call")]
    public void OrdinaryText_IsFine(string line) => Read($"id: a\n{line}\n").Warnings.ShouldBeEmpty();

    [Theory]
    [InlineData("Überlast München", "U\u0308berlast\u00A0Mu\u0308nchen")]
    [InlineData("U\u0308berlast*", "Überlast München")]
    public void TriggerAndAlertThatLookAlike_Match(string pattern, string name)
    {
        var alert = new Alert { Source = "generic", Name = name, Fingerprint = "f", Labels = new Dictionary<string, string> { ["gro\u0308ße"] = "zu\u00A0groß" } };
        var runbook = Read(Valid($"title: T\n").Replace("alert: A", $"alert: \"{pattern}\"\n    labels: {{ größe: zu groß }}", StringComparison.Ordinal)).Runbook.ShouldNotBeNull();

        RunbookMatcher.Match(alert, [runbook]).Runbooks.ShouldHaveSingleItem();
    }

    private static ReadResult Read(string text) => new RunbookReader(SampleSteps.Catalog()).Read("runbook.yaml", text);

    private static string Valid(string title) => $$$"""
        id: latin
        {{{title.TrimEnd()}}}
        trigger:
          - alert: A
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Everybody }
        diagnosis:
          broken: { ask: "Is it broken?", check: always, with: { finding: failing } }
        mitigation: {}
        """;
}
