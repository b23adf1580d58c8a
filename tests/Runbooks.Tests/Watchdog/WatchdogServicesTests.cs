using System.Text.Json;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;

namespace Runbooks.Tests.Watchdog;

public sealed partial class IncidentWatchdogTests : IAsyncDisposable
{
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    private readonly WatchdogWorld _world = new();

    [Fact]
    public async Task IncidentThatGoesOn_IsLeftAlone()
    {
        var id = await _world.OpenAsync(Asked());

        await _world.CheckAsync(id, s_minute, s_minute * 5, s_minute * 5);

        _world.Sent.ShouldBeEmpty();
        _world.Engine.Woken.ShouldBeEmpty();
        _world.Engine.Started.ShouldBeEmpty();
    }

    [Fact]
    public async Task IncidentThatTheEngineDoesNotKnow_IsStarted()
    {
        var id = await _world.OpenAsync(Some.Incident(), engine: null);

        await _world.CheckAsync(id, s_minute);
        _world.Engine.Started.ShouldBeEmpty("the start may still be under way");
        await _world.CheckAsync(id, s_minute * 2);

        _world.Engine.Started.ShouldHaveSingleItem().IncidentId.ShouldBe(id);
    }

    [Theory]
    [InlineData(EngineStatus.Failed, "It is not tried again.", "The automation broke: It is not tried again.")]
    [InlineData(EngineStatus.Failed, null, "The automation broke: the engine gives no reason.")]
    [InlineData(EngineStatus.Terminated, null, "The automation was terminated from outside.")]
    public async Task WorkflowThatFailed_PagesAndClosesSoThatTheNextAlertOpensAnew(EngineStatus status, string? failure, string reason)
    {
        var id = await _world.OpenAsync(Some.Incident(), status, failure);

        var incident = await _world.CheckAsync(id, s_minute, s_minute, s_minute * 10);

        incident.State.ShouldBe(IncidentState.Failed);
        incident.Reason!.ShouldBe($"{reason} Nothing was done.");
        _world.Paged.ShouldBe([ContactBook.Fallback]);
        _world.Ended.ShouldBe([$"{id} Failed"]);
        incident.Timeline[^1].What.ShouldBe("Wrote on the ticket how this ended.");
    }

    /// <summary>The last activity closes the record, and its write may not be seen at once.</summary>
    [Fact]
    public async Task WorkflowThatEndedWithoutClosingIt_IsGivenAMomentThenClosedAndPaged()
    {
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Completed);
        (await _world.CheckAsync(id, s_minute)).State.ShouldBe(IncidentState.Diagnosing);
        _world.Sent.ShouldBeEmpty();

        var incident = await _world.CheckAsync(id, s_minute * 2, s_minute);

        (incident.State, incident.Reason).ShouldBe((IncidentState.Failed, "The automation ended without closing the incident. Nothing was done."));
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    /// <summary>Nobody runs what would be approved: the page is about what the incident is from then on.</summary>
    [Fact]
    public async Task WorkflowThatFailedWhileItAsked_PagesForNoAnswer()
    {
        var id = await _world.OpenAsync(Asked(), EngineStatus.Failed, "non-deterministic");

        await _world.CheckAsync(id, s_minute);

        var page = _world.Sent.First(sent => sent.Card.Kind == CardKind.Page).Card;
        page.Sections.Single(section => section.Heading == "What to do now").Lines[0].ShouldBe("Fix it by hand and close the incident, or try it again. Acknowledge it first, so that others see that you are on it.");
    }

    [Fact]
    public async Task EndThatTheWatchRecords_IsReportedToo()
    {
        await using var world = new WatchdogWorld { Runbook = Some.Runbook() with { ReportTo = ["quality"] } };
        var id = await world.OpenAsync(Some.Incident(), EngineStatus.Failed, "non-deterministic");

        await world.CheckAsync(id, s_minute, s_minute, s_minute * 10);

        world.Sent.Where(sent => sent.To == "quality").ShouldHaveSingleItem().Card.Title.ShouldStartWith("Report: ");
    }

    /// <summary>As at any other end: a second alert that nobody has looked at, and the cards that still ask.</summary>
    [Fact]
    public async Task EndThatTheWatchRecords_LosesNoOtherAlertAndLeavesNoCardThatAsks()
    {
        var step = new StepSpec("recycle", "kubernetes.recyclePod", JsonSerializer.SerializeToElement(new { pod = "{{ labels.pod }}" }), StepSpec.DefaultTimeout, StepRetry.Default);
        await using var world = new WatchdogWorld { Runbook = Some.Runbook() with { Mitigation = new Mitigation { Steps = [step] } } };
        var asked = Asked() with { Deliveries = [new Delivery("mitigation-1:0:oncall", "oncall", "test", Some.Time, null, "card-1")] };
        var id = await world.OpenAsync(asked.Attach(Some.Alert(pod: "llm-b-1"), Some.Time), EngineStatus.Failed, "begun under version 2.0");

        var incident = await world.CheckAsync(id, s_minute);

        var next = world.Store.All.Single(other => other.Id != id);
        (next.FollowUpOf, next.Alert.Labels["pod"], incident.FollowedBy).ShouldBe((id, "llm-b-1", next.Id));
        world.Engine.Started.ShouldHaveSingleItem().IncidentId.ShouldBe(next.Id);
        world.Changed.Select(changed => changed.Key).ShouldContain("card-1");
        world.Paged.ShouldBe(["oncall", ContactBook.Fallback], ignoreOrder: true);
    }

