using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Notifications;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

/// <summary>PagerDuty calls nobody for an event on an alert that somebody acknowledged, calls again half an hour later, and drops what is said of an alert that it does not have.</summary>
public sealed class PagerDutyTests : WithServer
{
    private static readonly Address s_ada = new("pagerduty", "${KEY}", "ada");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private INotifier PagerDuty => _server.Channel("pagerduty", services => services.AddPagerDuty(), ("PagerDuty:EventsUrl", _server.Url), ("KEY", new string('k', 32)));

    private IReadOnlyList<(string Action, string Alert)> Events =>
        [.. _server.Requests.Select(request => JsonNode.Parse(request.Body)!).Select(sent => (sent["event_action"]!.ToString(), sent["dedup_key"]!.ToString()))];

    [Fact]
    public async Task Message_IsTriggeredAndResolvedAsOneAlertAndAcknowledgedWhereSomebodySeesToIt()
    {
        var reference = (await PagerDuty.SendAsync(Cards.Approval with { Key = "mitigation-1:0:ada@pagerduty" }, s_ada, Cancel)).Reference;
        foreach (var card in (Card[])[Cards.Decided with { IsSeenTo = true }, Cards.Approval, Cards.Page, Cards.Closed])
        {
            await PagerDuty.UpdateAsync(reference!, card, Cancel);
        }

        reference!.ShouldStartWith("${KEY}|");
        PagerDuty.ReferenceOf(Cards.Approval with { Key = "mitigation-1:0:ada@pagerduty" }, s_ada).ShouldBe(reference, "an alert whose answer is lost is known by it");
        var alert = $"{Cards.Approval.IncidentId}:mitigation-1:0";
        Events.ShouldBe([("trigger", alert), ("acknowledge", alert), ("resolve", alert)]);
        _server.Requests.ShouldAllBe(request => request.Path == "/v2/enqueue" && JsonNode.Parse(request.Body)!["routing_key"]!.ToString() == new string('k', 32));
    }

    /// <summary>Acknowledged, it would call up again in the middle of a temporary fix that is held for hours.</summary>
    [Theory]
    [InlineData(CardKind.Decided, false)]
    [InlineData(CardKind.ApprovalRequest, true)]
    public async Task QuestionThatIsAnswered_IsResolved(CardKind kind, bool isAnswered)
    {
        var reference = (await PagerDuty.SendAsync(Cards.Approval with { Key = "mitigation-1:0:ada@pagerduty" }, s_ada, Cancel)).Reference;

        await PagerDuty.UpdateAsync(reference!, Cards.Approval with { Kind = kind, IsAnswered = isAnswered }, Cancel);

        Events[^1].Action.ShouldBe("resolve");
    }

    [Theory]
    [InlineData(CardKind.Page, "page:lease:ada@pagerduty")]
    [InlineData(CardKind.Escalation, "mitigation-1:2:ada@pagerduty")]
    [InlineData(CardKind.Reminder, "mitigation-1:1:ada@pagerduty")]
    [InlineData(CardKind.Reminder, "mitigation-1:news:worse:ada@pagerduty")]
    [InlineData(CardKind.ApprovalRequest, "resolution-1:0:ada@pagerduty")]
    public async Task MessageAfterOneThatWasAcknowledged_CallsAgain(CardKind kind, string key)
    {
        var first = (await PagerDuty.SendAsync(Cards.Approval with { Key = "mitigation-1:0:ada@pagerduty" }, s_ada, Cancel)).Reference;
        await PagerDuty.UpdateAsync(first!, Cards.Decided with { IsSeenTo = true }, Cancel);

        var second = (await PagerDuty.SendAsync(Cards.Approval with { Kind = kind, Key = key }, s_ada, Cancel)).Reference;
        await PagerDuty.UpdateAsync(second!, Cards.Closed, Cancel);

        Events[2].Action.ShouldBe("trigger");
        Events[2].Alert.ShouldNotBe(Events[0].Alert);
        Events[3].ShouldBe(("resolve", Events[2].Alert));
    }

    [Fact]
    public async Task SectionsWithOneHeading_AreBothInTheCall()
    {
        await PagerDuty.SendAsync(Cards.Approval with { Sections = [new("Targets: Hung GPU", ["llm-b-0"]), new("Targets: Hung GPU", ["llm-b-1"])] }, s_ada, Cancel);

        JsonNode.Parse(_server.Requests.Single().Body)!["payload"]!["custom_details"]!["Targets: Hung GPU"]!.ToString().ShouldBe("llm-b-0\nllm-b-1");
    }

