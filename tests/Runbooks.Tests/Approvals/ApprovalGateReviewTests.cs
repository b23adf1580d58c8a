using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Watchdog;
using TestKit;

namespace Runbooks.Tests.Approvals;

/// <summary>What a look at a question does, and when the next one is due.</summary>
public sealed class ApprovalGateReviewTests : IAsyncDisposable
{
    private static readonly Delivery s_asked = new("mitigation-1:0:ada@test", "ada", "test", Some.Time, null, "alert-1");
    private static readonly Gate s_gate = Some.Gate() with { ExpiresAt = Some.Time.AddHours(1) };
    private readonly WatchdogWorld _world = new();

    [Theory]
    [InlineData(60, null, false, 15)]
    [InlineData(60, 3, false, 3)]
    [InlineData(5, 20, false, 5)]
    [InlineData(60, null, true, 3)]
    public async Task NextLook_IsWhenSomethingIsDue(int expires, int? reminds, bool silenceIsYes, int minutes)
    {
        var gate = s_gate with
        {
            ExpiresAt = Some.Time.AddMinutes(expires),
            Reminders = reminds is { } after ? [new(Some.Time.AddMinutes(after), [])] : [],
            OnTimeout = silenceIsYes ? OnTimeout.ProceedIfReversible : OnTimeout.Abort,
            Plan = new Plan("plan-1", [Some.Step() with { Undo = "Put it back." }]),
        };

        (await LookAsync(Asked(gate))).NextReview.ShouldBe(Some.Time.AddMinutes(minutes));
    }

    [Fact]
    public async Task AlertThatComesAndGoes_IsLookedAtEachMinute()
    {
        var flapping = Asked(s_gate) with { Recurrences = [new("alertmanager", "HighLatency_Cluster_B", 3, Some.Time, Some.Time, [Some.Time, Some.Time, Some.Time])] };

        (await LookAsync(flapping with { ShownNews = flapping.NewsMark })).NextReview.ShouldBe(Some.Time.AddMinutes(1));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task News_IsShownOnceAndToldWhereItIsUrgent(bool urgent)
    {
        var incident = Asked(s_gate).AddNews("k", "azure", "It is worse.", Some.Time, urgent);

        (await LookAsync(incident)).NextReview.ShouldBe(Some.Time.AddMinutes(15));
        await LookAgainAsync(incident.Id);

        _world.Changed.Count(changed => changed.Key == "alert-1").ShouldBe(1);
        _world.Sent.Select(sent => sent.Card.Title).ShouldBe(urgent ? ["News: Recycle pod llm-b-0?"] : []);
    }

    /// <summary>What was told before the question is in the question.</summary>
    [Fact]
    public async Task UrgentNewsOfBeforeTheQuestion_IsNotToldAgain()
    {
        await LookAsync(Asked(s_gate).AddNews("k", "azure", "It is worse.", Some.Time.AddMinutes(-1), urgent: true));

        _world.Sent.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(GateOutcome.Approved, null)]
    [InlineData(GateOutcome.Rejected, "ada said no.")]
    public async Task ClosedQuestion_SaysWhyItDidNotEndInAYes(GateOutcome outcome, string? reason)
    {
        var status = await LookAsync(Asked(s_gate with { Outcome = outcome, ClosedAt = Some.Time, ClosedBy = "ada said no." }));

        (status.GateId, status.Outcome, status.Reason, status.TakesBack).ShouldBe(("mitigation-1", outcome, reason, false));
    }

    [Fact]
    public async Task StopThatTakesBack_IsPassedOn() =>
        (await LookAsync(Asked(s_gate) with { Stop = new("ada", "wrong", Some.Time, TakesBack: true) })).ShouldSatisfyAllConditions(
            status => status.Outcome.ShouldBe(GateOutcome.Cancelled),
            status => status.TakesBack.ShouldBeTrue());

    [Fact]
    public async Task QuestionThatIsNotThere_IsSaidToBeTheFault()
    {
        var id = await _world.OpenAsync(Asked(s_gate));

        (await Should.ThrowAsync<InvalidOperationException>(() => _world.Get<ApprovalGateReview>().ReviewAsync(new(id, "none", "wake-2"), TestContext.Current.CancellationToken))).Message
            .ShouldBe($"Incident {id} has no gate 'none'.");
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private static Incident Asked(Gate gate) => Some.Waiting(gate: gate) with { Deliveries = [s_asked] };

    private async Task<GateStatus> LookAsync(Incident incident) => await LookAgainAsync(await _world.OpenAsync(incident));

    private Task<GateStatus> LookAgainAsync(string id) =>
        _world.Get<ApprovalGateReview>().ReviewAsync(new ReviewGateRequest(id, "mitigation-1", "wake-2"), TestContext.Current.CancellationToken);
}
