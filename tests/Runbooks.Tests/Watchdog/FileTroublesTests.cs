using Microsoft.Extensions.DependencyInjection;
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
