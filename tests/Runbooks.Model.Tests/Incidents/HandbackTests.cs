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
        var owned = Some.OwnedByResponder();

        owned.IsOwnedByResponder().ShouldBeTrue();
        IncidentSummary.Of(owned).OwnedByResponder.ShouldBeTrue();
        owned.Accepts(Some.Time + Incident.LongestOwnership - TimeSpan.FromSeconds(1)).ShouldBeTrue();
        owned.Accepts(Some.Time + Incident.LongestOwnership).ShouldBeFalse();
    }

    [Fact]
    public async Task ClosedByHand_IsOverAndAcceptsNoMoreAlerts()
    {
        var office = new ApprovalOffice();
        await office.Store.OpenAsync(Some.OwnedByResponder(), Some.Runbook(), _ => null, Cancel);

        var receipt = await office.Verbs.CloseAsync(Some.OwnedByResponder().Id, "ada", "rebooted the node", Cancel);

        receipt.Result.Status.ShouldBe(DecisionStatus.Decided);
        var closed = receipt.Incident!;
        closed.IsOwnedByResponder().ShouldBeFalse();
        closed.State.ShouldBe(IncidentState.TakenOver);
        closed.Accepts(Some.Time).ShouldBeFalse();
        closed.Timeline[^1].What.ShouldBe("ada closed it by hand: rebooted the node");
        (await office.Verbs.CloseAsync(closed.Id, "grace", "again", Cancel)).Result.Status.ShouldBe(DecisionStatus.AlreadyClosed);
    }

    [Fact]
    public async Task IncidentThatTheAutomationRuns_IsNotClosedByHand()
    {
        var office = new ApprovalOffice();
        await office.Store.OpenAsync(Some.Waiting(), Some.Runbook(), _ => null, Cancel);

        (await office.Verbs.CloseAsync(Some.Waiting().Id, "ada", "done", Cancel)).Result.Status.ShouldBe(DecisionStatus.NotAllowed);
    }

    /// <summary>A runbook that heals by itself would otherwise do at once what somebody has just stopped.</summary>
    [Fact]
    public void TriedAgainAfterANo_AsksAndSaysWhoSaidIt()
    {
        var stopped = Some.Waiting().RequestStop(new("ada", "not this disk", Some.Time)).End(IncidentState.Cancelled, "so", Some.Time);

        var again = Some.Incident("again").TryAgain(stopped, hasChecks: true, "linus", "the disk is full", Some.Time).WarnOfNo(stopped, Some.Time);

        (again.EarlierNo?.By, again.EarlierNo?.Reason).ShouldBe(("ada", "not this disk"));
        again.LastNo().ShouldBeNull("whoever has it tried again has taken the no back");
    }
}
