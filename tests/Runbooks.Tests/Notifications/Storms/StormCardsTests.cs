using Microsoft.Extensions.Options;
using Runbooks.Model.Definition;
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
        Lines(card, "What it means").ShouldNotBeEmpty();
        Lines(card, "Not solved").Count.ShouldBe(2);
        Lines(card, "Left to a person").Count.ShouldBe(1);
        Lines(card, "Targets").ShouldBe(["inference/llm-b-3; inference/llm-b-4"]);
    }

    /// <summary>It is over, whatever became of the automation.</summary>
    [Fact]
    public void WhatSomebodyHasClosed_MeansNothingToUsersNow()
    {
        var closed = One(0, IncidentState.Failed, new(Some.Time, "so")).CloseByHand("ada", "fixed by hand", Some.Time);
        var open = One(1, IncidentState.Failed, new(Some.Time, "so"));

        Ended([closed, closed with { Id = "261123-0312-99999999" }]).Sections.ShouldNotContain(section => section.Heading == "What it means");
        Ended([closed, open]).Sections.ShouldContain(section => section.Heading == "What it means");
    }

    [Fact]
    public void NotSolved_SaysWhatToDoNow() =>
        Lines(Ended([One(0, IncidentState.Failed, new(Some.Time, "so")), One(1, IncidentState.Failed, new(Some.Time, "so")), One(2, IncidentState.Expired, new(Some.Time, "so"))]), "What to do now").ShouldBe([
            "2 targets: Fix it by hand and close the incident, or try it again. Acknowledge it first, so that others see that you are on it.",
            "inference/llm-b-2: It was not approved in time, so nothing more is done. Look at what was found, then fix it by hand and close the incident, or try it again. Acknowledge it first, so that others see that you are on it."]);

    [Fact]
    public void Page_SaysWhatToDoNow() =>
        Lines(Cards().Page(s_storm, [.. Enumerable.Range(0, 3).Select(at => News(One(at, IncidentState.Verifying, null)))], Some.Time), "What to do now")
            .ShouldBe(["Open the incident and look where it stands. Stop it if it should not go on by itself."]);

    /// <summary>Two nodes are back and wait for a person, four ask anew about the reimage: neither stands for the other.</summary>
    [Fact]
    public void QuestionsOfOneRunbookAboutDifferentThings_AreToldApart()
    {
        var inspect = Some.Gate() with { Id = "mitigation-inspect", Task = new("inspect", "Look at the node.", [new("Run the test.")]), Plan = new("p", []) };
        var anew = Some.Gate(round: 2) with { Difference = "It waited for its turn.", Warnings = ["The last fix did not hold."] };
        var card = Question([.. Enumerable.Range(0, 6).Select(at => Asking(at, at < 2 ? inspect : anew))]);

        card.Title.ShouldBe("6 incidents of 'Hung GPU' ask you at once, 2 of them to do something by hand");
        Lines(card, "Targets: mitigation, asked anew (4 targets)").ShouldBe(["inference/llm-b-2; inference/llm-b-3; inference/llm-b-4; inference/llm-b-5"]);
        Lines(card, "What will be done on each: mitigation, asked anew (4 targets)")[0].ShouldStartWith("Delete pod");
        Lines(card, "To do by hand on each: inspect (2 targets)").ShouldBe(["Look at the node.", "1. Run the test.", "(As on inference/llm-b-0; the page leads to each one's own.)"]);
        Lines(card, "Warning").ShouldBe(["4 targets: The last fix did not hold."]);
        Lines(card, "Why it is asked now").ShouldBe(["4 targets: It waited for its turn."]);
        card.Shortened.Sections.ShouldContain(section => section.Heading == "Why it is asked now");
    }

    /// <summary>A channel cuts the last lines off, and a locked phone shows the title.</summary>
    [Fact]
    public void WorstOfSeveralRunbooks_ComesFirst()
    {
        var worse = Some.Runbook() with { Id = "toxic-loop", Title = "Toxic prompt loop", Impact = new(ImpactSeverity.Critical, "Nobody is served.", "Data is safe.") };
        var incidents = new[] { Asking(0, Some.Gate()), Asking(1, Some.Gate()), Asking(2, Some.Gate()) with { RunbookId = worse.Id } };

        var card = Cards().Question(
            s_storm, new StormMessage(new Recipient("ada", []), incidents, incidents, null, Some.Time),
            new Dictionary<string, Runbook> { ["hanged-gpu"] = Some.Runbook(), [worse.Id] = worse });

        card.Title.ShouldBe("3 incidents ask you at once; worst: Toxic prompt loop");
        Lines(card, "What broke")[0].ShouldStartWith("Toxic prompt loop on 1 target.");
        card.Sections.Select(section => section.Heading).Where(heading => heading.Contains(" target", StringComparison.Ordinal)).ShouldBe([
            "Targets: Toxic prompt loop (1 target)", "Targets: Hung GPU (2 targets)",
            "What will be done on each: Toxic prompt loop (1 target)", "What will be done on each: Hung GPU (2 targets)"]);

        StormNews[] news = [.. incidents.Select(incident => News(incident with { State = IncidentState.Failed }))];
        news[2] = news[2] with { Runbook = worse };
        Lines(Cards().Ended(s_storm, news), "What it means")[0].ShouldContain("Nobody is served.");
        Lines(Cards().Page(s_storm, news, Some.Time), "What it means")[0].ShouldContain("Nobody is served.");
    }

    [Fact]
    public void DryRunsAmongOthers_AreToldApart()
    {
        var card = Question([Asking(0, Some.Gate()), Asking(1, Some.Gate()), Asking(2, Some.Gate()) with { Mode = RunMode.DryRun }]);

        card.DryRun.ShouldBeFalse();
        Lines(card, "What will be done on each: mitigation (2 targets)")[0].ShouldStartWith("Delete pod");
        Lines(card, "What will be rehearsed on each: mitigation, dry run (1 target)").ShouldHaveSingleItem("it is no example of itself").ShouldStartWith("Delete pod");
    }

    [Fact]
    public void ApprovalOfTwoForSomeOfThem_IsSaidOfThose()
    {
        var two = Some.Gate() with { Required = 2 };

        Lines(Question([Asking(0, Some.Gate()), Asking(1, two), Asking(2, two)]), "Who has to approve").ShouldBe(["2 targets: 2 different people have to approve."]);
        Lines(Question([Asking(0, two), Asking(1, two)]), "Who has to approve").ShouldBe(["2 different people have to approve."]);
    }

    /// <summary>Where several people get one message, nobody's link is in it.</summary>
    [Fact]
    public void Question_LeadsSomewhereWithoutItsLinkToo() =>
        Question([Asking(0, Some.Gate()), Asking(1, Some.Gate())]).WithoutLinkToDecide.Links.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            link => link.Text.ShouldBe("Incidents"), link => link.Url.ShouldEndWith("/?runbook=hanged-gpu"));

    private static Incident Asking(int at, Gate gate) => Some.Incident($"261123-0312-{at:00000000}", $"inference/llm-b-{at}").AddGate(gate, Some.Time);

    private static Card Question(IReadOnlyList<Incident> incidents) => Cards().Question(
        s_storm, new StormMessage(new Recipient("ada", []), incidents, incidents, null, Some.Time), new Dictionary<string, Runbook> { ["hanged-gpu"] = Some.Runbook() });

    private static StormNews News(Incident incident) => new(incident, Some.Runbook(), "page", [], NeedsPerson: true) { Message = "No progress." };

    private static Incident One(int at, IncidentState state, Attention? attention) =>
        Some.Incident($"261123-0312-{at:00000000}", $"inference/llm-b-{at}") with { State = state, ClosedAt = Some.Time, Attention = attention };

    private static readonly Storm s_storm = new("storm-1", Some.Time, Some.Time);

    private static StormCards Cards()
    {
        var office = new ApprovalOffice();
        return new(new DecisionLinks(office.Signer, Options.Create(new PublicAddressOptions())), office.Cards);
    }

    private static Card Ended(IReadOnlyList<Incident> incidents) =>
        Cards().Ended(s_storm, [.. incidents.Select(incident => new StormNews(incident, Some.Runbook(), NotificationRecipients.Closed, [], NeedsPerson: false))]);

    private static IReadOnlyList<string> Lines(Card card, string heading) => card.Sections.Single(section => section.Heading == heading).Lines;
}
