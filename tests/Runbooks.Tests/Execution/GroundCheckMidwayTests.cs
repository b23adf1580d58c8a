using Runbooks.Catalog.Steps;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Tests.Execution;

/// <summary>Hours may pass between two steps, or between two attempts at one, and then too the checks are asked once more.</summary>
public sealed class GroundCheckMidwayTests : IAsyncDisposable
{
    private static readonly TimeSpan s_outage = TimeSpan.FromHours(6);
    private static readonly Runbook s_runbook = Given.Runbook() with { Resolution = new() };
    private readonly IncidentWorld _world = new();

    public GroundCheckMidwayTests() =>
        _world.Script.OnDone = name => _world.Script.Verdicts["stuck"] = name == "fix" ? Verdict.Passing : _world.Script.Verdicts["stuck"];

    [Fact]
    public async Task PersonTookHoursOverTheirStep_TheChecksAreAskedAgainBeforeOursActs()
    {
        var byHand = Given.Step("swap", "person", new { instruction = "Swap it.", who = new[] { "hands" } }) with { Timeout = TimeSpan.FromDays(7) };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [byHand, Given.Step("fix")] } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        await _world.AdvanceAsync(opened.Id, s_outage);
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = Verdict.Passing;

        var (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        _world.Script.Deeds.ShouldBeEmpty();
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldContain("stuck: passing");
        incident.OpenGate.Warnings.ShouldNotContain(warning => warning.Contains("half done"), "their step is finished");
    }

    /// <summary>The host went down in the middle of the first step: whether it is finished is asked anew where nothing is wrong any more.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task HostWasDownInTheMiddleOfAStep_TheChecksAreAskedAgainBeforeItGoesOn(bool isWell)
    {
        var down = true;
        _world.Script.BeforeActing = name =>
        {
            if (name != "drain" || !down)
            {
                return null;
            }

            down = false;
            _world.Time.Advance(s_outage);
            _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = isWell ? Verdict.Passing : Verdict.Failing;
            return new IOException("gone");
        };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("drain"), Given.Step("fix")] } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        incident.Timeline.ShouldContain(line => line.What.Contains(isWell ? "reasons to act are not seen any more" : "reasons to act still hold", StringComparison.Ordinal));
        if (isWell)
        {
            _world.Script.Deeds.ShouldBeEmpty();
            incident.OpenGate!.Warnings.ShouldContain("Step 'drain' has begun, and may be half done.");
            (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        }

        _world.Script.Deeds.ShouldBe(["do drain", "do fix"]);
        incident.State.ShouldBe(IncidentState.Resolved);
    }

    /// <summary>What it began may be half done: a no takes it back.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task BrokeOffAndWaitedLongForItsTurn_TheChecksAreAskedAgainBeforeItGoesOn(bool isWell)
    {
        var (broke, free) = (false, _world.Time.GetUtcNow() + TimeSpan.FromHours(2));
        _world.Script.BeforeActing = name =>
            !broke ? Break() : _world.Time.GetUtcNow() < free ? new AttemptFailedException("It is being changed by another step.") { IsBusy = true } : null;
        var opened = await _world.OpenAsync(s_runbook);
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);
        (await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(20))).State.ShouldBe(IncidentState.Mitigating);
        _world.Script.Verdicts["stuck"] = _world.Script.Verdicts["full"] = isWell ? Verdict.Passing : Verdict.Failing;

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(isWell ? 15 : 130));

        if (!isWell)
        {
            incident.State.ShouldBe(IncidentState.Resolved);
            _world.Script.Deeds.ShouldBe(["do fix"]);
            return;
        }

        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Difference.ShouldNotBeNull().ShouldEndWith("full: passing (full was asked)");
        incident.OpenGate.Warnings.ShouldContain("Step 'fix' has begun, and may be half done.");
        incident.Timeline.ShouldContain(line => line.What.StartsWith("fix was not tried again: ", StringComparison.Ordinal));
        (incident, _) = await _world.DecideAsync(opened.Id, DecisionVerb.Reject);
        incident.State.ShouldBe(IncidentState.Rejected);
        _world.Script.Deeds.ShouldBe(["undo fix"]);

        IOException Break()
        {
            broke = true;
            return new("broke off");
        }
    }

    /// <summary>A long attempt breaks off: it was at work until just now.</summary>
    [Fact]
    public async Task BreaksOffAfterLongWork_IsTriedAgainWithoutALook()
    {
        var broke = false;
        _world.Script.BeforeActing = _ =>
        {
            if (broke)
            {
                return null;
            }

            broke = true;
            _world.Time.Advance(TimeSpan.FromMinutes(45));
            return new IOException("broke off");
        };
        var opened = await _world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Steps = [Given.Step("fix") with { Timeout = TimeSpan.FromHours(1) }] } });
        await _world.DecideAsync(opened.Id, DecisionVerb.Approve);

        var incident = await _world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(1));

        incident.State.ShouldBe(IncidentState.Resolved);
        _world.Script.Asked.ShouldBe(["stuck", "full", "stuck"], ignoreOrder: true);
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();
}
