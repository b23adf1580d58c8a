using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Incidents;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Watchdog;

/// <summary>What a maintenance window suppressed, when the window ends.</summary>
public sealed partial class MaintenanceEndsTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
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

        var after = LookedAt(before);
        after.State.ShouldBe(IncidentState.AwaitingApproval);
        after.Target.ShouldBe(before.Target);
        after.AlertCount.ShouldBe(1);
        after.Timeline.ShouldContain(line => line.What.Contains(before.Id) && line.What.Contains("window has ended"));
        (await _world.SettleAsync(before.Id)).Timeline[^1].What.ShouldContain(after.Id);
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task HostThatDiesAtTheEndOfTheWindow_IsFollowedByAnother()
    {
        var before = await TakeAsync();
        _world.Time.Advance(TimeSpan.FromHours(1));
        await ClaimAsync(_world.Time.GetUtcNow());

        await WatchAsync(TimeSpan.FromMinutes(1));
        _world.Store.All.ShouldHaveSingleItem();
        await WatchAsync(TimeSpan.FromMinutes(5));

        LookedAt(before).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task LookThatBreaksOff_IsTakenAgain()
    {
        var before = await TakeAsync();
        _world.Store.Unreadable = before.Id;
        await WatchAsync(TimeSpan.FromHours(1));
        _world.Store.Unreadable = null;

        await WatchAsync(TimeSpan.FromMinutes(6));

        LookedAt(before).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task WorkflowThatHasNotEndedWithTheWindow_IsWaitedFor()
    {
        var before = await TakeAsync();
        await _world.Store.UpdateAsync(before.Id, i => i with { State = IncidentState.Diagnosing }, CancellationToken.None);
        await WatchAsync(TimeSpan.FromHours(1));
        _world.Store.All.ShouldHaveSingleItem();

        await _world.Store.UpdateAsync(before.Id, _ => before, CancellationToken.None);
        await WatchAsync(TimeSpan.FromMinutes(6));

        LookedAt(before).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task StartedByHandInTheWindow_IsStillTheirsWhenItIsLookedAt()
    {
        var before = await TakeAsync();
        await _world.Store.UpdateAsync(before.Id, i => i with { StartedBy = "ada" }, CancellationToken.None);

        await WatchAsync(TimeSpan.FromHours(2));

        LookedAt(before).StartedBy.ShouldBe("ada");
    }

    [Fact]
    public async Task ClaimOfAClockThatWasAhead_IsNotWaitedFor()
    {
        await TakeAsync();
        await _world.Get<SuppressedIncidents>().ClaimDueAsync(_world.Time.GetUtcNow().AddDays(1), CancellationToken.None);

        await WatchAsync(TimeSpan.FromHours(1));

        _world.Store.All.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(Verdict.Failing, IncidentState.AwaitingApproval)]
    [InlineData(Verdict.Passing, IncidentState.NotNeeded)]
    public async Task AlertThatIsSaidToBeOverBeforeTheWindowEnds_IsDecidedByTheChecks(Verdict answer, IncidentState state)
    {
        var before = await TakeAsync();
        await SayOverAsync();
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = answer;

        await WatchAsync(TimeSpan.FromHours(2));

        var after = LookedAt(before);
        after.State.ShouldBe(state);
        after.Timeline.ShouldContain(line => line.What.Contains("says that the alert is over; the checks decide", StringComparison.Ordinal));
        after.News.Count(news => news.Text.StartsWith("The sender says it is over; the checks still fail", StringComparison.Ordinal)).ShouldBe(answer == Verdict.Failing ? 1 : 0);
    }

    [Fact]
    public async Task AlertThatIsSaidToBeOverAndNoChecksCouldTell_IsNotLookedAt()
    {
        _world.Loaded = [s_runbook with { Diagnosis = [], Mitigation = s_runbook.Mitigation with { When = new(Quantifier.Any, []), Verify = null } }];
        await TakeAsync();
        await SayOverAsync();

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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TwoAlertsOnOneTargetInTheWindow_AreBothLookedAt(bool atOnce)
    {
        _world.Loaded = [s_runbook with { Target = "{{ labels.namespace }}", Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("fix", with: new { name = "fix", text = "{{ labels.pod }}" })] } }];
        var other = Given.Alert() with { Fingerprint = "f2", Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-1" } };
        if (atOnce)
        {
            await _world.Get<IncidentIntake>().ReceiveAsync([Given.Alert(), other], CancellationToken.None);
            await _world.Engine.SettleAsync();
        }
        else
        {
            await TakeAsync();
            await TakeAsync(other);
        }

        await WatchAsync(TimeSpan.FromHours(2));
        var asked = _world.Store.All.Single(incident => incident.State == IncidentState.AwaitingApproval);
        asked.Alerts.Count.ShouldBe(2);
        asked.Others[0].IsWhole.ShouldBeTrue();
        await _world.DecideAsync(asked.Id, DecisionVerb.Reject);

        var next = _world.Store.All.Single(incident => incident.State == IncidentState.AwaitingApproval);
        new[] { asked, next }.Select(incident => incident.Alert.Labels["pod"]).ShouldBe(["llm-b-0", "llm-b-1"], ignoreOrder: true);
        next.FollowUpOf.ShouldBe(asked.Id);
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
    public async Task RunbookThatIsGoneAtTheEnd_IsToldToAPerson()
    {
        await TakeAsync();
        _world.Loaded = [];

        await WatchAsync(TimeSpan.FromHours(2));

        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldContain("no longer loaded");
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 60)]
    public async Task MoreTargetsThanAreRemembered_AreToldToAPersonWhenTheWindowEnds(bool takenAway, int minutes)
    {
        var suppressed = _world.Get<SuppressedIncidents>();
        for (var n = 0; n <= SuppressedIncidents.Max + 2; n++)
        {
            // The last alert repeats, each time as another incident.
            (await suppressed.RememberAsync(Given.Incident(s_runbook, $"i{n}") with { Target = $"t{Math.Min(n, SuppressedIncidents.Max)}" }, Given.Night.AddHours(1), MaintenanceEffect.Suppress, CancellationToken.None))
                .ShouldBe(n < SuppressedIncidents.Max);
        }

        await WatchAsync(TimeSpan.Zero);
        _world.Notifier.Sent.ShouldBeEmpty();
        if (takenAway)
        {
            _options.Windows.Clear();
        }

        await WatchAsync(TimeSpan.FromMinutes(minutes));
        await WatchAsync(TimeSpan.FromMinutes(1));

        _world.Notifier.Sent.ShouldHaveSingleItem().Card.Sections[0].Lines[0].ShouldStartWith("1 target had alerts suppressed");
    }

    [Fact]
    public async Task TargetThatComesWhileAPersonIsToldOfThoseBeyond_IsToldToo()
    {
        var suppressed = _world.Get<SuppressedIncidents>();
        for (var n = 0; n <= SuppressedIncidents.Max; n++)
        {
            await RememberAsync(n);
        }

        (await BeyondAsync()).ShouldBe(1);
        await RememberAsync(SuppressedIncidents.Max + 1);
        await suppressed.ForgetTooManyAsync(told: 1, CancellationToken.None);
        (await BeyondAsync()).ShouldBe(2);
        await suppressed.ForgetTooManyAsync(told: 2, CancellationToken.None);
        (await BeyondAsync()).ShouldBe(0);

        Task<bool> RememberAsync(int n) =>
            suppressed.RememberAsync(Given.Incident(s_runbook, $"i{n}") with { Target = $"t{n}" }, Given.Night.AddHours(1), MaintenanceEffect.Suppress, CancellationToken.None);

        async Task<int> BeyondAsync() => (await suppressed.ClaimDueAsync(Given.Night.AddHours(2), CancellationToken.None)).TooMany;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<Incident> TakeAsync(Alert? alert = null)
    {
        var outcome = (await _world.Get<IncidentIntake>().ReceiveAsync([alert ?? Given.Alert()], CancellationToken.None))[0];
        return await _world.SettleAsync(outcome.Id!);
    }

    /// <summary>What was opened to look at it.</summary>
    private Incident LookedAt(Incident before) => _world.Store.All.Single(incident => incident.Id != before.Id);

    private async Task ClaimAsync(DateTimeOffset now) => (await _world.Get<SuppressedIncidents>().ClaimDueAsync(now, CancellationToken.None)).Due.ShouldHaveSingleItem();

    private Task SayOverAsync() => _world.Get<IncidentIntake>().ReceiveAsync([Given.Alert() with { Status = AlertStatus.Resolved }], CancellationToken.None);

    private async Task WatchAsync(TimeSpan after)
    {
        _world.Time.Advance(after);
        await _world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);
        await _world.Engine.SettleAsync();
    }
}
