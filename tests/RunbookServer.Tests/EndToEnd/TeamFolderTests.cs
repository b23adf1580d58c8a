using System.Net;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Two folders of teams that both have a contact <c>primary</c>, as commands and a host see them.</summary>
public sealed class TeamFolderTests : IDisposable
{
    private const string Common = "people:\n  linus: { reach: [{ outbox: linus }] }\ncontacts: { fallback: linus }\n";

    private readonly RunbookCopy _runbooks = new(text => text);

    public TeamFolderTests()
    {
        File.Delete(Path.Combine(_runbooks.Path, RunbookCopy.Name));
        _runbooks.Write(Common, "contacts.yaml");
        AddTeam("ml", "grace");
        AddTeam("web", "alan");
        Directory.CreateDirectory(Path.Combine(_runbooks.Path, "ml", "tests", "ml-stuck", "nobody-answers"));
        _runbooks.Write("source: generic\nalert: { name: Stuck-ml, labels: { pod: p } }\nexpect: { state: expired }\n", Path.Combine("ml", "tests", "ml-stuck", "nobody-answers", "test.yaml"));
    }

    [Fact]
    public async Task EachTeam_IsAskedItsOwnAndNobodyOfTheOtherDecides()
    {
        await using var host = await RunningHost.StartAsync(_runbooks.Path, new(Common, new { }));
        var (ml, web) = (await OpenAsync(host, "ml"), await OpenAsync(host, "web"));

        var incident = await host.Client.GetAsync($"api/incidents/{ml}");
        ((string?)incident["team"], (string?)incident["gate"]!["approvers"]![0]).ShouldBe(("ml", "ml.primary"));
        await host.LinkAsync("grace");
        await host.LinkAsync("alan");
        (await host.Client.DecideAsync(ml, "approve", "alan")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await host.Client.DecideAsync(web, "approve", "grace")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await host.Client.DecideAsync(web, "approve", "alan")).Status.ShouldBe(HttpStatusCode.OK);

        // The team's file changes, and so does that beside the settings; the question stays the team's.
        AddTeam("ml", "gwen");
        await host.ReloadRunbooksAsync();
        await host.ReloadContactsAsync(Common.Replace("{ fallback", "{ primary: linus, fallback", StringComparison.Ordinal));
        (await host.Client.DecideAsync(ml, "approve", "grace")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await host.Client.DecideAsync(ml, "approve", "linus")).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await host.Client.DecideAsync(ml, "approve", "gwen")).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task RunbooksOfTeams_AreCheckedTestedAndRenderedWithTheOthers()
    {
        var (code, output, error) = await RunAsync("validate", "--strict");
        code.ShouldBe(0, output + error);
        output.ShouldStartWith("2 runbooks and ");

        (code, output, _) = await RunAsync("test");
        code.ShouldBe(0, output);
        output.ShouldContain("passed  ml-stuck/nobody-answers");
        (await RunAsync("render", "web-stuck")).Output.ShouldContain("| team | `web` |");
    }

    /// <summary>Its alert would open nothing, and everything else is called valid.</summary>
    [Fact]
    public async Task FolderOfNoTeam_IsToldThatItsRunbooksAreNotRead()
    {
        var rag = Directory.CreateDirectory(Path.Combine(_runbooks.Path, "rag")).FullName;
        File.Copy(Path.Combine(_runbooks.Path, "ml", "ml-stuck.yaml"), Path.Combine(rag, "index-stale.yaml"));

        var (code, output, error) = await RunAsync("validate");

        code.ShouldBe(0, output + error);
        error.ShouldContain("note: rag/ has runbooks and no team.yaml, so no host reads them.");
    }

