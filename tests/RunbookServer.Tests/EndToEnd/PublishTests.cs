using System.Diagnostics;
using System.Text.Json.Nodes;
using RunbookServer.Commands;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook publish</c>, to a folder; a container is the same behind one seam, tested with Azure Storage.</summary>
public sealed class PublishTests : IDisposable
{
    private static readonly string[] s_origin = ["--no-tests", "--repository", "contoso/runbooks", "--commit", "1a2b3c4d5e6f70819203a4b5c6d7e8f901234567", "--author", "Ada", "--by", "ci"];

    private readonly RunbookCopy _runbooks = new(text => text);
    private readonly string _place = Directory.CreateTempSubdirectory("published-").FullName;

    [Fact]
    public async Task DryRun_SaysWhatWouldChangeAndPublishesNothing()
    {
        var (code, output, error) = await RunAsync("--dry-run");

        code.ShouldBe(0, error);
        output.ShouldContain("added    hanged-gpu  ");
        output.ShouldContain("1 change, from contoso/runbooks at 1a2b3c4 by Ada. Nothing was published.");
        Directory.EnumerateFileSystemEntries(_place).ShouldBeEmpty();
    }

    [Fact]
    public async Task ChangedSet_IsPublishedListedAndGoneBackFrom()
    {
        (await RunAsync()).Output.ShouldContain($"Published at {_place}: publication 1 (");
        (await RunAsync()).Output.ShouldContain("The same files are in force already, as publication 1.");
        _runbooks.Write(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Hung card", StringComparison.Ordinal));
        _runbooks.Write("people: { ada: { reach: [{ outbox: ada }] } }\ncontacts: { fallback: ada, oncall: ada, platform-lead: ada }\n", "contacts.yaml");
        var (_, changed, _) = await RunAsync();
        changed.ShouldContain("changed  hanged-gpu  ");
        changed.ShouldContain("added    contacts.yaml");

        (await RunAsync("--roll-back")).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(2), run => run.Error.ShouldContain("--reason"));
        var (code, _, error) = await RunAsync("--roll-back", "--reason", "asks the wrong people");
        code.ShouldBe(0, error);
        var list = JsonNode.Parse((await RunAsync("--list", "--json")).Output)!.AsArray();
        list.Select(publication => (int)publication!["number"]!).ShouldBe([3, 2, 1]);
        ((int)list[0]!["rollsBackTo"]!, (string?)list[0]!["reason"], (string?)list[0]!["set"]).ShouldBe((1, "asks the wrong people", (string?)list[2]!["set"]));
        (await RunAsync("--list")).Output.ShouldContain("by Ada, published by ci, going back to 1: asks the wrong people  <- in force");
    }

    [Fact]
    public async Task SetWithoutContacts_KeepsThoseThatAreInForce()
    {
        var contacts = Path.Combine(_place, "people.yaml");
        await File.WriteAllTextAsync(contacts, "people: { ada: { reach: [{ outbox: ada }] } }\ncontacts: { fallback: ada, oncall: ada, platform-lead: ada }\n", TestContext.Current.CancellationToken);
        (await RunAsync("--contacts", contacts)).Code.ShouldBe(0);
        _runbooks.Write(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Hung card", StringComparison.Ordinal));

        var (_, output, error) = await RunAsync();

        error.ShouldContain("the contacts that are in force stay");
        output.ShouldNotContain("contacts.yaml");
        (await RunAsync("--dry-run")).Output.ShouldContain("No rule would change. Nothing was published.");
        _runbooks.Write("BEGIN:VCALENDAR", "rota.ics");
        (await RunAsync("--dry-run")).Output.ShouldContain("added    rota.ics");
    }

    /// <summary>Its own remedy is to publish again, which must not drop the contacts.</summary>
    [Fact]
    public async Task DamagedRecord_IsNotTakenForNothing()
    {
        var contacts = Path.Combine(_place, "people.yaml");
        await File.WriteAllTextAsync(contacts, "people: { ada: { reach: [{ outbox: ada }] } }\ncontacts: { fallback: ada, oncall: ada, platform-lead: ada }\n", TestContext.Current.CancellationToken);
        (await RunAsync("--contacts", contacts)).Code.ShouldBe(0);
        await File.WriteAllTextAsync(Path.Combine(_place, "published", "current.json"), "{", TestContext.Current.CancellationToken);

        foreach (var arguments in (string[][])[["--list"], ["--list", "--json"], ["--roll-back", "--reason", "x"]])
        {
            var (refused, output, why) = await RunAsync(arguments);
            (refused, output).ShouldBe((2, ""));
            why.ShouldContain("published/current.json is damaged. Publish the runbooks again");
        }

        (await RunAsync()).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(2), run => run.Error.ShouldContain("would be lost. Name it with --contacts."));
        var (code, published, error) = await RunAsync("--contacts", contacts);
        code.ShouldBe(0, error);
        error.ShouldContain("so everything counts as added: published/current.json is damaged.");
        published.ShouldContain("added    contacts.yaml");
    }

