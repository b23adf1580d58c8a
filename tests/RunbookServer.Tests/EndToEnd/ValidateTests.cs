namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook validate</c>, with the contacts that stand beside the runbooks.</summary>
public sealed class ValidateTests : IDisposable
{
    private const string Contacts = """
        people:
          ada: { reach: [{ email: ada@example.com }, { pagerduty: "${PagerDuty:RoutingKey}" }] }
        contacts: { oncall: ada, platform-lead: ada, fallback: ada }
        """;

    private readonly RunbookCopy _runbooks = new(text => text);

    [Fact]
    public async Task GoodContacts_AreValidWithoutAnySetting()
    {
        _runbooks.Write(Contacts, "contacts.yaml");

        var (code, output, error) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(0, error);
        output.ShouldContain("1 runbook and ");
    }

    [Theory]
    [InlineData("email", "emial", "contacts.yaml:2:20  people.ada.reach[0].emial  is not a known key.  Did you mean 'email'?")]
    [InlineData(
        "platform-lead", "platform-leads",
        "hanged-gpu.yaml:58:34  mitigation.approval.escalate[0].to  names 'platform-lead', and the contacts have nobody of that name.  Did you mean 'platform-leads'?")]
    public async Task ContactsThatAreWrong_AreToldByPlaceAndRemedy(string right, string wrong, string told)
    {
        _runbooks.Write(Contacts.Replace(right, wrong, StringComparison.Ordinal), "contacts.yaml");

        var (code, output, error) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(1);
        output.ShouldContain(told);
        error.ShouldContain("in 1 of 2 files");
    }

    [Fact]
    public async Task ContactsAlone_CanBeNamed()
    {
        _runbooks.Write(Contacts.Replace("fallback", "nobody", StringComparison.Ordinal), "contacts.yaml");

        var (code, output, _) = await ValidateAsync("contacts.yaml");

        code.ShouldBe(1);
        output.ShouldContain("has no 'fallback'.");
    }

    [Fact]
    public async Task TextThatACommentCutsOff_IsWarnedOfAndTheFileIsValid()
    {
        _runbooks.Write(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Hung GPU #3", StringComparison.Ordinal));

        var (code, output, error) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(0, error);
        output.ShouldContain("warning: ");
        output.ShouldContain("The text ends before the '#'");
    }

    [Fact]
    public async Task FileThatIsNotUtf8_IsRefused()
    {
        File.WriteAllBytes(Path.Combine(_runbooks.Path, RunbookCopy.Name), System.Text.Encoding.Latin1.GetBytes(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Überlast", StringComparison.Ordinal)));

        var (code, output, _) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(1);
        output.ShouldContain("The file is not UTF-8");
        output.ShouldContain("Save the file with the encoding UTF-8");
    }

    [Fact]
    public async Task BrokenWindows_AreToldByPlaceAndRemedy()
    {
        _runbooks.Write("windows: [{ name: patching, start: tonight, duration: 2h }]", "windows.yaml");

        var (code, output, error) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(1);
        output.ShouldContain("windows.yaml:1:36  windows[0].start  is 'tonight'.");
        error.ShouldContain("in 1 of 2 files");
    }

    [Fact]
    public async Task GoodWindows_AreNamedWithTheRunbooks()
    {
        _runbooks.Write("windows: [{ name: patching, start: 2026-11-01T02:00, duration: 2h }]", "windows.yaml");

        var (code, output, error) = await ValidateAsync(RunbookCopy.Name);

        code.ShouldBe(0, error);
        output.ShouldContain("windows.yaml are valid.");
    }

    /// <summary>A job that stands in the wrong folder must not be green.</summary>
    [Theory]
    [InlineData("validate")]
    [InlineData("test")]
    public async Task FolderWithoutRunbooks_IsNoSuccess(string command)
    {
        var (code, _, error) = await ProgramRun.RunAsync(command, "--runbooks", Directory.CreateDirectory(Path.Combine(_runbooks.Path, "empty")).FullName);

        code.ShouldBe(2);
        error.ShouldContain("There is no runbook in ");
    }

    [Fact]
    public async Task TestsOfABrokenRunbook_AreAFailureInEveryFormat()
    {
        _runbooks.Write(RunbookCopy.Shipped.Replace("title:", "titel:", StringComparison.Ordinal));

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path, "--format", "junit");

        code.ShouldBe(1);
        output.ShouldContain("<failure");
        output.ShouldContain("Did you mean 'title'?");
    }

    public void Dispose() => _runbooks.Dispose();

    private Task<(int Code, string Output, string Error)> ValidateAsync(string file) => ProgramRun.RunAsync("validate", Path.Combine(_runbooks.Path, file));
}
