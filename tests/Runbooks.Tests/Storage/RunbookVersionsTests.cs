using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Storage;
using TestKit.Storage;

namespace Runbooks.Tests.Storage;

public sealed class RunbookVersionsTests
{
    private readonly InMemorySharedState _state = new();

    [Fact]
    public async Task FileBrokenBeforeItsLastVersionWasKept_StaysAsItWasInForce()
    {
        var (catalog, versions, files) = Process();
        await versions.LoadAsync([File("one", "first")], Cancel);
        await files.SaveAsync(Cancel);
        await versions.LoadAsync([File("one", "second")], Cancel);

        var result = await versions.LoadAsync([Broken("one")], Cancel);

        result.Errors.ShouldNotBeEmpty();
        catalog.Find("one")!.Title.ShouldBe("second");
    }

    [Fact]
    public async Task FileThatWasChangedWhileAnotherIsBroken_IsTheSameInAProcessThatStartsLater()
    {
        var (_, versions, files) = Process();
        await versions.LoadAsync([File("one", "first"), File("two", "first")], Cancel);
        await files.SaveAsync(Cancel);
        await versions.LoadAsync([File("one", "second"), Broken("two")], Cancel);
        await files.SaveAsync(Cancel);

        var (late, starting, _) = Process();
        var result = await starting.LoadAsync([Broken("one"), Broken("two")], Cancel);

        result.Kept.ShouldBe(["one.yaml", "two.yaml"]);
        late.Find("one")!.Title.ShouldBe("second");
        late.Find("two")!.Title.ShouldBe("first");
    }

    /// <summary>Whichever file it read, also where a setting of the host is a part of the name.</summary>
    [Theory]
    [InlineData("samples/a.txt")]
    [InlineData("samples/{{ settings.cluster }}.txt")]
    public async Task TextFileThatABrokenRunbookNamed_GoesWithItsLastVersion(string name)
    {
        var named = File("one", "first") with { Samples = new Dictionary<string, string> { ["samples/a.txt"] = "x\ny", ["samples/b.txt"] = "z" } };
        named = named with { Text = named.Text.Replace("do: note, with: { text: Hello. }", $"do: sampled, with: {{ from: \"{name}\" }}", StringComparison.Ordinal) };
        var (_, versions, files) = Process();
        await versions.LoadAsync([named], Cancel);
        await files.SaveAsync(Cancel);

        var last = await files.FindLastAsync("runbooks/one.yaml", Cancel);
        var (late, starting, _) = Process();
        await starting.LoadAsync([Broken("one")], Cancel);

        last!.Text.ShouldContain("samples/a.txt\nx\ny");
        last.Text.ShouldNotContain("samples/b.txt");
        late.Find("one")!.Samples["samples/a.txt"].ShouldBe("x\ny");
    }

    [Theory]
    [InlineData("name: ml\n", "contacts: { lead: ada }")]
    [InlineData("name: ml\nowner: lead\n", "contacts: [")]
    public async Task RunbookWhoseTeamsFilesAreBroken_IsAsItWasInAProcessThatStartsLater(string team, string contacts)
    {
        var (_, versions, files) = Process();
        await versions.LoadAsync([OfTeam("name: ml\nowner: lead\n", "contacts: { lead: ada }"), File("one", "another, of nobody")], Cancel);
        await files.SaveAsync(Cancel);

        var (late, starting, _) = Process();
        await starting.LoadAsync([OfTeam(team, contacts), File("one", "another, of nobody")], Cancel);

        (late.Find("ours")!.Owner, late.Find("one")!.Title).ShouldBe(("ml.lead", "another, of nobody"));
    }

    /// <summary>A comment may hold any character.</summary>
    [Fact]
    public async Task RunbookThatHoldsTheSeparatorOfKeptFiles_IsKeptAsItIs()
    {
        var hostile = OfTeam("name: ml\nowner: lead\n", "contacts: { lead: ada }");
        hostile = hostile with { Text = hostile.Text + "\n# x\u001Eteam.yaml\n# y\n" };
        var (_, versions, files) = Process();
        (await versions.LoadAsync([hostile, File("one", "another")], Cancel)).Errors.ShouldBeEmpty();
        await files.SaveAsync(Cancel);

        var (late, starting, _) = Process();
        await starting.LoadAsync([OfTeam("name: ml\n", "contacts: { lead: ada }"), File("one", "another")], Cancel);

        (late.Find("ours")!.Owner, late.Find("one")!.Title).ShouldBe(("ml.lead", "another"));
    }

    [Fact]
    public async Task NewFileWithTheIdOfAnother_TakesItAwayInNoProcessThatStartsLater()
    {
        var (_, versions, files) = Process();
        await versions.LoadAsync([File("one", "first"), File("two", "first")], Cancel);
        await files.SaveAsync(Cancel);

        var (late, starting, _) = Process();
        var result = await starting.LoadAsync([File("one", "first"), File("one", "intruder") with { Name = "new.yaml" }, File("two", "second")], Cancel);

        result.Errors.Select(error => error.File).ShouldBe(["one.yaml", "new.yaml"]);
        (late.Find("one")!.Title, late.Find("two")!.Title).ShouldBe(("first", "second"));
    }

    [Fact]
    public async Task FileThatIsRenamedAndBroken_StaysInForceThoughAnotherOneIsBrokenToo()
    {
        var (catalog, versions, _) = Process();
        await versions.LoadAsync([File("one", "first"), File("two", "first")], Cancel);

        await versions.LoadAsync([Broken("one") with { Name = "new.yaml" }, Broken("two")], Cancel);

        (catalog.Find("one")?.Title, catalog.Find("two")?.Title).ShouldBe(("first", "first"));
    }

    private static RunbookFile OfTeam(string team, string contacts) => File("ours", "ours") with { Name = "ml/one.yaml", Team = new("ml", new("ml/team.yaml", team), new("ml/contacts.yaml", contacts)) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private (RunbookCatalog, RunbookVersions, FileVersions) Process()
    {
        var catalog = new ServiceCollection().AddSingleton(new HostSettings(new Dictionary<string, string> { ["cluster"] = "a" })).AddSingleton<IAction, Sampled>().AddRunbookCatalog()
            .BuildServiceProvider().GetRequiredService<RunbookCatalog>();
        var files = new FileVersions(_state);
        return (catalog, new RunbookVersions(catalog, files), files);
    }

    private static RunbookFile Broken(string id) => new($"{id}.yaml", $"id: {id}\ntrigger: nonsense\n");

    private static RunbookFile File(string id, string title) => new($"{id}.yaml", $$$"""
        id: {{{id}}}
        title: {{{title}}}
        trigger: [{ alert: {{{id}}} }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        diagnosis:
          broken: { ask: "Is it broken?", check: always, with: { finding: failing } }
        mitigation:
          approval: { ask: "Do it?", from: [oncall] }
          steps:
            tell: { do: note, with: { text: Hello. } }
        """);

    private sealed record Sample([property: SampleFile] string From);

    private sealed class Sampled() : RunbookAction<Sample>("sampled", "Reads a file beside the runbook.")
    {
        protected override Task<Preparation> PrepareAsync(Sample parameters, StepContext context, CancellationToken cancellationToken) => throw new NotSupportedException();

        protected override Task<ActionResult> ApplyAsync(Sample parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
