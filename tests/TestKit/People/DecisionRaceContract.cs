using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Shouldly;
using Xunit;

namespace TestKit.People;

/// <summary>On every <see cref="IIncidentStore"/>, whoever decides first decides, and whoever is late is told so.</summary>
public abstract class DecisionRaceContract
{
    private const int Rounds = 100;

    /// <summary>The same records each time, seen by another host where the store has several.</summary>
    protected abstract IIncidentStore Store { get; }

    [Fact]
    public async Task TwoApproversAHundredTimes_GiveOneDecisionAndTheLoserIsToldWhose()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var incident = Some.Waiting($"race-{round}");
            await Store.OpenAsync(incident, Some.Runbook(), _ => null, TestContext.Current.CancellationToken);

            var receipts = await Task.WhenAll(DecideAsync(incident.Id, DecisionVerb.Approve, "ada"), DecideAsync(incident.Id, DecisionVerb.Reject, "grace"));

            var decision = (await Store.GetAsync(incident.Id, TestContext.Current.CancellationToken)).LatestGate!.Decisions.ShouldHaveSingleItem();
            var loser = receipts.Single(receipt => receipt.Result.Status != DecisionStatus.Decided).Result;
            loser.Status.ShouldBe(DecisionStatus.AlreadyClosed);
            loser.Message.ShouldStartWith($"{decision.Person} {GateText.Past(decision.Verb)} this at ");
        }
    }

    private Task<DecisionReceipt> DecideAsync(string id, DecisionVerb verb, string person)
    {
        var approvals = new ApprovalOffice().ApprovalsOn(Store);
        return Task.Run(() => approvals.DecideAsync(id, null, new DecisionRequest(verb, person, "api"), TestContext.Current.CancellationToken));
    }
}
