using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Incidents;
using Runbooks.Storage;
using Runbooks.Watchdog;
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
        var (first, second, other) = (Process(), Process(), Process());
        other.Files.Refuse("the published rule set", ["published/files/1a is missing."], "publication 7");
        first.Files.Refuse("the published rule set", ["a.yaml:1:1  here"], "publication 7");
        second.Files.Refuse("the published rule set", ["b.yaml:2:2  there"], "publication 7");
        for (var minute = 0; minute < 5; minute++)
        {
            foreach (var process in (FileTroubles[])[first.Troubles, second.Troubles, other.Troubles])
            {
                await process.RunAsync(TestContext.Current.CancellationToken);
            }

            // One host takes it over in the end.
            other.Files.Forget("the published rule set");
            _world.Time.Advance(TimeSpan.FromMinutes(1));
        }

        _world.Notifier.Sent.ShouldHaveSingleItem();

        first.Files.Refuse("the published rule set", ["a.yaml:1:1  here"], "publication 8");
        await first.Troubles.RunAsync(TestContext.Current.CancellationToken);
        _world.Notifier.Sent.Count.ShouldBe(2);

        (FileVersions Files, FileTroubles Troubles) Process()
        {
            var files = new FileVersions(_world.State);
            return (files, ActivatorUtilities.CreateInstance<FileTroubles>(_world.Get<IServiceProvider>(), files));
        }
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

    private Task CheckAsync() => _world.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);
}
