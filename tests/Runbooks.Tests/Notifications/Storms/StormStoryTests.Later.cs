using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;
using TestKit.People;
using Given = TestKit.Incidents.Given;
using Storm = Runbooks.Notifications.Storms.StormRegistry;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>What comes after the first message: newcomers, ends, and channels that fail.</summary>
public sealed partial class StormStoryTests
{
    [Fact]
    public async Task NewcomersWhileTheOthersWait_AreToldTogetherAfterAPause()
    {
        await OpenAsync(10);
        await AdvanceAsync(s_gathered);
        await OpenAsync(3);
        await AdvanceAsync(TimeSpan.FromMinutes(2));
        await OpenAsync(2);
        TitlesTo("ada").Count.ShouldBe(1);

        await AdvanceAsync(TimeSpan.FromMinutes(4));

        TitlesTo("ada")[1..].ShouldBe(["5 more: 15 incidents of 'Broken thing' ask you at once"]);
    }

    [Fact]
    public async Task NewcomerThatAsksSomebodyElseAsWell_IsAskedOfBothAtOnce()
    {
        var other = Given.Runbook() with
        {
            Id = "other-thing",
            Hash = "hash-2",
            Mitigation = _runbook.Mitigation with { Approval = Given.Approval() with { From = ["oncall", "platform-lead"], RemindAfter = null, Escalate = [] } },
        };
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);

        await OpenAsync([other]);
        await AdvanceAsync(s_gathered);

