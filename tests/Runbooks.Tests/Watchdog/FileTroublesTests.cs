using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Incidents;

namespace Runbooks.Tests.Watchdog;

public sealed class FileTroublesTests : IAsyncDisposable
{
    private readonly IncidentWorld _world = new(configure: services => services.AddWatchdog());

    private FileVersions Files => _world.Get<FileVersions>();

    [Fact]
    public async Task FileThatCannotBeUsed_IsPagedOnceUntilItIsWrongInAnotherWay()
    {
        Files.Use("windows.yaml", "windows: []");
        await CheckAsync();
        _world.Notifier.Sent.ShouldBeEmpty();

        Files.Refuse("windows.yaml", ["windows.yaml:6:15  windows[0].duration  is '2 hours'."]);
        await CheckAsync();
        await CheckAsync();
        var card = _world.Notifier.Sent.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("A file cannot be used: windows.yaml");
        card.Sections[0].Lines[0].ShouldContain("windows.yaml:6:15");

        Files.Refuse("windows.yaml", ["windows.yaml:7:15  windows[0].repeat  is 'weekly'."]);
        await CheckAsync();
        Files.Use("windows.yaml", "windows: [] # mended");
        await CheckAsync();
        Files.Refuse("windows.yaml", ["windows.yaml:7:15  windows[0].repeat  is 'weekly'."]);
        await CheckAsync();

        _world.Notifier.Sent.Count.ShouldBe(3);
        (await Files.FindLastAsync("windows.yaml", TestContext.Current.CancellationToken))!.Text.ShouldBe("windows: [] # mended");
    }

    /// <summary>A host that starts with a broken runbook of which no earlier version is known goes on without it.</summary>
    [Theory]
    [InlineData("runbooks", "What was in force before stays in force until it is mended. A runbook that never was is not: alerts for it are ignored.\na.yaml:1:1  here")]
    [InlineData("contacts.yaml", "What was in force before stays in force until it is mended.\na.yaml:1:1  here")]
    public async Task PageAboutAFile_SaysWhatIsInForce(string name, string words)
    {
        Files.Refuse(name, ["a.yaml:1:1  here"]);

        await CheckAsync();

        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldBe(words);
    }

    /// <summary>What told of it says so where it can, and an alert about it ends: the next one calls somebody again.</summary>
    [Fact]
    public async Task FileThatIsMended_EndsWhatToldOfIt()
    {
        Files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await CheckAsync();
        Files.Refuse("windows.yaml", ["windows.yaml:7:15  there"]);
        await CheckAsync();
        _world.Notifier.Changed.ShouldBeEmpty();

        Files.Use("windows.yaml", "windows: []");
        await CheckAsync();
        await CheckAsync();

        _world.Notifier.Changed.Select(changed => changed.Key).ShouldBe(_world.Notifier.Sent.Select(sent => sent.Card.Key), ignoreOrder: true);
        _world.Notifier.Changed.ShouldAllBe(changed => changed.Card.Kind == CardKind.Closed && changed.Card.Title == "A file can be used again: windows.yaml");
    }

    [Fact]
    public async Task PublicationThatSomeHostsRefuse_IsPagedOnce()
    {
        const string Whole = "the published rule set";
        var (first, second, third) = (Process("one"), Process("two"), Process("three"));
        third.Files.Refuse(Whole, ["published/files/1a is missing."], "publication 7");
        first.Files.Refuse(Whole, ["a.yaml:1:1  here"], "publication 7");
        second.Files.Refuse(Whole, ["b.yaml:2:2  there"], "publication 7");
        await PassAsync(5, third, first, second);
        third.Files.Forget(Whole);
        await PassAsync(5, third, first, second);

        _world.Notifier.Sent.ShouldHaveSingleItem();
        _world.Notifier.Changed.ShouldBeEmpty();

        first.Files.Refuse(Whole, ["a.yaml:1:1  here"], "publication 8");
        await PassAsync(2, third, first, second);
        _world.Notifier.Sent.Count.ShouldBe(2);

        first.Files.Forget(Whole);
        second.Files.Forget(Whole);
        await PassAsync(2, third, first, second);
        _world.Notifier.Sent.Count.ShouldBe(2);
        _world.Notifier.Changed.Count.ShouldBe(2);
    }

    /// <summary>Each process reads its files for itself. Whichever has the watch tells of the trouble of another one, once, and ends it when that one is well.</summary>
    [Fact]
    public async Task TroubleOfAProcessWithoutTheWatch_IsToldAndEndsWithIt()
    {
        var (well, ill) = (Process("well"), Process("ill"));
        well.Files.Use("the rule set", "publication 7");
        ill.Files.Refuse("the rule set", ["The runbooks cannot be read."], "HttpRequestException");
        await PassAsync(3, well, ill);
        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldBe("What was in force before stays in force until it is mended. Processes that cannot use it so far: ill.\nThe runbooks cannot be read.");

        // The watch goes to the other one and back.
        await PassAsync(3, ill, well);
        await PassAsync(3, well, ill);
        _world.Notifier.Sent.ShouldHaveSingleItem();
        _world.Notifier.Changed.ShouldBeEmpty();

        ill.Files.Use("the rule set", "publication 7");
        await PassAsync(3, well, ill);
        _world.Notifier.Sent.ShouldHaveSingleItem();
        _world.Notifier.Changed.ShouldHaveSingleItem().Card.Title.ShouldBe("A file can be used again: the rule set");
    }

