using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Incidents;
using Some = TestKit.Incidents.Some;

namespace Runbooks.Tests.Watchdog;

/// <summary>What a maintenance window suppressed, when the window ends.</summary>
public sealed class MaintenanceEndsTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Some.Runbook() with { Resolution = new() };
    private readonly SafetyOptions _options = new();
    private readonly IncidentWorld _world;

    public MaintenanceEndsTests()
    {
        _world = new IncidentWorld(configure: services => services
            .AddWatchdog()
            .AddSingleton<IOptionsMonitor<SafetyOptions>>(new FixedOptions<SafetyOptions>(_options)));
        _world.Loaded = [s_runbook];
        _world.Script.Verdicts["stuck"] = Verdict.Failing;
        _options.Windows.Add(new() { Name = "patching", Start = new(2026, 11, 2, 2, 0, 0), Duration = "2h", Repeat = "FREQ=WEEKLY;BYDAY=MO", Effect = MaintenanceEffect.Suppress });
    }

    [Theory]
    [InlineData(MaintenanceEffect.Suppress)]
    [InlineData(MaintenanceEffect.DiagnoseOnly)]
    public async Task AlertThatOutlivesTheWindow_IsLookedAtOnceWhenItEnds(MaintenanceEffect effect)
    {
        _options.Windows[0].Effect = effect;
        var before = await TakeAsync();
        before.Reason.ShouldNotBeNull().ShouldContain("looked at again");

        await WatchAsync(TimeSpan.FromMinutes(59));
        _world.Store.All.ShouldHaveSingleItem();
        await WatchAsync(TimeSpan.FromMinutes(1));
        await WatchAsync(TimeSpan.FromMinutes(10));

        var after = _world.Store.All.Single(incident => incident.Id != before.Id);
        after.State.ShouldBe(IncidentState.AwaitingApproval);
        after.Target.ShouldBe(before.Target);
        after.AlertCount.ShouldBe(1);
        after.Timeline.ShouldContain(line => line.What.Contains(before.Id) && line.What.Contains("window has ended"));
        (await _world.SettleAsync(before.Id)).Timeline[^1].What.ShouldContain(after.Id);
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task AlertThatIsOverBeforeTheWindowEnds_IsNotLookedAt()
    {
        await TakeAsync();
        await _world.Get<IncidentIntake>().TakeAsync([Some.Alert() with { Status = AlertStatus.Resolved }], CancellationToken.None);

        await WatchAsync(TimeSpan.FromHours(2));

        _world.Store.All.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task RepeatsInTheWindow_AreLookedAtOnce()
    {
        await TakeAsync();
        _world.Time.Advance(TimeSpan.FromMinutes(5));
        await TakeAsync();

        await WatchAsync(TimeSpan.FromHours(2));

        _world.Store.All.Count.ShouldBe(3);
        _world.Store.All.Count(incident => incident.State == IncidentState.AwaitingApproval).ShouldBe(1);
    }

    [Fact]
    public async Task AlertAfterTheWindowThatCameFirst_LeavesNothingToDo()
    {
        await TakeAsync();
        _world.Time.Advance(TimeSpan.FromHours(1));
        await TakeAsync();

        await WatchAsync(TimeSpan.FromMinutes(1));

        _world.Store.All.Count.ShouldBe(2);
    }

    [Fact]
    public async Task WindowThatWasMadeLonger_SuppressesItAgainAndLooksWhenThatEnds()
    {
        await TakeAsync();
        _options.Windows[0].Duration = "3h";

        await WatchAsync(TimeSpan.FromMinutes(61));
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.NotNeeded);
        await WatchAsync(TimeSpan.FromMinutes(60));

        _world.Store.All.Count(incident => incident.State == IncidentState.AwaitingApproval).ShouldBe(1);
    }

    [Fact]
    public async Task RunbookThatIsGoneAtTheEnd_IsToldToAPerson()
    {
        await TakeAsync();
        _world.Loaded = [];

        await WatchAsync(TimeSpan.FromHours(2));

        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("no longer loaded");
    }

    [Fact]
    public async Task MoreTargetsThanAreRemembered_AreToldToAPerson()
    {
        var suppressed = _world.Get<SuppressedIncidents>();
        for (var n = 0; n <= SuppressedIncidents.Max; n++)
        {
            (await suppressed.RememberAsync(Some.Incident(s_runbook, $"i{n}") with { Target = $"t{n}" }, Some.Night.AddHours(1), CancellationToken.None))
                .ShouldBe(n < SuppressedIncidents.Max);
        }

        await WatchAsync(TimeSpan.FromHours(1));
        await WatchAsync(TimeSpan.FromMinutes(1));

        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldStartWith("1 incident was suppressed");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> TakeAsync()
    {
        var outcome = (await _world.Get<IncidentIntake>().TakeAsync([Some.Alert()], CancellationToken.None))[0];
        return await _world.SettleAsync(outcome.Id!);
    }

    private async Task WatchAsync(TimeSpan after)
    {
        _world.Time.Advance(after);
        await _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        await _world.Engine.SettleAsync();
    }
}