        TitlesTo("linus").ShouldBe(["Fix llm-b-0?"]);
        TitlesTo("ada").Count.ShouldBe(2, "who is on call was told of the storm, and not of this");
        _world.Store.All[^1].Deliveries.Select(delivery => delivery.Contact).ShouldBe(["ada", "linus"], ignoreOrder: true);
    }

    [Fact]
    public async Task NewcomerOnceAllIsDecided_IsAskedAboutByItself()
    {
        await OpenAsync(10);
        await AdvanceAsync(s_gathered);
        await DecideAsync(_world.Store.All, DecisionVerb.Reject);

        await OpenAsync(1);
        await AdvanceAsync(s_gathered);

        TitlesTo("ada").ShouldBe(["10 incidents of 'Broken thing' ask you at once", "Fix llm-b-0?"]);
        _chat.Sent.Last().Card.GateId.ShouldNotBeNull();
    }

    [Fact]
    public async Task AnotherBurstMuchLater_IsAnotherStorm()
    {
        await OpenAsync(10);
        await AdvanceAsync(TimeSpan.FromMinutes(10));
        await OpenAsync(10);
        await AdvanceAsync(s_gathered);

        _world.Store.All.Select(incident => incident.Storm).Distinct().Count().ShouldBe(2);
        TitlesTo("ada")[^1].ShouldBe("10 incidents of 'Broken thing' ask you at once");
    }

    [Fact]
    public async Task ApprovedAndSolved_AreToldInOneMessage()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync(60);
        await AdvanceAsync(s_gathered);
        await DecideAsync(_world.Store.All, DecisionVerb.Approve);

        await WatchAsync();
        await WatchAsync();

        _chat.Sent.Select(sent => sent.Card.Title).ShouldBe(
            ["60 incidents of 'Broken thing' ask you at once", "60 incidents of 'Broken thing' have ended"]);
        _chat.Sent.Last().Card.Sections[0].Lines.ShouldBe(["60 × Resolved"]);
    }

    [Fact]
    public async Task ChannelDown_AsksTheFallbackOnceForAll()
    {
        _chat.Before = ScriptedChannel.Fail;
        await OpenAsync(60);

        await PassAsync(s_gathered + s_gathered);

        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("60 incidents of 'Broken thing' ask you at once");
        _world.Store.All.ShouldAllBe(incident => incident.OpenGate!.Approvers.Contains(ContactBook.Fallback));
    }

    [Fact]
    public async Task LeadWhoCannotBeReachedWhenItEscalates_IsStoodInForByTheFallback()
    {
        _chat.Before = (to, cancellationToken) => to.Recipient == "linus" ? ScriptedChannel.Fail(to, cancellationToken) : Task.CompletedTask;
        await OpenAsync(10);

        await PassAsync(TimeSpan.FromMinutes(12));

        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("Escalated: 10 incidents of 'Broken thing' ask you at once");
        _world.Store.All.ShouldAllBe(incident => incident.OpenGate!.Approvers.SequenceEqual(new[] { "oncall", "platform-lead", ContactBook.Fallback }));
    }

    /// <summary>The one on call is asked again at the same time, and sleeps.</summary>
    [Fact]
    public async Task LeadToWhomAnotherRunbookEscalatedAMomentAgo_IsAskedAboutThisOneToo()
    {
        Runbook[] both = [EscalatesAfter("first-thing", TimeSpan.FromMinutes(4)), EscalatesAfter("second-thing", TimeSpan.FromMinutes(5.5))];
        await OpenAsync([.. Enumerable.Repeat(both[0], 3), .. Enumerable.Repeat(both[1], 3)]);

        await PassAsync(TimeSpan.FromMinutes(7.5));

        TitlesTo("linus").ShouldBe(["Escalated: 3 incidents of 'Broken thing' ask you at once", "Escalated: 6 incidents ask you at once"]);
        _world.Store.All.ShouldAllBe(incident => incident.Deliveries.Any(delivery => delivery.Contact == "linus" && delivery.Reached));

        Runbook EscalatesAfter(string id, TimeSpan after) => _runbook with
        {
            Id = id,
            Hash = id,
            Mitigation = _runbook.Mitigation with
            {
                Approval = Given.Approval() with { RemindAfter = null, Timeout = TimeSpan.FromMinutes(12), Escalate = [new(after, ["platform-lead"])] },
            },
        };
    }

    [Fact]
    public async Task EverythingDown_IsAskedAgainAndEndsAreToldWhenALineIsBack()
    {
        (_chat.Before, _pager.Before) = (ScriptedChannel.Fail, ScriptedChannel.Fail);
        await OpenAsync(60);
        await PassAsync(TimeSpan.FromMinutes(25));
        await WatchAsync();
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Expired);

        _pager.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();

        _pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
        _pager.Attempts.ShouldBeGreaterThan(4);
        _world.Store.All.ShouldAllBe(incident => incident.Deliveries.Count < 30);
    }

    [Fact]
    public async Task SenderThatDied_IsFollowedByAnother()
    {
        await OpenAsync(60);
        (await _world.Get<Storm>().TakeTurnAsync(_world.Store.All[0].Storm!, Given.Night, toAsk: true, Cancel)).IsMine.ShouldBeTrue();

        await AdvanceAsync(TimeSpan.FromMinutes(2));
        _chat.Sent.ShouldBeEmpty();
        await AdvanceAsync(TimeSpan.FromMinutes(2));

        _chat.Sent.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task WhileAnotherSends_TheRestLookAgainEverMoreRarely()
    {
        await OpenAsync(10);
        var waits = _world.Store.All[^1];
        (await _world.Get<Storm>().TakeTurnAsync(waits.Storm!, Given.Night, toAsk: true, Cancel)).IsMine.ShouldBeTrue();
        await AdvanceAsync(s_gathered);
        List<TimeSpan> pauses = [];

        while (await _world.Get<StormApprovalNotifier>().AskAsync(_world.Store.All.Single(incident => incident.Id == waits.Id), _world.Get<ClosedGuards>().FindManyAsync, Cancel) is { } next)
        {
            pauses.Add(next - _world.Time.GetUtcNow());
            await AdvanceAsync(pauses[^1]);
        }

        pauses.Count.ShouldBeLessThan(12);
        pauses.ShouldBe(pauses.Order());
        pauses[^1].ShouldBeLessThanOrEqualTo(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task StormThatIsOver_IsForgotten()
    {
        await OpenAsync(60);
        (await _world.Get<Storm>().ListAsync(Cancel)).ShouldHaveSingleItem();
        await AdvanceAsync(TimeSpan.FromMinutes(25));
        await WatchAsync();
        await WatchAsync();

        (await _world.Get<Storm>().ListAsync(Cancel)).ShouldBeEmpty();
    }
}
