using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Storage;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <summary>An alert whose channel did not take its end is not forgotten, and neither is what a host died over.</summary>
public sealed partial class UnendedAlertsTests : IAsyncDisposable
{
    private static readonly Delivery s_asked = new("mitigation-1:0:ada@test", "ada", "test", Some.Time, null, "alert-1");
    private readonly WatchdogWorld _world = new() { Rings = true };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EndThatWasNotTaken_IsTriedAgainAndTheTimelineSaysSo()
    {
        var id = await EndAsync();
        (await _world.Store.FindAsync(id, Cancel))!.Timeline[^1].What.ShouldBe("test could not be told that it is over, so an alert may ring on there. It is tried again for a day.");
        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));
        _world.TakesNoChange = false;

        var ended = await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10));

        _world.Changed.ShouldHaveSingleItem().Key.ShouldBe("alert-1");
        _world.Changed.Single().Card.Kind.ShouldBe(CardKind.Closed);
        ended.Timeline.Count(entry => entry.What.Contains("told that it is over")).ShouldBe(2);
        ended.Timeline[^1].What.ShouldBe("test has been told that it is over now.");
    }

    [Fact]
    public async Task EndThatIsNotTakenForADay_IsTriedEverMoreRarelyAndThenSaid()
    {
        var id = await EndAsync();

        var ended = await _world.CheckAsync(id, [.. Enumerable.Repeat(TimeSpan.FromMinutes(1), 26 * 60)]);

        _world.ChangesTried.ShouldBeInRange(25, 40);
        ended.Timeline[^1].What.ShouldBe("test could not be told that it is over for a day. An alert may ring on there: resolve it by hand.");
        ended.Timeline.Count(entry => entry.What.Contains("could not be told")).ShouldBe(2);
    }

    /// <summary>The answer was tried for longer than the incident took to end.</summary>
    [Fact]
    public async Task AnswerThatIsKeptAfterTheEnd_DoesNotTakeItsPlace()
    {
        var id = await EndAsync();
        var decided = Some.Waiting().Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time)).Incident with { Deliveries = [s_asked] };
        await _world.Get<NotificationUpdater>().ShowGateAsync(decided, "mitigation-1", Cancel);
        _world.TakesNoChange = false;

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));

        _world.Changed.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Closed);
    }

    /// <summary>While a question is open its card is brought up to date, which ends nothing.</summary>
    [Fact]
    public async Task QuestionThatIsStillOpen_IsNotKept()
    {
        _world.TakesNoChange = true;
        var id = await _world.OpenAsync(Some.Waiting() with { Deliveries = [s_asked] });
        await _world.Get<NotificationUpdater>().ShowGateAsync((await _world.Store.FindAsync(id, Cancel))!, "mitigation-1", Cancel);
        var tried = _world.ChangesTried;

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1));

        _world.ChangesTried.ShouldBe(tried);
    }

    /// <summary>A host died between the decision and its cards: the next look of the workflow shows it, and a look that is on time leaves that to whoever decided.</summary>
    [Theory]
    [InlineData(5, false)]
    [InlineData(31, true)]
    public async Task DecisionThatNobodyShowed_IsShownByTheReview(int seconds, bool shown)
    {
        var id = await _world.OpenAsync(Decided() with { Deliveries = [s_asked] });
        _world.Time.Advance(TimeSpan.FromSeconds(seconds));

        await _world.Get<ApprovalGateReview>().ReviewAsync(new ReviewGateRequest(id, "mitigation-1", "wake-1"), Cancel);

        _world.Changed.Select(changed => changed.Card.Kind).ShouldBe(shown ? [CardKind.Decided] : []);
    }

    /// <summary>It was answered before the pager was reached, and then the host died.</summary>
    [Fact]
    public async Task QuestionThatIsTakenUpAgainAfterItsAnswer_EndsWhatWasSent()
    {
        var id = await _world.OpenAsync(Decided().Expect([s_asked with { IsPerhaps = true }]));

        await _world.Get<ApprovalGateService>().OpenAsync(new OpenGateRequest(id, Phase.Mitigation, 1, [], false, null, "wake-1"), Cancel);

        _world.Sent.ShouldBeEmpty();
        _world.Changed.ShouldHaveSingleItem().Key.ShouldBe("alert-1");
    }

    [Fact]
    public async Task DecisionThatIsSentAgain_IsShown()
    {
        var id = await _world.OpenAsync(Decided() with { Deliveries = [s_asked] });

        var receipt = await _world.Get<ApprovalService>().DecideAsync(id, "mitigation-1", new DecisionRequest(DecisionVerb.Approve, "ada", "link"), Cancel);

        receipt.IsRepeated.ShouldBeTrue();
        _world.Changed.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Decided);
    }

    /// <summary>A host died between the close and all that follows it, days after the end.</summary>
    [Fact]
    public async Task CloseThatBrokeOff_IsFinishedByTheWatch()
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { Deliveries = [s_asked] };
        _world.Time.Advance(TimeSpan.FromDays(2));
        var id = await _world.OpenAsync(failed.CloseByHand("ada", "done", _world.Now).BeginClosing());

        var closed = await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2));

        closed.ClosedByHand!.IsUnfinished.ShouldBeFalse();
        _world.Changed.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Closed);
        _world.Ended.ShouldHaveSingleItem();
    }

    /// <summary>What the watch had begun is another matter: the run is not counted by whoever closes it.</summary>
    [Fact]
    public async Task CloseOfAnEndThatTheWatchHasNotFinished_LeavesThatToTheWatch()
    {
        var id = await _world.OpenAsync(Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { IsEndUnfinished = true });
        await _world.Get<IncidentVerbService>().CloseAsync(id, "ada", "done", Cancel);
        (await _world.Store.GetAsync(id, Cancel)).IsEndUnfinished.ShouldBeTrue();

        (await _world.CheckAsync(id, TimeSpan.FromMinutes(1))).IsEndUnfinished.ShouldBeFalse();
    }

    [Fact]
    public async Task Close_IsFinishedByWhoeverDoesIt()
    {
        var id = await _world.OpenAsync(Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time));

        (await _world.Get<IncidentVerbService>().CloseAsync(id, "ada", "done", Cancel)).Incident!.IsUnfinished.ShouldBeFalse();

        (await _world.Store.FindAsync(id, Cancel))!.ClosedByHand!.IsUnfinished.ShouldBeFalse();
        _world.Ended.ShouldHaveSingleItem();
    }

    /// <summary>A host died between the press and the cards, days after the end: they would call others until somebody pressed again.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AcknowledgementThatBrokeOff_IsShownByTheWatch(bool isClosedSince)
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { Deliveries = [s_asked with { Key = "closed:ada@test" }] };
        _world.Time.Advance(TimeSpan.FromDays(2));
        var acknowledged = failed.Acknowledge("ada", null, _world.Now).BeginShowing();
        var id = await _world.OpenAsync(isClosedSince ? acknowledged.CloseByHand("ada", "done", _world.Now) : acknowledged);

        await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2));

        _world.Changed.Select(changed => changed.Card.Kind).ShouldBe(isClosedSince ? [] : [CardKind.Decided]);
    }

    /// <summary>The next incident asks with alerts of its own. An alert that is only acknowledged would ring again, and nobody would ever close this one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RetryThatBrokeOff_IsShownByTheWatchAndItsAlertIsResolved(bool isAcknowledged)
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { Deliveries = [s_asked with { Key = "closed:ada@test" }] };
        failed = isAcknowledged ? failed.Acknowledge("grace", null, Some.Time) : failed;
        var id = await _world.OpenAsync(failed.NoteRetried("next", "ada", "the node is back", _world.Now));

        var ended = await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2));

        var card = _world.Changed.ShouldHaveSingleItem().Card;
        card.Title.ShouldStartWith("Tried again as incident next: ");
        card.Sections.Single(section => section.Heading == "What to do now").Lines.ShouldBe(["Incident next tries it again."]);
        (card.CallsNobody, card.IsSeenTo).ShouldBe((true, false));
        _world.Ended.ShouldHaveSingleItem("its ticket hears of it too");
        ended.IsAftermathUnfinished.ShouldBeFalse();
    }

    /// <summary>Nobody was needed, or somebody has closed it: its ticket hears of it all the same.</summary>
    [Theory]
    [InlineData(IncidentState.Cancelled, false)]
    [InlineData(IncidentState.Failed, true)]
    public async Task RetryThatBrokeOffOfWhatNeedsNobody_ReachesItsTicket(IncidentState state, bool isClosed)
    {
        var ended = Some.Waiting().End(state, "It broke.", Some.Time);
        ended = isClosed ? ended.CloseByHand("grace", "done", Some.Time) : ended;
        var id = await _world.OpenAsync(ended.NoteRetried("next", "ada", "the node is back", _world.Now));

        var after = await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2));

        _world.Ended.ShouldHaveSingleItem();
        after.IsUnfinished.ShouldBeFalse();
    }

    /// <summary>Acknowledged on its page before any message went out.</summary>
    [Fact]
    public async Task AcknowledgementThatBrokeOff_PagesNobodyAboutTheEnd()
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time);
        var id = await _world.OpenAsync(failed.Acknowledge("ada", null, _world.Now).BeginShowing());

        await _world.CheckAsync(id, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(3));

        _world.Paged.ShouldBeEmpty();
    }

    [Fact]
    public async Task Acknowledgement_IsShownByWhoeverDoesIt()
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { Deliveries = [s_asked with { Key = "closed:ada@test" }] };
        var id = await _world.OpenAsync(failed);

        await _world.Get<IncidentVerbService>().AcknowledgeAsync(id, "ada", null, Cancel);
        await _world.CheckAsync(id, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2));

        _world.Changed.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Decided);
    }

    /// <summary>Whoever presses again had no answer. What is closed goes on saying so.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AcknowledgedAgain_IsShownAgain(bool isClosedSince)
    {
        var failed = Some.Waiting().End(IncidentState.Failed, "It broke.", Some.Time) with { Deliveries = [s_asked with { Key = "closed:ada@test" }] };
        failed = failed.Acknowledge("ada", null, Some.Time);
        var id = await _world.OpenAsync(isClosedSince ? failed.CloseByHand("ada", "done", Some.Time) : failed);

        await _world.Get<IncidentVerbService>().AcknowledgeAsync(id, "ada", null, Cancel);

        _world.Changed.Select(changed => changed.Card.Kind).ShouldBe(isClosedSince ? [] : [CardKind.Decided]);
    }

    /// <summary>An incident whose end its alert is not told of.</summary>
    private async Task<string> EndAsync()
    {
        _world.TakesNoChange = true;
        var ended = Some.Waiting().End(IncidentState.Resolved, "It is over.", Some.Time) with { Deliveries = [s_asked] };
        var id = await _world.OpenAsync(ended);
        await _world.Get<NotificationUpdater>().ShowEndAsync(ended, _world.Get<IncidentCards>().Closed(ended, _world.Runbook), Cancel);
        return id;
    }

    private static Incident Decided() => Some.Waiting().Decide("mitigation-1", new Decision(DecisionVerb.Approve, "ada", "link", Some.Time)).Incident;

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