    [Fact]
    public async Task TroubleOfAProcessThatIsGone_EndsTenMinutesLater()
    {
        var (well, gone) = (Process("well"), Process("gone"));
        gone.Files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await PassAsync(2, well, gone);

        await PassAsync(8, well);
        _world.Notifier.Changed.ShouldBeEmpty();
        await PassAsync(2, well);
        _world.Notifier.Changed.ShouldHaveSingleItem();
        _world.Notifier.Sent.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ProcessesWithDifferentTroubles_TellEachOnce()
    {
        var (one, other) = (Process("one"), Process("other"));
        one.Files.Refuse("runbooks", ["a.yaml:1:1  here"]);
        other.Files.Refuse("runbooks", ["b.yaml:2:2  there"]);

        await PassAsync(5, one, other);

        _world.Notifier.Sent.Select(sent => sent.Card.Sections[0].Lines[0].Split('\n')[^1]).ShouldBe(["a.yaml:1:1  here", "b.yaml:2:2  there"], ignoreOrder: true);
    }

    [Fact]
    public async Task ProcessThatReportsForItself_DoesSoEachMinute()
    {
        var ill = Process("ill");
        ill.Files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        using var loop = new FileReportLoop(ill.Reports, _world.Time, NullLogger<FileReportLoop>.Instance);
        await loop.StartAsync(TestContext.Current.CancellationToken);

        await Patience.UntilAsync(
            async () =>
            {
                _world.Time.Advance(TimeSpan.FromMinutes(1));
                return await _world.State.FindAsync<FileRecord>(FileRecord.Key, TestContext.Current.CancellationToken) is { Reports.Count: 1 };
            },
            () => "It reports nothing.");

        await loop.StopAsync(TestContext.Current.CancellationToken);
        (await _world.State.FindAsync<FileRecord>(FileRecord.Key, TestContext.Current.CancellationToken)).ShouldNotBeNull().Reports.ShouldBeEmpty("what has stopped has no trouble");
    }

    /// <summary>The program was replaced by this version while a file was wrong.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PageOfAnEarlierVersion_EndsWithTheFileAndIsNotSentAgain(bool isMended)
    {
        Files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await CheckAsync();
        var told = (await _world.State.FindAsync<FileRecord>(FileRecord.Key, TestContext.Current.CancellationToken))!.Told["windows.yaml"];
        await _world.State.RemoveAsync<FileRecord>(FileRecord.Key, _ => true, TestContext.Current.CancellationToken);
        await _world.State.ChangeAsync<ToldBefore>(
            ToldBefore.Key,
            _ => new(new Dictionary<string, string> { ["windows.yaml"] = told.Marks[0], ["contacts.yaml"] = "" }, new Dictionary<string, IReadOnlyList<Delivery>> { ["windows.yaml"] = told.Pages, ["contacts.yaml"] = [] }),
            TestContext.Current.CancellationToken);
        if (isMended)
        {
            Files.Use("windows.yaml", "windows: []");
        }

        await CheckAsync();
        await CheckAsync();

        _world.Notifier.Sent.ShouldHaveSingleItem();
        _world.Notifier.Changed.Select(changed => changed.Card.Title).ShouldBe(isMended ? ["A file can be used again: windows.yaml"] : []);
        (await _world.State.FindAsync<ToldBefore>(ToldBefore.Key, TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    /// <summary>Its own watch may come to it once more: what it has withdrawn is not mended for that.</summary>
    [Fact]
    public async Task ProcessThatStops_SaysNothingAboutItsFileAnyMore()
    {
        var (stops, next) = (Process("stops"), Process("next"));
        stops.Files.Refuse("windows.yaml", ["windows.yaml:6:15  here"]);
        await PassAsync(2, stops);

        await stops.Reports.WithdrawAsync(TestContext.Current.CancellationToken);
        await PassAsync(2, stops);
        _world.Notifier.Changed.ShouldBeEmpty();

        await PassAsync(1, next);
        _world.Notifier.Changed.ShouldHaveSingleItem().Card.Title.ShouldBe("A file can be used again: windows.yaml");
        _world.Notifier.Sent.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task PageThatReachesNobody_IsTriedAgain()
    {
        Files.Refuse("contacts.yaml", ["contacts.yaml is gone. Put it back."]);
        _world.Notifier.Failure = _ => new InvalidOperationException("no");
        await CheckAsync();
        _world.Notifier.Failure = _ => null;

        await CheckAsync();

        _world.Notifier.Sent.ShouldHaveSingleItem();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private (FileVersions Files, FileReports Reports, FileTroubles Troubles) Process(string name)
    {
        var files = new FileVersions(_world.State);
        var reports = new FileReports(files, _world.State, _world.Time, new HostProcess(name));
        return (files, reports, ActivatorUtilities.CreateInstance<FileTroubles>(_world.Get<IServiceProvider>(), reports));
    }

    /// <param name="processes">The first has the watch.</param>
    private async Task PassAsync(int minutes, params (FileVersions Files, FileReports Reports, FileTroubles Troubles)[] processes)
    {
        for (var minute = 0; minute < minutes; minute++)
        {
            foreach (var process in processes)
            {
                await process.Reports.WriteAsync(TestContext.Current.CancellationToken);
            }

            await processes[0].Troubles.RunAsync(TestContext.Current.CancellationToken);
            _world.Time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    private Task CheckAsync() => _world.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);
}