    /// <summary>The store is away in between, or an integration breaks. What waits for this end, and what it leaves firing, would be lost.</summary>
    [Fact]
    public async Task EndThatTheWatchRecordsAndThatBreaksOff_IsFinishedByTheNextOne()
    {
        _world.IsTicketSystemDown = true;
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Failed, "non-deterministic");

        (await _world.CheckAsync(id, s_minute)).State.ShouldBe(IncidentState.Failed);
        _world.Ended.ShouldBeEmpty();
        _world.IsTicketSystemDown = false;
        await _world.CheckAsync(id, s_minute, s_minute, s_minute * 10);

        _world.Ended.ShouldBe([$"{id} Failed"]);
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task WorkflowThatFailedWhileNobodyCanBeReached_StaysOpenUntilSomebodyIs()
    {
        _world.ChannelIsDown = true;
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Terminated);

        (await _world.CheckAsync(id, s_minute)).State.ShouldBe(IncidentState.Diagnosing);
        _world.ChannelIsDown = false;
        var incident = await _world.CheckAsync(id, s_minute, s_minute);

        incident.State.ShouldBe(IncidentState.Failed);
        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task PageThatReachesNobody_IsRetriedEverMoreRarely()
    {
        _world.ChannelIsDown = true;
        var id = await _world.OpenAsync(Some.Incident(), EngineStatus.Failed);

        var incident = await _world.CheckAsync(id, [.. Enumerable.Repeat(s_minute, 180)]);

        incident.Deliveries.Count.ShouldBeInRange(6, 10);
    }

    [Fact]
    public async Task QuestionThatReachedNobody_IsPagedOnce()
    {
        var id = await _world.OpenAsync(Some.Waiting());

        await _world.CheckAsync(id, s_minute);
        _world.Paged.ShouldBeEmpty();
        await _world.CheckAsync(id, s_minute * 2, s_minute, s_minute);

        _world.Paged.ShouldBe([ContactBook.Fallback]);
        _world.Sent.First().Card.Sections[0].Lines[0].ShouldContain("Recycle pod llm-b-0?");
    }

    [Fact]
    public async Task IncidentThatStandsStill_IsPagedOnce()
    {
        var id = await _world.OpenAsync(Some.Incident());

        await _world.CheckAsync(id, s_minute * 14);
        _world.Paged.ShouldBeEmpty();
        var incident = await _world.CheckAsync(id, s_minute * 7, s_minute * 20, s_minute * 60);

        _world.Paged.ShouldBe([ContactBook.Fallback]);
        incident.State.ShouldBe(IncidentState.Diagnosing, "a person looks; the watch takes nothing away from the workflow");
    }

    /// <summary>A time that has not come yet is no movement, whichever machine's clock was ahead.</summary>
    [Fact]
    public async Task IncidentThatStandsStillSinceAClockWasAhead_IsPaged()
    {
        var id = await _world.OpenAsync(Some.Incident().Note(Some.Time.AddDays(1), TimelineKind.Note, "runbook", "Asked the checks."));

        await _world.CheckAsync(id, s_minute * 14);
        _world.Paged.ShouldBeEmpty();
        await _world.CheckAsync(id, s_minute * 7);

        _world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    /// <summary>Healthy checks are looked at as often as a fix is verified: until the next look is due nothing stands still.</summary>
    [Fact]
    public async Task HealthyChecksThatAreLookedAtAgain_StandStillOnlyOnceTheNextLookIsLate()
    {
        var runbook = Some.Runbook();
        await using var world = new WatchdogWorld { Runbook = runbook with { Mitigation = runbook.Mitigation with { Verify = new(["gpu-memory"], s_minute * 30, s_minute * 60) } } };
        var id = await world.OpenAsync(Some.Incident().WatchHealthy(Condition.AnyCheck, [Some.Finding(verdict: Verdict.Passing)], world.Now + (s_minute * 60), world.Now));

        await world.CheckAsync(id, s_minute * 44);
        world.Paged.ShouldBeEmpty();
        await world.CheckAsync(id, s_minute * 10);
        world.Paged.ShouldBe([ContactBook.Fallback]);
    }

    [Fact]
    public async Task GateThatOutlivesItsEnd_IsPaged()
    {
        var id = await _world.OpenAsync(Asked());

        await _world.CheckAsync(id, s_minute * 19);
        _world.Paged.ShouldBeEmpty("its time is not over");
        await _world.CheckAsync(id, s_minute * 20);

        _world.Paged.ShouldContain(ContactBook.Fallback);
    }

    [Fact]
    public async Task IncidentThatCannotBeLookedAt_DoesNotHideTheOthers()
    {
        await _world.OpenAsync(Some.Incident("261123-0312-aaaaaaaa", "inference/a") with { RunbookHash = "lost" }, EngineStatus.Failed);
        var id = await _world.OpenAsync(Some.Incident("261123-0312-bbbbbbbb", "inference/b"), EngineStatus.Failed);

        var incident = await _world.CheckAsync(id, s_minute);

        incident.State.ShouldBe(IncidentState.Failed);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <summary>An incident that waits for an answer to a question that reached somebody.</summary>
    private static Incident Asked(Gate? gate = null) =>
        Some.Waiting(gate: gate) with { Deliveries = [new Delivery("mitigation-1:0:oncall", "oncall", "test", Some.Time, null)] };
}
