using Runbooks.Execution;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Tests.Intake;
using Runbooks.Watchdog;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>A runbook that another one covers: its incident waits for the other's, and then asks its own checks.</summary>
public sealed partial class SuppressedByTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(
        services => services.AddWatchdog(),
        Of("database-down", "DatabaseDown", "{{ labels.database }}", "database"),
        Of("web-down", "WebDown", "{{ labels.instance }}", "web") with { SuppressedBy = new("database-down", "{{ labels.database }}", TimeSpan.FromHours(1)) });

    [Fact]
    public async Task OtherIsOpen_ItWaitsAndBothSaySo()
    {
        var (database, web) = await OpenBothAsync();

        (web.State, web.IsWaitingForOther, web.SuppressedBy!.Incident).ShouldBe((IncidentState.Diagnosing, true, database.Id));
        web.Reason.ShouldBe($"Incident {database.Id} of 'Broken thing' on db-1 covers this one and is open. This one asks nobody until that has ended, at the latest at 04:00:00 UTC.");
        database.Suppresses.ShouldBe([web.Id]);
        Asked(web).ShouldBeFalse();
        _world.World.Script.Asked.ShouldNotContain("web");
    }

    [Fact]
    public async Task OtherIsADryRun_ItMendsNothingAndIsNotWaitedFor()
    {
        await _world.TakeAsync(Alert("DatabaseDown"));
        var database = _world.World.Store.All[0];
        await ChangeAsync(database, incident => incident with { Mode = RunMode.DryRun });

        await _world.TakeAsync(Alert("WebDown"));

        (await FindAsync(_world.World.Store.All[1])).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Theory]
    [InlineData(RunMode.DryRun, true)]
    [InlineData(RunMode.Normal, false)]
    public async Task OtherIsADryRun_OnlyARehearsalWaitsForIt(RunMode mode, bool waits)
    {
        var (database, web) = await OpenBothAsync();
        await ChangeAsync(database, incident => incident with { Mode = RunMode.DryRun });
        await ChangeAsync(web, incident => incident with { Mode = mode });

        (await WaitsAsync(web)).ShouldBe(waits);
    }

    /// <summary>Versions that did not know of one another: both would wait for nothing, until the longest time is over.</summary>
    [Fact]
    public async Task OtherWaitsForThisOne_ThisOneDoesNotWait()
    {
        var (database, web) = await OpenBothAsync();
        await ChangeAsync(database, incident => incident.WaitFor(web, Given.Night.AddHours(1), "wake-9", Given.Night));

        (await WaitsAsync(web)).ShouldBeFalse();
    }

    [Fact]
    public async Task OtherBeginsWhileTheChecksAreAsked_NobodyIsAskedEither()
    {
        await using var world = new IntakeWorld([.. _world.Runbooks]);
        world.World.Script.OnAsk = name =>
        {
            if (name == "web" && world.World.Store.All.Count == 1)
            {
                world.World.Get<IncidentIntake>().ReceiveAsync([Alert("DatabaseDown")], CancellationToken.None).GetAwaiter().GetResult();
            }
        };

        await world.TakeAsync(Alert("WebDown"));

        world.World.Store.All[0].IsWaitingForOther.ShouldBeTrue();
        world.World.Store.All[1].State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task OtherOnAnotherTarget_IsNotWaitedFor()
    {
        await _world.TakeAsync(Alert("DatabaseDown", database: "db-2"));

        await _world.TakeAsync(Alert("WebDown"));

        _world.World.Store.All[^1].State.ShouldBe(IncidentState.AwaitingApproval);
    }

    [Fact]
    public async Task HostDiesWhileItWaits_ItGoesOnWaiting()
    {
        var (database, web) = await OpenBothAsync();

        await _world.World.Engine.CrashAsync();
        (await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(3))).IsWaitingForOther.ShouldBeTrue();
        await _world.World.DecideAsync(database.Id, DecisionVerb.Reject);

        (await FindAsync(web)).State.ShouldBe(IncidentState.AwaitingApproval);
        (await FindAsync(web)).Timeline.Count(line => line.What.Contains("covers this one")).ShouldBe(1);
    }

    /// <summary>It is only watched because its alert comes and goes, or because one look is not believed.</summary>
    [Fact]
    public async Task OtherIsFoundHealthy_ItExplainsNothingAndIsNotWaitedFor()
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Limits = _world.Runbooks[0].Limits with { HealthyFor = TimeSpan.FromMinutes(5) } };
        _world.World.Script.Verdicts["database"] = Verdict.Passing;

        var (database, web) = await OpenBothAsync();

        (database.State, web.State, web.IsWaitingForOther).ShouldBe((IncidentState.Diagnosing, IncidentState.AwaitingApproval, false));
    }

    [Fact]
    public async Task OtherIsFoundHealthyAndFailsThen_IsWaitedFor()
    {
        _world.Runbooks[0] = _world.Runbooks[0] with { Limits = _world.Runbooks[0].Limits with { HealthyFor = TimeSpan.FromMinutes(5) } };
        _world.World.Script.Verdicts["database"] = Verdict.Passing;
        await _world.TakeAsync(Alert("DatabaseDown"));
        _world.World.Script.Verdicts["database"] = Verdict.Failing;
        await _world.World.AdvanceAsync(_world.Only.Id, TimeSpan.FromMinutes(2));

        await _world.TakeAsync(Alert("WebDown"));

        _world.World.Store.All[^1].IsWaitingForOther.ShouldBeTrue();
    }

    [Fact]
    public async Task OtherWasNamedByASenderThatIgnoresCase_IsWaitedFor()
    {
        await _world.TakeAsync(Alert("DatabaseDown", database: "db-1") with { Source = "azure-monitor", Runbook = "database-down" });

        await _world.TakeAsync(Alert("WebDown", database: "DB-1"));

        _world.World.Store.All[^1].IsWaitingForOther.ShouldBeTrue();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task OtherCannotBeRead_ItsOwnChecksAreAsked()
    {
        var (database, web) = await OpenBothAsync();
        _world.World.Store.Unreadable = database.Id;

        (await _world.World.AdvanceAsync(web.Id, TimeSpan.FromMinutes(2))).State.ShouldBe(IncidentState.AwaitingApproval);
    }

    private async Task<(Incident Database, Incident Web)> OpenBothAsync()
    {
        await _world.TakeAsync(Alert("DatabaseDown"));
        await _world.TakeAsync(Alert("WebDown"));
        return (_world.World.Store.All[0], _world.World.Store.All[1]);
    }

    private Task<Incident> ChangeAsync(Incident incident, Func<Incident, Incident> change) => _world.World.Store.UpdateAsync(incident.Id, change, TestContext.Current.CancellationToken);

    private async Task<bool> WaitsAsync(Incident incident) =>
        (await _world.World.Get<SuppressionService>().CheckAsync(new(incident.Id, "wake-9"), TestContext.Current.CancellationToken)).Waits;

    private Task<Incident> FindAsync(Incident incident) => _world.World.SettleAsync(incident.Id);

    private static bool Asked(Incident incident) => incident.Gates.Count > 0;

    private static Runbook Of(string id, string alert, string target, string check) => Given.Runbook() with
    {
        Id = id,
        Hash = $"hash-of-{id}",
        Trigger = [new(null, alert, [], new Dictionary<string, string>())],
        Target = target,
        Diagnosis = [Given.Check(check)],
        Mitigation = Given.Runbook().Mitigation with { Verify = new([check], TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5)) },
        Resolution = new(),
    };

    private static Alert Alert(string name, string database = "db-1") => Given.Alert() with
    {
        Name = name,
        Fingerprint = name,
        Severity = "warning",
        Labels = new Dictionary<string, string> { ["database"] = database, ["instance"] = "web-1", ["pod"] = "p" },
    };
}
