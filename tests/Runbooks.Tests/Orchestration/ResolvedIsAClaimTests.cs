using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>What a sender's word that it is over is worth: the checks decide.</summary>
public sealed class ResolvedIsAClaimTests : IAsyncDisposable
{
    private const string StillFails = "The sender says it is over; the checks still fail:";
    private readonly IncidentWorld _world = new(configure: services => services.AddIncidentIntake().AddSingleton<LoadedRunbooks>(() => [Given.Runbook()]));

    [Fact]
    public async Task ChecksStillFail_TheQuestionStandsAndSaysBothOnce()
    {
        var opened = await _world.OpenAsync(Given.Runbook());

        await _world.ResolveAlertAsync(opened.Id);
        await _world.ResolveAlertAsync(opened.Id);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.Timeline.Count(line => line.What.StartsWith(StillFails, StringComparison.Ordinal)).ShouldBe(1);
        incident.News.ShouldHaveSingleItem().Text.ShouldStartWith($"{StillFails} stuck: failing");
        (await _world.DecideAsync(opened.Id, DecisionVerb.Reject)).Result.Status.ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task ChecksStillFail_TheNextCardSaysSo()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        await _world.ResolveAlertAsync(opened.Id);

        await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(6));

        _world.Notifier.Sent.Last(sent => sent.Card.Kind == CardKind.Reminder).Card.Sections.ShouldContain(section => section.Heading == "News" && section.Lines[0].StartsWith(StillFails));
    }

    [Fact]
    public async Task ChecksPassAWhileLater_TheQuestionIsWithdrawnThen()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        await _world.ResolveAlertAsync(opened.Id);
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(2));

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        incident.Reason.ShouldBe("The alert was resolved before the steps were approved, and the checks no longer call for the mitigation.");
    }

    [Fact]
    public async Task OneCheckCannotBeAnswered_TheQuestionStands()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        _world.Script.Verdicts["stuck"] = Verdict.Passing;
        _world.Script.Verdicts["full"] = Verdict.Unknown;

        var incident = await _world.ResolveAlertAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.News.ShouldHaveSingleItem().Text.ShouldStartWith("The sender says it is over; not every check could be answered: full: unknown");
    }

    /// <summary>What passed before the alert began does not say that it is over.</summary>
    [Fact]
    public async Task PassesOnAValueOfBeforeTheAlert_TheQuestionStandsUntilANewerOneComes()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
        _world.Script.Measured["stuck"] = Given.Night - TimeSpan.FromMinutes(4);

        var incident = await _world.ResolveAlertAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.News.ShouldHaveSingleItem().Text.ShouldBe("The sender says it is over; not every check could be answered: stuck: unknown (Measured until 02:56:00 UTC, and the alert began at 03:00:00 UTC, so it does not count: stuck was asked)");
        _world.Script.Measured["stuck"] = Given.Night;
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task CheckThatDoesNotCallForTheMitigation_IsNotInTheWay()
    {
        var runbook = Given.Runbook();
        var opened = await _world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { When = new(Quantifier.Any, ["stuck"]) } });
        _world.Script.Verdicts["stuck"] = Verdict.Passing;

        (await _world.ResolveAlertAsync(opened.Id)).State.ShouldBe(IncidentState.SelfRecovered);
    }

    [Fact]
    public async Task RunbookWithoutChecks_TheSendersWordIsAllThereIs()
    {
        var runbook = Given.Runbook();
        var opened = await _world.OpenAsync(runbook with { Diagnosis = [], Mitigation = runbook.Mitigation with { Verify = null } });

        var incident = await _world.ResolveAlertAsync(opened.Id);

        incident.State.ShouldBe(IncidentState.SelfRecovered);
        incident.Reason!.ShouldContain("no checks that could confirm it");
    }

    [Fact]
    public async Task AlertFiresAgain_TheSendersWordIsTakenBack()
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        await _world.ResolveAlertAsync(opened.Id);

        await TakeAsync(Given.Alert());

        (await _world.SettleAsync(opened.Id)).News.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("MissingSeries")]
    [InlineData("NoData")]
    [InlineData("Error")]
    [InlineData("Paused")]
    [InlineData("RuleDeleted")]
    public async Task SendersOwnReasonIsNoAllClear_WithdrawsNothingByItself(string reason)
    {
        var opened = await _world.OpenAsync(Given.Runbook());
        var over = Given.Alert() with { Status = AlertStatus.Resolved, Annotations = new Dictionary<string, string> { ["grafana_state_reason"] = reason } };

        await TakeAsync(over);
        await TakeAsync(over);
        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(3));

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.AlertResolvedAt.ShouldBeNull();
        incident.Alerts.ShouldHaveSingleItem().EndedBecause.ShouldBe(reason);
        incident.Timeline.Count(line => line.What == $"alertmanager ended the alert InferenceRequestsStuck for the reason {reason}. That is no all-clear.").ShouldBe(1);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<IReadOnlyList<IntakeOutcome>> TakeAsync(Alert alert) => _world.Get<IncidentIntake>().ReceiveAsync([alert], TestContext.Current.CancellationToken);
}
