using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Catalog.Problems;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Publishing;
using Runbooks.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Publishing;

/// <summary>What a host does about what was published.</summary>
public sealed partial class RuleSetRefreshTests : IDisposable
{
    private const string Windows = """
        windows:
          - { name: patching, start: 2026-11-27T02:00:00, duration: 2h }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("published-").FullName;
    private readonly InMemorySharedState _state = new();
    private readonly ListLogger _log = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PlainFiles_GiveWayToWhatIsPublished()
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "plain"));
        using var host = await HostAsync();
        host.Catalog.Find("one")!.Publication.ShouldBeNull();
        var publication = await PublishAsync(new("one.yaml", Runbook("one", "published")), new("windows.yaml", Windows));

        await host.LookAsync();

        (host.Catalog.Find("one")!.Title, host.Catalog.Find("one")!.Publication).ShouldBe(("published", publication));
        host.Window.ShouldBe("patching");
        host.Status.InForce.ShouldBe(publication);
    }

    [Fact]
    public async Task PlainFiles_AreSaidOnceWhileTheyStayAsTheyAre()
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "plain"));
        File.WriteAllText(Path.Combine(_folder, "two.yaml"), Runbook("two", "plain"));
        using var host = await HostAsync();
        File.WriteAllText(Path.Combine(_folder, "two.yaml"), "id: two");
        await host.LookAsync();
        var said = _log.Lines.Count;
        _log.Lines.ShouldContain(line => line.Contains("two.yaml:1:", StringComparison.Ordinal));

        await host.LookAsync();
        await host.LookAsync();
        _log.Lines.Count.ShouldBe(said);

        host.Trouble.ShouldNotBeEmpty();
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "published")));
        await host.LookAsync();
        host.Trouble.ShouldBeEmpty();
        File.Delete(Path.Combine(_folder, PublicationLog.Name));
        await host.LookAsync();
        host.Catalog.Find("one")!.Title.ShouldBe("plain");
    }

    /// <summary>It answers every alert with "ignored", and is healthy: nobody would see that the wrong folder was named.</summary>
    [Theory, InlineData(true), InlineData(false)]
    public async Task HostWithoutAnyRunbook_RunsAndSaysSoOutsidePractice(bool practice)
    {
        using var host = await HostAsync(contacts: practice ? null : new AnyContacts());
        var refresh = host.Get<RuleSetRefresh>();
        await refresh.StartAsync(Cancel);

        var said = $"No runbook is loaded from {_folder}";
        _log.Lines.Any(line => line == $"Warning: {said}: every alert is ignored.").ShouldBe(!practice);
        host.Trouble.Any(line => line.StartsWith(said, StringComparison.Ordinal)).ShouldBe(!practice);
        await host.LookAsync();
        host.Trouble.Any(line => line.StartsWith(said, StringComparison.Ordinal)).ShouldBe(!practice);

        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        await host.LookAsync();
        host.Catalog.Find("one").ShouldNotBeNull();
        host.Trouble.ShouldBeEmpty();
        await refresh.StopAsync(Cancel);
    }

    /// <summary>It holds nothing back, and the host starts: the runbook may be published later.</summary>
    [Fact]
    public async Task WindowThatNamesNoRunbook_IsWarnedOfOnce()
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "plain"));
        using var host = await HostAsync();
        host.Get<IOptionsMonitor<SafetyOptions>>().CurrentValue.Windows.Add(new() { Name = "patching", Runbooks = { "one", "o*", "onn" } });
        await host.LookAsync();
        await host.LookAsync();

        _log.Lines.Where(line => line.Contains("maintenance window", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldStartWith("Warning: The maintenance window 'patching' names 'onn', and no runbook that is in force has that id: for this name it holds nothing back. Did you mean 'one'?");
    }

    [Fact]
    public async Task SetWithOneError_IsRefusedAsAWholeAndSaid()
    {
        var good = await PublishAsync(new("one.yaml", Runbook("one", "first")), new("two.yaml", Runbook("two", "first")));
        using var host = await HostAsync();
        var broken = await PublishAsync(new("one.yaml", Runbook("one", "second")), new("two.yaml", "id: two"), new("windows.yaml", Windows));

        await host.LookAsync();

        host.Catalog.Current.Select(runbook => runbook.Title).ShouldBe(["first", "first"]);
        host.Window.ShouldBeNull();
        (host.Status.InForce, host.Status.Refused!.Publication).ShouldBe((good, broken));
        host.Status.Refused.Errors.ShouldContain(error => error.StartsWith("two.yaml:1:", StringComparison.Ordinal));
        host.Trouble[0].ShouldContain("grace");
        host.Get<FileVersions>().Known.Single(file => file.Value.Errors.Count > 0).Value.Mark.ShouldBe(broken.Name);

        var mended = await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "third")));
        await host.LookAsync();

        host.Catalog.Current.ShouldHaveSingleItem().Title.ShouldBe("third");
        host.Status.InForce.ShouldBe(mended);
        host.Status.Refused.ShouldBeNull();
        host.Get<FileVersions>().Known.ShouldNotContain(file => file.Key == "the published rule set");
    }

    [Fact]
    public async Task HostThatStartsWhileTheNewestIsBroken_BeginsWithTheLastGoodOne()
    {
        var good = await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        var broken = await PublishAsync(new("one.yaml", Runbook("one", "second")), new("windows.yaml", "windows: nonsense"));

        using var host = await HostAsync();

        host.Catalog.Find("one")!.Title.ShouldBe("first");
        (host.Status.InForce, host.Status.Refused!.Publication).ShouldBe((good, broken));
    }

    [Fact]
    public async Task SetThatIsCopiedFileByFile_IsTakenOnceItIsWhole()
    {
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        using var host = await HostAsync();
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "second")));
        var (there, away) = (new DirectoryInfo(Path.Combine(_folder, "published", "files")).EnumerateFiles().Single(file => File.ReadAllText(file.FullName).Contains("second", StringComparison.Ordinal)).FullName, Path.Combine(_folder, "late"));
        File.Move(there, away);

        await host.LookAsync();
        host.Catalog.Find("one")!.Title.ShouldBe("first");
        host.Status.Refused!.Errors.ShouldBe([$"published/files/{Path.GetFileName(there)} is missing."]);

        File.Move(away, there);
        await host.LookAsync();
        host.Catalog.Find("one")!.Title.ShouldBe("second");
        host.Status.Refused.ShouldBeNull();
    }

    [Fact]
    public async Task SetThatIsIncompleteAtTheStart_IsLookedAtAgainAndSaysWhatIsWrongNow()
    {
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        var newest = await PublishAsync(new("one.yaml", Runbook("one", "second")), new("two.yaml", "id: two"));
        var manifest = Path.Combine(_folder, "published", "sets", $"{newest.Set}.json");
        File.Move(manifest, $"{manifest}.late");
        using var host = await HostAsync();
        host.Status.Refused!.Errors.ShouldHaveSingleItem().ShouldEndWith("is missing.");

        File.Move($"{manifest}.late", manifest);
        await host.LookAsync();

        (host.Status.Refused!.Publication, host.Status.Refused.IsIncomplete).ShouldBe((newest, false));
        host.Status.Refused.Errors.ShouldContain(error => error.StartsWith("two.yaml:1:", StringComparison.Ordinal));
        host.Catalog.Find("one")!.Title.ShouldBe("first");
    }

    [Fact]
    public async Task HostThatCanUseNoPublicationAsAWhole_DoesNotSayThatOneIsInForce()
    {
        var broken = await PublishAsync(new("one.yaml", Runbook("one", "first")), new("two.yaml", "id: two"));

        using var host = await HostAsync();

        (host.Status.InForce, host.Status.Refused!.Publication).ShouldBe((null, broken));
        _log.Lines.ShouldContain($"Error: Refused as a whole: {broken.Name}, published by grace. In force is what of it has no errors.");
        await host.Get<RuleSetRefresh>().StartAsync(Cancel);
        host.Catalog.Current.ShouldHaveSingleItem().Publication.ShouldBe(broken);
        await host.LookAsync();
        host.Status.Refused.Publication.ShouldBe(broken);
    }

    [Fact]
    public async Task RecordThatIsPutBack_LeavesNothingRefused()
    {
        var good = await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        var record = Path.Combine(_folder, PublicationLog.Name);
        var before = File.ReadAllBytes(record);
        using var host = await HostAsync();
        await PublishAsync(new RunbookFile("one.yaml", "id: one"));
        await host.LookAsync();
        host.Status.Refused.ShouldNotBeNull();

        File.WriteAllBytes(record, before);
        await host.LookAsync();

        (host.Status.InForce, host.Status.Refused).ShouldBe((good, null));
        host.Trouble.ShouldBeEmpty();
    }

    [Fact]
    public async Task Incident_KeepsHowItsRunbookHadComeToBeInForce()
    {
        var publication = await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        using var host = await HostAsync();

        var incident = new AlertBatch("one", "x", AlertIntent.Fire, [Some.Alert()], [0]).Candidate(host.Catalog.Find("one")!, RunMode.Normal, _time.GetUtcNow());

        incident.Publication.ShouldBe(publication);
        incident.Publication!.Describe(_time.GetUtcNow().AddMinutes(12), "before").ShouldBe("contoso/runbooks at 1a2b3c4 by Ada, published by grace 12m before");
    }

    [Theory]
    [InlineData(null, null, null, "publication 7, published by grace 12m before")]
    [InlineData(null, "1a2b3c4", "Ada", "commit 1a2b3c4 by Ada, published by grace 12m before")]
    [InlineData(null, null, "Ada", "files by Ada, published by grace 12m before")]
    [InlineData("contoso/runbooks", null, "Ada", "contoso/runbooks by Ada, published by grace 12m before")]
    public void WhereRunbooksComeFrom_ReadsAsASentence(string? repository, string? commit, string? author, string words) =>
        new Publication(7, "", _time.GetUtcNow(), "grace") { Repository = repository, Commit = commit, Author = author }.Describe(_time.GetUtcNow().AddMinutes(12), "before").ShouldBe(words);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<Publication> PublishAsync(params RunbookFile[] files)
    {
        var publisher = new Publisher(new FolderPlace(_folder), _time);
        var origin = new Publication(0, "", default, "grace") { Repository = "contoso/runbooks", Commit = "1a2b3c4d5e6f70819203a4b5c6d7e8f901234567", Author = "Ada" };
        return (await publisher.PublishAsync(await publisher.LookAsync(Cancel), files, origin, Cancel)).Publication!;
    }

    private async Task<Host> HostAsync(IRuleSetPlace? place = null, RuleSetContacts? contacts = null)
    {
        var services = PublishedFolder.Services(_time, _state).AddSingleton<ILoggerFactory>(_log)
            .AddRuleSet(_ => place ?? new FolderPlace(_folder), _ => contacts ?? new NoContacts())
            .BuildServiceProvider();
        await services.GetRequiredService<RuleSetRefresh>().LoadAsync(Cancel);
        return new(services);
    }

    private static string Runbook(string id, string title) => $$$"""
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
        """;

    /// <summary>Not those of practice.</summary>
    private sealed class AnyContacts : RuleSetContacts
    {
        public override ContactFiles? InForce => null;

        public override void Take(RuleSet set)
        {
        }

        public override IReadOnlyList<CatalogError> Errors(RuleSet set) => [];
    }

    private sealed class Host(ServiceProvider services) : IDisposable
    {
        public RunbookCatalog Catalog => Get<RunbookCatalog>();

        public RuleSetStatus Status => Get<RuleSetStatus>();

        public string? Window => Get<MaintenanceWindows>().OpenFor("one", new DateTimeOffset(2026, 11, 27, 2, 30, 0, TimeSpan.Zero))?.Window.Name;

        public IReadOnlyList<string> Trouble => [.. Get<FileVersions>().Known.SelectMany(file => file.Value.Errors)];

        public T Get<T>() where T : notnull => services.GetRequiredService<T>();

        public Task LookAsync() => Get<RuleSetRefresh>().RefreshAsync(Cancel);

        public void Dispose() => services.Dispose();
    }
}
