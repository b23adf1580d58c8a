using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications.Storms;

/// <summary>What holds for the end and the pages of one incident holds for those of many.</summary>
public sealed partial class StormStoryTests
{
    private static readonly Hold s_hold = new(["full"], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(1));

    /// <summary>Ada reads that a person is needed, and the one who is there for that does not.</summary>
    [Fact]
    public async Task EndThatTheFallbackDidNotHear_IsToldThemAloneUntilTheyDo()
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        _pager.Before = ScriptedChannel.Fail;
        await WatchAsync();
        var toAda = TitlesTo("ada").Count;
        TitlesTo("ada")[^1].ShouldBe("A person is needed: 6 of 6 incidents of 'Broken thing' were not solved");
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldNotBeEmpty("somebody has not heard of it");

        _pager.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();
        await WatchAsync();
        await WatchAsync();

        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("A person is needed: 6 of 6 incidents of 'Broken thing' were not solved");
        TitlesTo("ada").Count.ShouldBe(toAda);
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldBeEmpty();
    }

    /// <summary>A message about one of them can still say how that one stands.</summary>
    [Fact]
    public async Task EndThatSomebodySeesToWhileItIsTold_IsShownSo()
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        var (incident, storm) = (_world.Store.All[0], (await _world.Get<StormRegistry>().ListAsync(Cancel)).Single());
        _pager.After = async (_, _) => await _world.Store.UpdateAsync(incident.Id, i => i.Acknowledge("ada", null, _world.Time.GetUtcNow()), Cancel);

        await _world.Get<StormNewsDispatcher>().SendAsync(
            [new(incident, _runbook, "page:ended", [ContactBook.Fallback], NeedsPerson: true)], about => _world.Get<StormCards>().Page(storm, about, _world.Time.GetUtcNow()), [], _ => { }, Cancel);

        _pager.Shown.ShouldHaveSingleItem().Value.Title.ShouldStartWith("ada sees to it: ");
    }

    [Fact]
    public async Task EndThatSomebodySeesTo_IsToldNobodyElse()
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        _pager.Before = ScriptedChannel.Fail;
        await WatchAsync();
        foreach (var incident in _world.Store.All)
        {
            await _world.Store.UpdateAsync(incident.Id, i => (i.Acknowledge("ada", null, _world.Time.GetUtcNow()), true), Cancel);
        }

        _pager.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();
        await WatchAsync();

        _pager.Sent.ShouldBeEmpty();
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldBeEmpty();
    }

    /// <summary>Ada sits before the console because of the storm, and has them in hand before the storm tells of their end.</summary>
    [Theory]
    [InlineData("acknowledge", "Nobody answered in time. Nothing was done. ada sees to it.")]
    [InlineData("close", "Nobody answered in time. Nothing was done. Closed by ada: by hand")]
    [InlineData("retry", "Nobody answered in time. Nothing was done. Tried again as incident next.")]
    public async Task EndThatSomebodySawToBeforeItWasTold_IsToldAndCallsNobody(string verb, string said)
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        await SeeToAsync(_world.Store.All, verb);

        await WatchAsync();
        await WatchAsync();

        _chat.Sent.Concat(_pager.Sent).ShouldAllBe(sent => sent.Card.Kind != CardKind.Page);
        var card = _chat.Sent.Last(sent => sent.To.Recipient == "ada").Card;
        card.Title.ShouldBe("6 incidents of 'Broken thing' have ended");
        card.Sections.Single(section => section.Heading == "Not solved").Lines.ShouldAllBe(line => line.EndsWith(said));
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task EndsOfWhichSomebodySeesToOne_ArePagedForTheOthers()
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        await SeeToAsync(_world.Store.All.Take(1), "acknowledge");

        await WatchAsync();

        var card = _pager.Sent.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("A person is needed: 6 of 6 incidents of 'Broken thing' were not solved");
        card.Sections.Single(section => section.Heading == "Not solved").Lines.Count(line => line.EndsWith("ada sees to it.")).ShouldBe(1);
        card.Sections.Single(section => section.Heading == "What to do now").Lines.ShouldHaveSingleItem().ShouldStartWith("It was not approved in time");
    }

    private async Task SeeToAsync(IEnumerable<Incident> incidents, string verb)
    {
        var now = _world.Time.GetUtcNow();
        foreach (var incident in incidents.ToList())
        {
            await _world.Store.UpdateAsync(
                incident.Id, i => (verb switch { "close" => i.CloseByHand("ada", "by hand", now), "retry" => i.NoteRetried("next", "ada", "again", now), _ => i.Acknowledge("ada", null, now) }, true), Cancel);
        }
    }

    [Fact]
    public async Task EndThatNobodyCanBeToldForADay_IsTriedEverMoreRarelyAndThenNoMore()
    {
        await OpenAsync(6);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        _pager.Before = (_, _) => throw new DeliveryException("answered 400.");
        for (var i = 0; i < 26 * 60; i++)
        {
            await WatchAsync();
        }

        _world.Store.All[0].Deliveries.Count(delivery => delivery.Contact == "duty").ShouldBeInRange(20, 40);
        _world.Store.All.ShouldAllBe(incident => !incident.HasDelivery("page:ended"));
        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task EndThatATeamsFallbackDidNotHear_IsToldTheLastInLineOfAll()
    {
        _chat.Before = (to, cancellationToken) => to.Recipient == "linus" ? ScriptedChannel.Fail(to, cancellationToken) : Task.CompletedTask;
        var team = _runbook with { Fallback = "platform-lead", Mitigation = _runbook.Mitigation with { Approval = Given.Approval() with { Escalate = [] } } };
        await OpenAsync([.. Enumerable.Repeat(team, 6)]);
        await AdvanceAsync(TimeSpan.FromMinutes(21));
        await WatchAsync();

        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("A person is needed: 6 of 6 incidents of 'Broken thing' were not solved");
    }

    /// <summary>The storm waits for the last of them; none speaks for itself meanwhile.</summary>
    [Fact]
    public async Task ExpiringOneAfterTheOtherForMinutes_IsOnePageAndNoneOfEach()
    {
        for (var i = 0; i < 65; i++)
        {
            await OpenAsync(1);
            await AdvanceAsync(TimeSpan.FromSeconds(4));
        }

        for (var i = 0; i < 30; i++)
        {
            await AdvanceAsync(TimeSpan.FromSeconds(30));
            await _world.Time.UntilDoneAsync(_world.Get<Runbooks.Watchdog.IncidentWatchdog>().CheckAsync(Cancel));
            await AdvanceAsync(TimeSpan.FromSeconds(30));
        }

        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Expired && !incident.HasDelivery("page:ended") && incident.HasDelivery("closed"));
        _pager.Sent.Count.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task LeasesOfAStormThatLastTooLong_AreOnePage()
    {
        await HoldAsync(8);
        await WatchAsync();
        await AdvanceAsync(TimeSpan.FromMinutes(31));
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Holding);
        await WatchAsync();
        await WatchAsync();
        await WatchAsync();

        var card = _pager.Sent.ShouldHaveSingleItem().Card;
        (card.Kind, card.Title).ShouldBe((CardKind.Page, "A person is needed: 8 incidents of 'Broken thing'"));
        card.Sections[0].Lines.ShouldHaveSingleItem().ShouldStartWith("8 targets: The temporary fix has been in place for more than 30m");
        _chat.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To.Recipient == "ada").ShouldBe(1);
        _world.Store.All.ShouldAllBe(incident => incident.HasDelivery("page:lease"));
    }

    [Fact]
    public async Task PageOfAStormThatTheFallbackDidNotHear_IsToldThemAlone()
    {
        await HoldAsync(8);
        _pager.Before = ScriptedChannel.Fail;
        await AdvanceAsync(TimeSpan.FromMinutes(31));
        await WatchAsync();
        _pager.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();
        await WatchAsync();

        _pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
        _chat.Sent.Count(sent => sent.Card.Kind == CardKind.Page && sent.To.Recipient == "ada").ShouldBe(1);
    }

    [Fact]
    public async Task Reports_AreOneMessage()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync([.. Enumerable.Repeat(_runbook with { ReportTo = ["platform-lead"] }, 60)]);
        await AdvanceAsync(s_gathered);
        await DecideAsync(_world.Store.All, DecisionVerb.Approve);

        await WatchAsync();
        await WatchAsync();

        TitlesTo("linus").ShouldBe(["Report: 60 incidents of 'Broken thing' have ended"]);
        TitlesTo("ada")[^1].ShouldBe("60 incidents of 'Broken thing' have ended");
    }

    /// <summary>They recovered before anybody was asked, and there are more of them than one message holds.</summary>
    [Fact]
    public async Task EndsThatNobodyHasToHearOf_HideNoneThatSomebodyHas()
    {
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);
        var storm = _world.Store.All[0].Storm;
        for (var i = 0; i < StormMembers.MaxMembers + 20; i++)
        {
            await _world.Store.OpenAsync(
                Given.Incident(_runbook, $"261123-0259-{i:000000}") with { Target = $"inference/llm-c-{i}", OpenedAt = Given.Night.AddSeconds(-30), Storm = storm, State = IncidentState.SelfRecovered, AlertResolvedAt = Given.Night, ClosedAt = Given.Night }, _runbook, _ => null, Cancel);
        }

        await DecideAsync(_world.Store.All.Where(incident => incident.OpenGate is not null), DecisionVerb.Reject);

        await WatchAsync();

        TitlesTo("ada")[^1].ShouldBe("6 incidents of 'Broken thing' have ended");
    }

    /// <summary>Its first question was answered long before the storm began: what is looked for among the storm's has to be found.</summary>
    [Fact]
    public async Task OlderIncidentThatAsksOnceMore_IsAMember()
    {
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);
        var older = Given.Incident(_runbook, "261123-0100-000000") with { OpenedAt = Given.Night.AddHours(-2) };

        (await _world.Get<StormRegistry>().JoinAsync(older, Cancel)).ShouldNotBeNull();

        (await _world.Get<StormRegistry>().ListAsync(Cancel)).ShouldHaveSingleItem().Since.ShouldBe(older.OpenedAt);
    }

    /// <summary>So many temporary fixes are in place, and their cause is not gone.</summary>
    private async Task HoldAsync(int count)
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync([.. Enumerable.Repeat(_runbook with { Mitigation = _runbook.Mitigation with { HoldUntil = s_hold } }, count)]);
        await AdvanceAsync(s_gathered);
        await DecideAsync(_world.Store.All, DecisionVerb.Approve);
        _world.Store.All.ShouldAllBe(incident => incident.State == IncidentState.Holding && incident.InStorm);
    }
}
