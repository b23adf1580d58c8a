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

    /// <summary>Its fallback would be asked each night, and nobody would know why.</summary>
    [Theory]
    [InlineData("other.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "there is no file rota.ics beside the contacts that can be opened.")]
    [InlineData("rota.ics", "", "it is no iCalendar file.")]
    [InlineData("rota.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", null)]
    public async Task CalendarThatCannotBeRead_IsWarnedOf(string file, string text, string? problem)
    {
        _runbooks.Write(Contacts.Replace("oncall: ada", "oncall: { ical: rota.ics, fallback: ada }", StringComparison.Ordinal), "contacts.yaml");
        _runbooks.Write(text, file);

        var (code, output, error) = await ValidateAsync("contacts.yaml");

        code.ShouldBe(0, error);
        output.Contains("calendar-unreadable", StringComparison.Ordinal).ShouldBe(problem is not null, output);
        output.ShouldContain(problem is null ? "" : $"contacts.oncall.ical  does not say who is on call: {problem}");
    }

    [Theory]
    [InlineData("rota.ics", true)]
    [InlineData("other.ics", false)]
    public async Task CalendarThatCannotBeOpened_IsWarnedOfWhereItIsNamed(string file, bool isNamed)
    {
        _runbooks.Write(Contacts.Replace("oncall: ada", "oncall: { ical: rota.ics, fallback: ada }", StringComparison.Ordinal), "contacts.yaml");
        _runbooks.Write("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", isNamed ? "another.ics" : "rota.ics");
        File.CreateSymbolicLink(Path.Combine(_runbooks.Path, file), Path.Combine(_runbooks.Path, "nowhere"));

        var (code, output, error) = await ValidateAsync("contacts.yaml");

        code.ShouldBe(0, error);
        output.Contains("calendar-unreadable", StringComparison.Ordinal).ShouldBe(isNamed, output);
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

    /// <summary>A hook hands on what has changed, wherever it is.</summary>
    [Fact]
    public async Task FilesOfTwoFolders_AreEachCheckedWithWhatIsBesideThem()
    {
        _runbooks.Write(Contacts, "contacts.yaml");
        using var dev = new RunbookCopy(text => text.Replace("oncall", "rota", StringComparison.Ordinal));
        dev.Write(Contacts.Replace("oncall", "rota", StringComparison.Ordinal), "contacts.yaml");
        string[] runbooks = [Path.Combine(_runbooks.Path, RunbookCopy.Name), Path.Combine(dev.Path, RunbookCopy.Name)];
        var (code, output, error) = await ProgramRun.RunAsync(["validate", .. runbooks]);
        code.ShouldBe(0, output + error);
        output.ShouldContain("2 runbooks and ");
        (await ProgramRun.RunAsync(["test", .. runbooks])).Output.ShouldContain("There is no test");

        dev.Write(Contacts.Replace("email:", "emial:", StringComparison.Ordinal), "contacts.yaml");
        foreach (var name in (string[])["contacts.yaml", RunbookCopy.Name])
        {
            (code, output, _) = await ProgramRun.RunAsync("validate", Path.Combine(_runbooks.Path, name), Path.Combine(dev.Path, name));
            code.ShouldBe(1);
            output.ShouldContain("people.ada.reach[0].emial  is not a known key.");
        }
    }

    [Fact]
    public async Task FileOfATeamOfASecondFolder_IsChecked()
    {
        using var dev = new RunbookCopy(text => text);
        Directory.CreateDirectory(Path.Combine(dev.Path, "ml"));
        dev.Write("name: Ml\n", Path.Combine("ml", "team.yaml"));
        dev.Write(RunbookCopy.Shipped, Path.Combine("ml", RunbookCopy.Name));

        var (code, output, _) = await ProgramRun.RunAsync("validate", Path.Combine(_runbooks.Path, RunbookCopy.Name), Path.Combine(dev.Path, "ml", RunbookCopy.Name));

        code.ShouldBe(1);
        output.ShouldContain("ml/team.yaml:1:7  name  is 'Ml'.");
    }

    [Fact]
    public async Task ContactsOfAnotherFolder_CountWhereNoneAreBesideTheRunbook()
    {
        using var people = new RunbookCopy(text => text);
        people.Write(Contacts.Replace("platform-lead:", "platform-leads:", StringComparison.Ordinal), "contacts.yaml");

        var (code, output, error) = await ProgramRun.RunAsync("validate", Path.Combine(people.Path, "contacts.yaml"), Path.Combine(_runbooks.Path, RunbookCopy.Name));

        code.ShouldBe(1);
        output.ShouldContain("the contacts have nobody of that name.  Did you mean 'platform-leads'?");
        error.ShouldContain("in 1 of 2 files");
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