    [Fact]
    public async Task RepeatedAttempt_AndAnotherContactWithTheSameIntegrationKey_AreTheSameAlert()
    {
        await PagerDuty.SendAsync(Cards.Page with { Key = "page:lease:ada@pagerduty" }, s_ada, Cancel);
        await PagerDuty.SendAsync(Cards.Page with { Key = "page:lease:ada@pagerduty" }, s_ada, Cancel);
        await PagerDuty.SendAsync(Cards.Page with { Key = "page:lease:duty@email" }, s_ada with { Recipient = "duty" }, Cancel);

        Events.Distinct().ShouldHaveSingleItem().ShouldBe(("trigger", $"{Cards.Page.IncidentId}:page:lease"));
    }

    /// <summary>Whoever is called is shown the details of whichever came first, and would decide in that one's name.</summary>
    [Fact]
    public async Task AlertOfSeveralPeople_LeadsToTheIncidentAndNotToOnesLink()
    {
        await PagerDuty.SendAsync(Cards.Approval, s_ada with { IsShared = true }, Cancel);
        await PagerDuty.SendAsync(Cards.Approval, s_ada, Cancel);
        await PagerDuty.SendAsync(Cards.Page, s_ada with { IsShared = true }, Cancel);

        _server.Requests.Select(request => JsonNode.Parse(request.Body)!["links"]!.AsArray().Select(link => link!["text"]!.ToString())).ShouldBe(
            [["Incident"], ["Look and decide", "Incident"], Cards.Page.Links.Select(link => link.Text)]);
    }

    [Theory]
    [InlineData(CardKind.Decided)]
    [InlineData(CardKind.Closed)]
    public async Task WhatIsHeardFirst_IsTriggeredAndNotSaidOfAnAlertThatIsNotThere(CardKind kind)
    {
        await PagerDuty.SendAsync(Cards.Closed with { Kind = kind, Key = "closed:ada@pagerduty" }, s_ada, Cancel);

        var sent = JsonNode.Parse(_server.Requests.ShouldHaveSingleItem().Body)!;
        sent["event_action"]!.ToString().ShouldBe("trigger");
        sent["payload"]!["severity"]!.ToString().ShouldBe("info");
    }

    /// <summary>A service that goes by the severity calls nobody up for a warning, and never goes on to the next.</summary>
    [Theory]
    [InlineData(CardKind.ApprovalRequest, ImpactSeverity.Medium, "mitigation-1:0", "error")]
    [InlineData(CardKind.ApprovalRequest, ImpactSeverity.Low, "mitigation-1:0", "warning")]
    [InlineData(CardKind.ApprovalRequest, ImpactSeverity.Critical, "mitigation-1:0", "critical")]
    [InlineData(CardKind.Reminder, ImpactSeverity.Low, "mitigation-1:1", "error")]
    [InlineData(CardKind.Escalation, ImpactSeverity.Low, "mitigation-1:2", "error")]
    [InlineData(CardKind.Page, ImpactSeverity.Low, "closed", "error")]
    [InlineData(CardKind.Page, ImpactSeverity.Critical, "closed", "critical")]
    [InlineData(CardKind.Page, ImpactSeverity.Low, "handed:notify:1", "warning")]
    [InlineData(CardKind.Page, ImpactSeverity.Medium, "handed:notify:1", "error")]
    [InlineData(CardKind.Decided, ImpactSeverity.Critical, "holding", "info")]
    public void WhateverWaitsForAPerson_CallsThemUp(CardKind kind, ImpactSeverity impact, string key, string severity)
    {
        var card = Cards.Page with { Kind = kind, Severity = impact, Key = $"{key}:ada@pagerduty", DryRun = false };

        PagerDutyEvent.Trigger(card, new string('k', 32), "alert")["payload"]!["severity"]!.ToString().ShouldBe(severity);
    }

    [Fact]
    public void LongNames_MakeAKeyThatPagerDutyTakes()
    {
        var (one, other) = (Key("a"), Key("b"));

        one.Length.ShouldBeLessThanOrEqualTo(255);
        one.ShouldNotBe(other);

        static string Key(string end) => PagerDutyEvent.KeyOf(Cards.Page with { IncidentId = "runbooks-files", Key = $"{new string('f', 300)}{end}:ada@pagerduty" }, "ada");
    }
}
