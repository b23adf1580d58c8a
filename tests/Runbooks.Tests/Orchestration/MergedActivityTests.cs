using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using TestKit.Incidents;

namespace Runbooks.Tests.Orchestration;

/// <summary>What follows one another at once is one activity, which may be cut off in the middle or take too long.</summary>
public sealed class MergedActivityTests : IAsyncDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private static readonly Runbook s_threeSteps = s_runbook with
    {
        Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("one"), Given.Step("two"), Given.Step("three")] }, Resolution = new(),
    };

    private readonly IncidentWorld _world;
    private readonly List<string> _activities = [];
    private Action? _afterDiagnosis;
    private Func<string, bool> _breaks = _ => false;
    private bool _breaksLate;

    public MergedActivityTests() => _world = new(new WorldHubOptions { Around = AroundAsync });

    [Fact]
    public async Task WholeStory_TakesFiveActivities()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _activities.ShouldBe([nameof(Diagnose), nameof(ReviewGate), nameof(Recheck), nameof(RunSteps), nameof(EndIncident)]);
    }

    [Fact]
    public async Task AnswerOfTheDiagnosisIsLostAfterPeopleWereAsked_WhatTheyWereToldStands()
    {
        _afterDiagnosis = () =>
        {
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;
            throw new IOException("the answer got lost");
        };
        var opened = await _world.OpenAsync(s_runbook);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromSeconds(5));

        _activities.ShouldBe([nameof(Diagnose), nameof(Diagnose)]);
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.Findings.ShouldAllBe(finding => finding.Verdict == Verdict.Failing);
        _world.Script.Asked.ShouldBe(["stuck", "full"], ignoreOrder: true);
        _world.Notifier.Sent.ShouldHaveSingleItem();
    }

    /// <summary>All attempts to ask checks and people at once break, before or after people were asked.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DiagnosisThatKeepsBreaking_AsksPeopleOnWhatTheChecksSaidAndHearsTheirAnswer(bool late)
    {
        (_breaks, _breaksLate) = (activity => activity == nameof(Diagnose) && _activities.Count <= 8, late);
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);

        var asked = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(4));
        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.ShouldAllBe(finding => finding.Verdict == Verdict.Failing);
        _world.Notifier.Sent.ShouldHaveSingleItem();

        (await _world.DecideAsync(opened.Id, DecisionVerb.Approve)).Incident.State.ShouldBe(IncidentState.Resolved);
    }

    [Fact]
    public async Task ResolutionThatKeepsBreaking_LeavesTheFix()
    {
        var opened = await _world.OpenAsync(s_runbook with
        {
            Mitigation = s_runbook.Mitigation with { Verify = null }, Resolution = s_runbook.Resolution with { Approval = Given.Approval() },
        });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _breaks = activity => activity == nameof(ReviewGate);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var ended = await _world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Steps.ShouldAllBe(step => step.Status == StepStatus.Done);
        _activities.ShouldNotContain(nameof(UndoSteps));
    }

    /// <summary>Somebody closed it while its workflow was away; what was done stays as it is.</summary>
    [Fact]
    public async Task UndoOfAnEndedIncident_TouchesNothing()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);
        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        await _world.Get<StepUndoer>().UndoAsync(new UndoRequest(ended.Id, "late"), CancellationToken.None);

        (await _world.Store.FindAsync(ended.Id, CancellationToken.None)).ShouldBeSameAs(ended);
    }

    [Fact]
    public async Task StepsThatTakeLong_AreSpreadOverActivities()
    {
        _world.Script.BeforeActing = _ =>
        {
            _world.Time.Advance(TimeSpan.FromMinutes(11));
            return null;
        };
        var opened = await _world.OpenAsync(s_threeSteps);

        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Deeds.ShouldBe(["do one", "do two", "do three"]);
        _activities.Take(4).ShouldBe([nameof(Diagnose), nameof(ReviewGate), nameof(RunSteps), nameof(RunSteps)]);
    }

    [Fact]
    public async Task StepThatFailsAtFirst_IsTriedAgainAfterItsPauseAndThoseBeforeItAreNot()
    {
        var failures = new Queue<IOException>([new("refused"), new("refused")]);
        _world.Script.BeforeActing = name => name == "two" && failures.TryDequeue(out var failure) ? failure : null;
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_threeSteps);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        _world.Script.Deeds.ShouldBe(["do one"]);

        // The second pause is twice as long as the first.
        await _world.AdvanceAsync(opened.Id, 2 * StepRetry.Default.Delay);
        _world.Script.Deeds.ShouldBe(["do one"]);
        var incident = await _world.AdvanceAsync(opened.Id, StepRetry.Default.Delay);

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Deeds.ShouldBe(["do one", "do two", "do three"]);
    }

    /// <summary>The process that was asking died, another one ended the incident, and then the asking is delivered once more.</summary>
    [Fact]
    public async Task QuestionOfAnEndedIncident_AsksNobodyAndChangesNothing()
    {
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        var opened = await _world.OpenAsync(s_runbook);
        var (ended, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        ended.State.ShouldBe(IncidentState.Resolved);
        var told = _world.Notifier.Sent.Count;

        var late = await _world.Get<ApprovalGateService>().OpenAsync(
            new OpenGateRequest(ended.Id, Phase.Mitigation, Round: 2, [], Unclear: false, Difference: null, "wake-late"), CancellationToken.None);

        late.Outcome.ShouldBe(GateOutcome.Cancelled);
        (await _world.Store.FindAsync(ended.Id, CancellationToken.None)).ShouldBeEquivalentTo(ended);
        _world.Notifier.Sent.Count.ShouldBe(told);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private async Task<object?> AroundAsync(string activity, Func<Task<object?>> run)
    {
        _activities.Add(activity);
        var breaks = _breaks(activity);
        var answer = breaks && !_breaksLate ? throw new IOException("away") : await run();
        if (breaks)
        {
            throw new IOException("the answer got lost");
        }

        if (activity == nameof(Diagnose) && _afterDiagnosis is { } happens)
        {
            _afterDiagnosis = null;
            happens();
        }

        return answer;
    }
}
