using Runbooks.Model.Alerts;

namespace Runbooks.Tests.Intake;

/// <summary>The alert that an incident was opened for is over, and another one on its target fires on.</summary>
public sealed class FirstAlertIsOverTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Runbook("disk-full", "{{ labels.resourceName }}", "azure-monitor", "Disk*"));

    [Fact]
    public async Task FirstIsOverAndTheSecondFiresOn_WhoeverIsAskedReadsItUntilItFiresAgain()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        var first = _world.Only.Alert;

        await _world.TakeAsync(first with { Status = AlertStatus.Resolved });

        _world.Only.News.ShouldHaveSingleItem().Text.ShouldStartWith("The sender says that DiskAlmostFull, for which this incident was opened, is over. Still firing on this target: DiskAlmostFull (Sev2): ");
        _world.Only.NewsMark.ShouldBe(_world.Only.ShownNews);
        await _world.TakeAsync(first with { Fingerprint = "fires-again" });
        _world.Only.News.ShouldBeEmpty();
    }

    [Fact]
    public async Task SecondIsOverToo_NothingIsSaidOfWhatStillFires()
    {
        await _world.PostAsync("azure-monitor", "06-two-disks-a-var-tmp.json");
        await _world.PostAsync("azure-monitor", "06-two-disks-b-tmp.json");
        var (first, second) = (_world.Only.Alert, _world.Only.Others[0].Alert!);

        await _world.TakeAsync(first with { Status = AlertStatus.Resolved });
        await _world.TakeAsync(second with { Status = AlertStatus.Resolved });

        _world.Only.Alerts.Select(alert => alert.Resolved).ShouldBe([true, true]);
        _world.Only.News.ShouldNotContain(news => news.Text.Contains("Still firing"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