    /// <summary>Kubernetes and git-sync mount the files of a folder as links into hidden ones.</summary>
    [Fact]
    public async Task FoldersThatNobodyMeansAsATeams_AreNotSpokenOf()
    {
        var hidden = Directory.CreateDirectory(Path.Combine(_runbooks.Path, "..2026_1")).FullName;
        File.Copy(Path.Combine(_runbooks.Path, "ml", "ml-stuck.yaml"), Path.Combine(hidden, "index-stale.yaml"));
        Directory.CreateSymbolicLink(Path.Combine(_runbooks.Path, "current"), "..2026_1");
        File.CreateSymbolicLink(Path.Combine(Directory.CreateDirectory(Path.Combine(_runbooks.Path, "old")).FullName, "gone.yaml"), "nowhere.yaml");

        var (code, output, error) = await RunAsync("validate");

        code.ShouldBe(0, output + error);
        error.ShouldNotContain("no team.yaml");
    }

    [Fact]
    public async Task FileOfATeamThatCannotBeOpened_IsAnErrorOfIt()
    {
        File.CreateSymbolicLink(Path.Combine(_runbooks.Path, "ml", "gone.yaml"), "nowhere.yaml");

        var (code, output, error) = await RunAsync("validate");

        code.ShouldBe(1, output + error);
        output.ShouldContain("ml/gone.yaml:1:1");
        error.ShouldContain("in 1 of ");
    }

    [Theory]
    [InlineData("ml/team.yaml", "name: ml\nowner: primry\n", "ml/team.yaml:2:8  owner  names 'primry', and the contacts have nobody of that name.  Did you mean 'primary'?")]
    [InlineData("ml/team.yaml", "name: ml\nowner: primary\nactions: [http.*]\n", "ml/ml-stuck.yaml:10:17  mitigation.steps.tell.do  is 'note', which runbooks of the team ml may not do.")]
    [InlineData("ml/team.yaml", "name: Ml\nowner: primary\n", "ml/team.yaml:1:7  name  is 'Ml'.")]
    [InlineData("ml/contacts.yaml", "contacts: { primary: mallory }\n", "ml/contacts.yaml:1:22  contacts.primary  names 'mallory', and there is no such person, room or group.")]
    [InlineData("web/contacts.yaml", "people: { linus: { reach: [{ outbox: alan }] } }\ncontacts: { primary: linus }\n", "web/contacts.yaml:1:11  people.linus  is also in ")]
    [InlineData("ml/windows.yaml", "windows: []\n", "ml/windows.yaml:1:1  Maintenance windows are those of all teams.  Move them into the windows.yaml above the teams' folders.")]
    public async Task FileOfATeamThatIsWrong_IsToldAtItsPlaceAlsoByItself(string name, string text, string told)
    {
        var file = Path.Combine([_runbooks.Path, .. name.Split('/')]);
        _runbooks.Write(text, file);

        foreach (var run in ((int Code, string Output, string Error)[])[await RunAsync("validate"), await ProgramRun.RunAsync("validate", Path.Combine(_runbooks.Path, "ml", "ml-stuck.yaml"), file)])
        {
            run.Code.ShouldBe(1, run.Output + run.Error);
            run.Output.ShouldContain(told);
        }
    }

    [Fact]
    public async Task FileOfATeamThatIsALinkOutside_IsAnErrorThatShowsNothingOfIt()
    {
        var secret = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(secret, "the host's own", TestContext.Current.CancellationToken);
        try
        {
            File.Delete(Path.Combine(_runbooks.Path, "ml", "contacts.yaml"));
            File.CreateSymbolicLink(Path.Combine(_runbooks.Path, "ml", "contacts.yaml"), secret);

            var (code, output, _) = await RunAsync("validate");

            code.ShouldBe(1);
            output.ShouldContain("A link that leads out of the folder of runbooks is not read.");
            output.ShouldNotContain("the host's own");
        }
        finally
        {
            File.Delete(secret);
        }
    }

