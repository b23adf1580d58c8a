using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>What the end of many incidents says: nothing that was solved is called unsolved.</summary>
public sealed class StormCardsTests
{
    private static readonly Attention s_kept = new(Some.Time, "cordon: Node n1 was left cordoned, as the runbook says.");

    [Fact]
    public void SolvedWithSomethingKeptOnPurpose_IsLeftToAPersonAndNotUnsolved()
    {
        var card = Ended([.. Enumerable.Range(0, 6).Select(at => One(at, IncidentState.Resolved, s_kept))]);

        card.Kind.ShouldBe(CardKind.Closed);
        card.Title.ShouldBe("6 incidents of 'Hung GPU' have ended, 6 with something left to a person");
        Lines(card, "Left to a person").Count.ShouldBe(6);
        Lines(card, "Left to a person")[0].ShouldBe("inference/llm-b-0: cordon: Node n1 was left cordoned, as the runbook says.");
        card.Sections.ShouldNotContain(section => section.Heading == "Not solved" || section.Heading == "Targets");
    }

    [Fact]
    public void FailedAndUnanswered_AreNotSolved()
    {
        var card = Ended([
            One(0, IncidentState.Failed, new(Some.Time, "It did not help.")), One(1, IncidentState.Expired, new(Some.Time, "Nobody answered.")),
            One(2, IncidentState.Resolved, s_kept), One(3, IncidentState.Resolved, null), One(4, IncidentState.Resolved, s_kept with { AcknowledgedAt = Some.Time })]);

        card.Kind.ShouldBe(CardKind.Page);
        card.Title.ShouldBe("A person is needed: 2 of 5 incidents of 'Hung GPU' were not solved");
        Lines(card, "Not solved").Count.ShouldBe(2);
        Lines(card, "Left to a person").Count.ShouldBe(1);
        Lines(card, "Targets").ShouldBe(["inference/llm-b-3, inference/llm-b-4"]);
    }

    private static Incident One(int at, IncidentState state, Attention? attention) =>
        Some.Incident($"261123-0312-{at:00000000}", $"inference/llm-b-{at}") with { State = state, ClosedAt = Some.Time, Attention = attention };

    private static Card Ended(IReadOnlyList<Incident> incidents)
    {
        var office = new ApprovalOffice();
        var cards = new StormCards(new DecisionLinks(office.Signer, Options.Create(new PublicAddressOptions())), office.Cards);
        return cards.Ended(new Storm("storm-1", Some.Time, Some.Time), [.. incidents.Select(incident => new StormNews(incident, Some.Runbook(), NotificationRecipients.Closed, [], NeedsPerson: false))]);
    }

    private static IReadOnlyList<string> Lines(Card card, string heading) => card.Sections.Single(section => section.Heading == heading).Lines;
}
