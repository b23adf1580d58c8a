using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>Senders that use one identity for several things, such as the id of a monitor for all of its hosts.</summary>
public sealed class ChosenIdentityTests : IAsyncDisposable
{
    private readonly IntakeWorld _world = new(IntakeWorld.Runbook("host-down", "{{ labels.host }}", "generic", "HostDown", checks: false));

    [Theory]
    [InlineData(null)]
    [InlineData(-10)]
    public async Task NoToOneHost_SaysNothingOfAnother(int? minutesBefore)
    {
        var first = On("a") with { StartsAt = minutesBefore is null ? null : TestKit.Incidents.Given.Night };
        await _world.TakeAsync(first);
        await _world.World.DecideAsync(_world.Only.Id, DecisionVerb.Reject);

        var other = (await _world.TakeAsync(On("b") with { StartsAt = first.StartsAt?.AddMinutes(minutesBefore!.Value) }))[0];

        (other.Outcome, other.Target).ShouldBe((IntakeResult.Opened, "b"));
        (await _world.TakeAsync(first))[0].Reason!.ShouldContain("does not ask again");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EndOfOneHost_EndsNoOther(bool inOnePost)
    {
        var ended = On("a") with { Status = AlertStatus.Resolved };
        if (inOnePost)
        {
            await _world.TakeAsync(On("a"), On("b"), ended);
        }
        else
        {
            await _world.TakeAsync(On("a"), On("b"));
            await _world.TakeAsync(ended);
        }

        States().ShouldBe([("a", IncidentState.SelfRecovered), ("b", IncidentState.AwaitingApproval)]);
        (await _world.TakeAsync(ended))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        States().ShouldBe([("a", IncidentState.SelfRecovered), ("b", IncidentState.AwaitingApproval)]);
    }

    [Fact]
    public async Task EndThatNamesNoHost_ReachesTheOnlyOneAndOfSeveralNone()
    {
        var ended = On("a") with { Status = AlertStatus.Resolved, Labels = new Dictionary<string, string>() };
        await _world.TakeAsync(On("a"), On("b"));

        var unclear = (await _world.TakeAsync(ended))[0];
        await _world.World.DecideAsync(_world.World.Store.All.Single(incident => incident.Target == "b").Id, DecisionVerb.Reject);
        var clear = (await _world.TakeAsync(ended))[0];

        unclear.Outcome.ShouldBe(IntakeResult.Ignored);
        unclear.Reason!.ShouldContain("on 2 targets know this fingerprint, and this message lacks labels.host");
        (clear.Outcome, clear.Target).ShouldBe((IntakeResult.Resolved, "a"));
    }

    [Fact]
    public async Task TwoThingsOnOneTargetUnderOneIdentity_AreOneAlertAndThatIsSaid()
    {
        await _world.TakeAsync(On("a"));

        var same = (await _world.TakeAsync(On("a")))[0];
        var other = (await _world.TakeAsync(On("a") with { Labels = new Dictionary<string, string> { ["host"] = "a", ["disk"] = "/var" } }))[0];

        same.Reason!.ShouldNotContain("fingerprint");
        other.Reason!.ShouldEndWith("a fingerprint names one thing.");
        await _world.TakeAsync(On("a") with { Labels = new Dictionary<string, string> { ["host"] = "a", ["disk"] = "/tmp" } });
        _world.Only.Timeline.Where(line => line.What.Contains("other labels")).ShouldHaveSingleItem()
            .What.ShouldBe("HostDown came with the same fingerprint and other labels, and counts as the same alert: host: a, disk: /var");
    }

    [Theory]
    [InlineData("/var", "ok", true)]
    [InlineData("/tmp", "critical", false)]
    public async Task EndWithoutAFingerprint_IsThatOfTheOneAlertWhoseLabelsItHas(string disk, string severity, bool ends)
    {
        await _world.TakeAsync(Read("/var", "critical", "firing"), Read("/opt", "critical", "firing"));

        var outcome = (await _world.TakeAsync(Read(disk, severity, "resolved")))[0];

        outcome.Outcome.ShouldBe(ends ? IntakeResult.Resolved : IntakeResult.Folded);
        (outcome.Reason?.Contains("has no alert with this identity", StringComparison.Ordinal) ?? false).ShouldBe(!ends);
        _world.Only.Alerts.Select(alert => alert.Resolved).ShouldBe([ends, false]);

        static Alert Read(string disk, string severity, string status) => Parsing.Readers.ReadOne(
            "generic", $$$"""{"name":"HostDown","status":"{{{status}}}","labels":{"host":"a","disk":"{{{disk}}}","severity":"{{{severity}}}"}}""");
    }

    [Fact]
    public async Task StatusThatNobodyKnowsOfAnOpenAlert_IsOnTheTimelineOnce()
    {
        await _world.TakeAsync(Said("firing"));

        await _world.TakeAsync(Said("ALERT_ODD"));
        await _world.TakeAsync(Said("ALERT_ODD"));

        _world.Only.Timeline.Count(line => line.What == "The sender said \"ALERT_ODD\" of HostDown. Nobody knows that status, so it was taken as firing.").ShouldBe(1);

        static Alert Said(string status) => Parsing.Readers.ReadOne("generic", $$$"""{"name":"HostDown","status":"{{{status}}}","labels":{"host":"a"}}""");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private List<(string, IncidentState)> States() => [.. _world.World.Store.All.Select(incident => (incident.Target, incident.State)).OrderBy(one => one.Target, StringComparer.Ordinal)];

    private static Alert On(string host) => new()
    {
        Source = "generic",
        Name = "HostDown",
        Fingerprint = "1234",
        Labels = new Dictionary<string, string> { ["host"] = host },
    };
}