    [Fact]
    public async Task SetOfWhichAFileIsMissing_KeepsItsContactsFromBeingDropped()
    {
        (await RunAsync()).Error.ShouldContain("messages reach nobody, unless hosts have contacts of their own beside their settings");
        Directory.Delete(Path.Combine(_place, "published", "files"), recursive: true);

        (await RunAsync()).ShouldSatisfyAllConditions(run => run.Code.ShouldBe(2), run => run.Error.ShouldContain("would be lost. Name it with --contacts."));
    }

    [Fact]
    public async Task FirstPublication_SaysThatPlainFilesAreNoLongerRead()
    {
        _runbooks.Write(RunbookCopy.Shipped, Path.Combine(_place, "hanged-gpu.yaml"));

        (await RunAsync("--dry-run")).Output.ShouldContain("No rule would change, but the plain files there would no longer be read. Nothing was published.");
    }

    /// <summary>As <c>serve</c> takes it.</summary>
    [Fact]
    public async Task SettingsOfTheHost_AreReadFromItsSettingsFile()
    {
        _runbooks.Write(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Hung GPU of {{ settings.cluster }}", StringComparison.Ordinal));
        var settings = Path.Combine(_place, "settings.json");
        await File.WriteAllTextAsync(settings, """{ "Runbooks": { "Settings": { "cluster": "b" } } }""", TestContext.Current.CancellationToken);

        (await RunAsync("--dry-run")).Code.ShouldBe(1);
        var (code, _, error) = await RunAsync("--dry-run", "--config", settings);

        code.ShouldBe(0, error);
    }

    [Fact]
    public async Task RunbookThatIsGone_IsToldWithWhatThatMeans()
    {
        await RunAsync();
        _runbooks.Write(RunbookCopy.Shipped.Replace("id: hanged-gpu", "id: other", StringComparison.Ordinal).Replace("    alert: ", "    alert: Another", StringComparison.Ordinal));

        (await RunAsync("--dry-run")).Output.ShouldContain("removed  hanged-gpu  (alerts that still name it open no incident, and page the contact fallback: change their rules first)");
    }

    /// <summary>Its noes, limits and breaker go by its id.</summary>
    [Fact]
    public async Task RunbookThatIsRenamed_IsToldWithWhatThatForgets()
    {
        await RunAsync();
        _runbooks.Write(RunbookCopy.Shipped.Replace("id: hanged-gpu", "id: hung-gpu", StringComparison.Ordinal));

        (await RunAsync("--dry-run")).Output.ShouldContain(
            "change their rules first; hung-gpu takes its alerts and knows nothing of its past: a no is asked again, limits and the breaker begin anew, and an incident of hanged-gpu that is open gets a second one beside it: see to those first)");
    }

    [Fact]
    public async Task BrokenSet_IsNotPublished()
    {
        _runbooks.Write(RunbookCopy.Shipped.Replace("summary:", "sumary:", StringComparison.Ordinal));

        var (code, output, error) = await RunAsync();

        code.ShouldBe(1);
        output.ShouldContain("Did you mean 'summary'?");
        error.ShouldContain("Nothing was published.");
        Directory.EnumerateFileSystemEntries(_place).ShouldBeEmpty();
    }

    [Fact]
    public async Task AsJson_ItIsJsonWithNothingThereAndWhenItIsRefused()
    {
        JsonNode.Parse((await RunAsync("--list", "--json")).Output)!.AsArray().ShouldBeEmpty();
        _runbooks.Write(RunbookCopy.Shipped.Replace("summary:", "sumary:", StringComparison.Ordinal));

        var (code, output, error) = await RunAsync("--json");

        code.ShouldBe(1);
        var refused = JsonNode.Parse(output)!;
        ((string?)refused["command"], (bool)refused["passed"]!).ShouldBe(("validate", false));
        error.ShouldContain("Nothing was published.");
    }

    /// <summary>Whoever goes back with --list beside it would believe that it was done.</summary>
    [Theory]
    [InlineData("--roll-back does nothing beside --list. Leave one of them out.", "--roll-back", "--reason", "x", "--list")]
    [InlineData("--strict does nothing beside --roll-back. Leave one of them out.", "--roll-back", "--reason", "x", "--strict")]
    public async Task OptionThatWouldDoNothing_IsRefused(string words, params string[] arguments)
    {
        var (code, output, error) = await ProgramRun.RunAsync(["publish", "--to", _place, .. arguments]);

        (code, output).ShouldBe((2, ""));
        error.ShouldContain(words);
    }

    [Fact]
    public async Task FolderWithoutRunbooks_IsRefusedWithTheRemedy()
    {
        File.Delete(Path.Combine(_runbooks.Path, RunbookCopy.Name));

        (await RunAsync()).Error.ShouldContain($"There is no runbook in {_runbooks.Path}. Name the folder to publish: runbook publish DIR --to PLACE");
    }

    [Fact]
    public async Task SetWhoseTestsFail_IsNotPublished()
    {
        var test = Path.Combine(_runbooks.Path, "tests", "hanged-gpu", "wrong");
        Directory.CreateDirectory(test);
        await File.WriteAllTextAsync(Path.Combine(test, "test.yaml"), """
            source: generic
            alert: { name: HighLatency_Cluster_B, labels: { namespace: inference, pod: llm-b-0, cluster: b } }
            expect: { state: failed }
            """, TestContext.Current.CancellationToken);

        var (code, output, error) = await ProgramRun.RunAsync("publish", _runbooks.Path, "--to", _place);

        code.ShouldBe(1, output + error);
        output.ShouldContain("FAILED  hanged-gpu/wrong");
        var json = JsonNode.Parse((await ProgramRun.RunAsync("publish", _runbooks.Path, "--to", _place, "--json")).Output)!;
        ((string?)json["command"], (bool)json["passed"]!).ShouldBe(("test", false));
        Directory.EnumerateFileSystemEntries(_place).ShouldBeEmpty();
    }

    [Fact]
    public async Task CommitAndAuthor_AreThoseOfGit()
    {
        foreach (var arguments in (string[][])[["init", "-q"], ["remote", "add", "origin", "https://user:secret@example.com/contoso/runbooks.git"], ["add", "."], ["-c", "user.name=Ada Lovelace", "-c", "user.email=a@example.com", "commit", "-qm", "first"]])
        {
            using var git = Process.Start("git", ["-C", _runbooks.Path, .. arguments]);
            await git.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var (_, clean, error) = await ProgramRun.RunAsync("publish", _runbooks.Path, "--to", _place, "--no-tests", "--by", "ci");
        _runbooks.Write(RunbookCopy.Shipped + "# changed\n");
        var (_, dirty, _) = await ProgramRun.RunAsync("publish", _runbooks.Path, "--to", _place, "--no-tests", "--by", "ci");

        clean.ShouldMatch(@"publication 1 \([0-9a-f]{12}, contoso/runbooks at [0-9a-f]{7} by Ada Lovelace\)", error);
        dirty.ShouldMatch(@"contoso/runbooks at [0-9a-f]{7} with changes that are not committed by Ada Lovelace");

        await File.WriteAllTextAsync(Path.Combine(_runbooks.Path, ".git", "index"), "damaged", TestContext.Current.CancellationToken);
        _runbooks.Write(RunbookCopy.Shipped);
        var (_, unknown, _) = await ProgramRun.RunAsync("publish", _runbooks.Path, "--to", _place, "--no-tests", "--by", "ci", "--dry-run", "--repository", "a/b");
        unknown.ShouldMatch(@"from a/b at [0-9a-f]{7} \(changes unknown\) by Ada Lovelace");
    }

    [Theory]
    [InlineData("https://dev.azure.com/contoso/ops/_git/runbooks", "ops/runbooks")]
    [InlineData("https://contoso@dev.azure.com/contoso/ops/_git/runbooks", "ops/runbooks")]
    [InlineData("git@ssh.dev.azure.com:v3/contoso/ops/runbooks", "ops/runbooks")]
    [InlineData("git@github.com:contoso/runbooks.git", "contoso/runbooks")]
    [InlineData("https://user:secret@example.com/contoso/runbooks.git/", "contoso/runbooks")]
    [InlineData("https://example.com/runbooks.git", null)]
    [InlineData("ssh://git@example.com:2222/runbooks.git", null)]
    [InlineData("ssh://git@example.com:2222/contoso/runbooks.git", "contoso/runbooks")]
    public void Repository_IsCalledByOwnerAndName(string remote, string? name) => PublicationOrigin.NameOf(remote).ShouldBe(name);

    [Fact]
    public async Task RunningHost_TakesWhatIsPublishedAndSaysSo()
    {
        await RunAsync();
        await using var host = await RunningHost.StartAsync(_place);
        _runbooks.Write(RunbookCopy.Shipped.Replace("title: Hung GPU", "title: Hung card", StringComparison.Ordinal));
        await RunAsync();
        await host.ReloadRunbooksAsync();

        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.SettleAsync();

        var incident = await host.Client.GetAsync($"api/incidents/{id}");
        ((string?)incident["title"], (int?)incident["publication"]?["number"], (string?)incident["publication"]?["author"]).ShouldBe(("Hung card", 2, "Ada"));
        ((int?)(await host.Client.GetAsync("healthz"))["ruleSet"]?["publication"]).ShouldBe(2);
        (await TextAsync("runbooks")).ShouldContain("from contoso/runbooks at 1a2b3c4 by Ada, published");
        (await TextAsync($"incidents/{id}")).ShouldContain("Runbook from contoso/runbooks at 1a2b3c4 by Ada, published");
        (await TextAsync($"api/incidents/{id}/report")).ShouldContain("from contoso/runbooks at 1a2b3c4 by Ada");

        Task<string> TextAsync(string path) => host.Client.Http.GetStringAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        _runbooks.Dispose();
        Directory.Delete(_place, recursive: true);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        ProgramRun.RunAsync(["publish", _runbooks.Path, "--to", _place, .. s_origin, .. arguments]);
}