    [Fact]
    public async Task DoubtfulFileOfATeam_FailsUnderStrict()
    {
        _runbooks.Write("name: ml\nowner: primary\nactions: [note, \"no\u00A0te\"]\n", Path.Combine("ml", "team.yaml"));

        var (code, output, _) = await RunAsync("validate", "--strict");

        code.ShouldBe(1, output);
        output.ShouldContain("warning: ");
        output.ShouldContain("ml/team.yaml:3:20  A no-break space");
    }

    [Fact]
    public async Task IdOfTwoTeams_IsToldWithBothFiles()
    {
        _runbooks.Write((await File.ReadAllTextAsync(Path.Combine(_runbooks.Path, "ml", "ml-stuck.yaml"), TestContext.Current.CancellationToken)).Replace("ml-stuck", "web-stuck", StringComparison.Ordinal), Path.Combine("ml", "ml-stuck.yaml"));

        var (code, output, _) = await RunAsync("validate");

        code.ShouldBe(1);
        output.ShouldMatch("ml/ml-stuck.yaml:1:5  id  'web-stuck' is also the id of .*web/web-stuck.yaml");
    }

    [Fact]
    public async Task New_WritesIntoTheFolderWithItsOwner()
    {
        (await ProgramRun.RunAsync("new", "fresh", "--runbooks", Path.Combine(_runbooks.Path, "ml"))).Code.ShouldBe(0);

        (await RunAsync("render", "fresh")).Output.ShouldContain("| owner | ml.primary |");
    }

    [Fact]
    public async Task Publish_TakesTheFoldersAndSaysWhatChanges()
    {
        var place = Directory.CreateTempSubdirectory("published-");
        try
        {
            (await PublishAsync()).Output.ShouldContain("added    ml/team.yaml\nadded    ml/contacts.yaml\nadded    web/team.yaml\nadded    web/contacts.yaml\n");
            AddTeam("ml", "gwen");

            (await PublishAsync("--dry-run")).Output.ShouldStartWith("changed  ml/contacts.yaml\n1 change.");

            _runbooks.Write("name: ml\n", Path.Combine("ml", "team.yaml"));
            var (code, output, error) = await PublishAsync();
            (code, error.Contains("Nothing was published.", StringComparison.Ordinal)).ShouldBe((1, true));
            output.ShouldContain("ml/team.yaml:1:1  owner  is missing.");
        }
        finally
        {
            place.Delete(recursive: true);
        }

        Task<(int Code, string Output, string Error)> PublishAsync(params string[] options) => ProgramRun.RunAsync(["publish", _runbooks.Path, "--to", place.FullName, "--no-tests", "--by", "ci", .. options]);
    }

    public void Dispose() => _runbooks.Dispose();

    private static async Task<string> OpenAsync(RunningHost host, string team)
    {
        var opened = await host.Client.AlertAsync("generic", $$"""{ "name": "Stuck-{{team}}", "labels": { "pod": "p" } }""");
        await host.SettleAsync();
        return opened["id"]!.ToString();
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => ProgramRun.RunAsync([.. arguments, "--runbooks", _runbooks.Path]);

    private void AddTeam(string team, string person)
    {
        Directory.CreateDirectory(Path.Combine(_runbooks.Path, team));
        _runbooks.Write($"name: {team}\nowner: primary\n", Path.Combine(team, "team.yaml"));
        _runbooks.Write($"people:\n  {person}: {{ reach: [{{ outbox: {person} }}] }}\ncontacts: {{ primary: {person} }}\n", Path.Combine(team, "contacts.yaml"));
        _runbooks.Write($$$"""
            id: {{{team}}}-stuck
            title: Stuck
            trigger: [{ alert: Stuck-{{{team}}} }]
            target: "{{ labels.pod }}"
            impact: { severity: low, users: Nobody notices., data: Data is safe. }
            summary: It does not move.
            mitigation:
              approval: { ask: "Do it?", from: [primary] }
              steps:
                tell: { do: note, with: { text: Hello. } }
            """, Path.Combine(team, $"{team}-stuck.yaml"));
    }
}
