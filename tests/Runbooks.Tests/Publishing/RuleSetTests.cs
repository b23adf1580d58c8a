using Runbooks.Catalog;
using Runbooks.Publishing;

namespace Runbooks.Tests.Publishing;

/// <summary>Which files make a rule set, and whose each is.</summary>
public sealed class RuleSetTests : IDisposable
{
    private static readonly string[] s_layout =
    [
        "a.yaml", "contacts.yaml", "rota.ics", "samples/x.txt", "windows.yaml",
        "ml/b.yaml", "ml/contacts.yaml", "ml/flat.txt", "ml/rota.ics", "ml/samples/x.txt", "ml/team.yaml",
    ];

    private static readonly string[] s_others = ["tests/a/one/test.yaml", "ml/tests/b/one/test.yaml", "ml/deeper/team.yaml", "drafts/c.txt", "drafts/rota.ics", "ml/readme.md"];

    private readonly string _folder = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task FoldersOfTeams_BelongToTheSetWithWhatLiesInThem()
    {
        foreach (var name in (string[])[.. s_layout, .. s_others, "drafts/c.yaml", "published/d.yaml"])
        {
            Write(name, $"text of {name}");
        }

        var files = await new FolderPlace(_folder).ReadPlainAsync(TestContext.Current.CancellationToken);

        files.Select(file => file.Name).ShouldBe(s_layout, ignoreOrder: true);
        var set = RuleSet.Of(files);
        set.Runbooks.Select(file => (file.Name, file.Team?.Folder)).ShouldBe([("a.yaml", null), ("ml/b.yaml", "ml")]);
        set.Runbooks[0].Samples.ShouldBe([new("samples/x.txt", "text of samples/x.txt")]);
        set.Runbooks[1].Samples.ShouldBe([new("flat.txt", "text of ml/flat.txt"), new("samples/x.txt", "text of ml/samples/x.txt")], ignoreOrder: true);
        var team = set.Teams.ShouldHaveSingleItem();
        (team.File.Text, team.Contacts!.Text).ShouldBe(("text of ml/team.yaml", "text of ml/contacts.yaml"));
        set.Contacts!.Text.ShouldBe("text of contacts.yaml");
        set.Calendars.Keys.ShouldBe(["ml/rota.ics", "rota.ics"], ignoreOrder: true);
    }

    /// <summary>A container lists what lies deeper too. A folder whose team.yaml is not there yet, or no more, is nobody's: what lies there must not be in force without the limits of its team.</summary>
    [Fact]
    public void Container_HasTheSameFilesInItsSet() => RuleSet.Among([.. s_layout, .. s_others, "drafts/c.yaml", "drafts/contacts.yaml"]).ShouldBe(s_layout);

    [Theory]
    [InlineData("../team.yaml")]
    [InlineData("./team.yaml")]
    [InlineData("ML/team.yaml")]
    [InlineData("mⅼ/team.yaml")]
    [InlineData("ml /team.yaml")]
    [InlineData("ml\\..\\web/team.yaml")]
    [InlineData("published/team.yaml")]
    public void FolderWithAHostileName_IsAnErrorAndItsContactsAreNobodys(string name)
    {
        var folder = name[..name.IndexOf('/', StringComparison.Ordinal)];
        var set = RuleSet.Of([new(name, $"name: {folder}\nowner: lead"), new($"{folder}/contacts.yaml", "contacts: {}"), new($"{folder}/x.yaml", "id: x")]);

        var team = set.Teams.ShouldHaveSingleItem();
        TeamFile.Read(team).Team.ShouldBeNull();
        TeamFile.IsName(team.Folder).ShouldBeFalse();
        set.Runbooks.ShouldHaveSingleItem().Team.ShouldBe(team);
    }

    [Fact]
    public async Task FolderThatALinkBringsInFromElsewhere_IsNotRead()
    {
        var elsewhere = Directory.CreateTempSubdirectory("elsewhere-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(elsewhere.FullName, "team.yaml"), "name: ml\nowner: x", TestContext.Current.CancellationToken);
            Write("web/team.yaml", "name: web\nowner: x");
            Directory.CreateSymbolicLink(Path.Combine(_folder, "ml"), elsewhere.FullName);
            Directory.CreateSymbolicLink(Path.Combine(_folder, "gone"), Path.Combine(_folder, "nowhere"));
            Directory.CreateSymbolicLink(Path.Combine(_folder, "alias"), Path.Combine(_folder, "web"));

            var set = RuleSet.Of(await new FolderPlace(_folder).ReadPlainAsync(TestContext.Current.CancellationToken));

            set.Teams.Select(team => team.Folder).ShouldBe(["alias", "web"]);
            TeamFile.Read(set.Teams[0]).Errors.ShouldHaveSingleItem().ToString().ShouldContain("is 'web', and the folder is called 'alias'.");
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task FileOfATeamThatIsALinkOutside_IsAnErrorAndNotRead()
    {
        const string Link = "# A link that leads out of the folder of runbooks is not read.";
        var elsewhere = Directory.CreateTempSubdirectory("elsewhere-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(elsewhere.FullName, "secret"), "the host's own", TestContext.Current.CancellationToken);
            Write("ml/team.yaml", "name: ml\nowner: x");
            Write("ml/..data/b.yaml", "as Kubernetes mounts a config map");
            Directory.CreateSymbolicLink(Path.Combine(_folder, "ml", "away"), elsewhere.FullName);
            foreach (var (name, target) in ((string, string)[])[("a.yaml", "away/secret"), ("contacts.yaml", Path.Combine(elsewhere.FullName, "secret")), ("duty.ics", "../../secret"), ("b.yaml", "..data/b.yaml")])
            {
                File.CreateSymbolicLink(Path.Combine(_folder, "ml", name), target);
            }

            var set = RuleSet.Of(await new FolderPlace(_folder).ReadPlainAsync(TestContext.Current.CancellationToken));

            set.Runbooks.Select(file => file.Text).ShouldBe([Link, "as Kubernetes mounts a config map"]);
            set.Calendars.Values.ShouldBe([Link]);
            TeamFile.Read(set.Teams.Single()).Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("ml/contacts.yaml:1:1  The file is empty");
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, name))!);
        File.WriteAllText(Path.Combine(_folder, name), text);
    }
}
