using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.People;

namespace Runbooks.Model.Tests.Incidents;

public sealed class HandbackTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void AlertWhileSomebodyDrives_FoldsForAWhile()
    {
        var driven = Driven();

        driven.IsDriven().ShouldBeTrue();
        IncidentSummary.Of(driven).Driven.ShouldBeTrue();
        driven.Accepts(Some.Time + Incident.LongestDrive - TimeSpan.FromSeconds(1)).ShouldBeTrue();
        driven.Accepts(Some.Time + Incident.LongestDrive).ShouldBeFalse();
    }

    [Fact]
    public async Task ClosedByHand_IsOverAndAcceptsNoMoreAlerts()
    {
        var office = new Office();
        await office.Store.OpenAsync(Driven(), Some.Runbook(), _ => null, Cancel);

        var receipt = await office.Desk.CloseAsync(Driven().Id, "ada", "rebooted the node", Cancel);

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        var closed = receipt.Incident!;
        closed.IsDriven().ShouldBeFalse();
        closed.State.ShouldBe(IncidentState.TakenOver);
        closed.Accepts(Some.Time).ShouldBeFalse();
        closed.Timeline[^1].What.ShouldBe("ada closed it by hand: rebooted the node");
        (await office.Desk.CloseAsync(closed.Id, "grace", "again", Cancel)).Result.Status.ShouldBe(DecisionStatus.AlreadyClosed);
    }

    [Fact]
    public async Task IncidentThatTheAutomationRuns_IsNotClosedByHand()
    {
        var office = new Office();
        await office.Store.OpenAsync(Some.Waiting(), Some.Runbook(), _ => null, Cancel);

        (await office.Desk.CloseAsync(Some.Waiting().Id, "ada", "done", Cancel)).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    private static Incident Driven() => Some.Waiting()
        .Decide("mitigation-1", new Decision(Verb.TakeOver, "ada", "api", Some.Time)).Incident
        .End(IncidentState.TakenOver, "ada took over.", [], null, TimeSpan.Zero, Some.Time);
}
