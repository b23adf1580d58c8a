using Microsoft.Extensions.Time.Testing;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Intake;

public sealed class ManualStartTests
{
    private readonly InMemoryIncidentStore _store = new();
    private readonly IncidentIntake _intake;
    private readonly ManualStart _manual;
    private readonly RecordingEngine _engine;

    public ManualStartTests()
    {
        var time = new FakeTimeProvider(Some.Time);
        _intake = SomeIntake.On(Loaded, _store, _engine = new RecordingEngine(time), time);
        _manual = new ManualStart(Loaded, _store, _intake);

        static IReadOnlyCollection<Runbook> Loaded() => [Some.Runbook()];
    }

    [Fact]
    public async Task KnownRunbook_OpensAnIncidentInThePersonsName()
    {
        var result = await StartAsync("hanged-gpu", new() { ["namespace"] = "inference", ["pod"] = "llm-b-3" });

        result.Outcome.ShouldNotBeNull().Outcome.ShouldBe(IntakeResult.Opened);
        var incident = _store.All.ShouldHaveSingleItem();
        incident.StartedBy.ShouldBe("ada");
        incident.Target.ShouldBe("inference/llm-b-3");
        incident.Timeline[0].Who.ShouldBe("ada");
    }

    [Fact]
    public async Task SecondStartOnTheSameTarget_Folds()
    {
        var labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3" };
        await StartAsync("hanged-gpu", labels);

        (await StartAsync("hanged-gpu", labels)).Outcome.ShouldNotBeNull().Outcome.ShouldBe(IntakeResult.Folded);
    }

    [Fact]
    public async Task Proposal_OpensAnIncidentThatAsksFirst()
    {
        await _manual.StartAsync("hanged-gpu", new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3" }, "bot", "please", TestContext.Current.CancellationToken, proposed: true);

        var incident = _store.All.ShouldHaveSingleItem();
        (incident.IsProposed, incident.Mode).ShouldBe((true, RunMode.ApproveAll));
    }

    [Fact]
    public async Task ProposalOnATargetWithAnOpenIncident_IsNotedAndNeverLookedAtByItself()
    {
        var alert = Some.Alert() with { Labels = new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3" } };
        await _intake.ReceiveAsync([alert], TestContext.Current.CancellationToken);

        var answer = await _manual.StartAsync(
            "hanged-gpu", new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3", ["replicas"] = "50" }, "bot", "please", TestContext.Current.CancellationToken, proposed: true);

        var incident = _store.All.ShouldHaveSingleItem();
        answer.Outcome.ShouldNotBeNull().ShouldSatisfyAllConditions(
            outcome => outcome.Outcome.ShouldBe(IntakeResult.Folded),
            outcome => outcome.Reason.ShouldBe($"Incident {incident.Id} on this target is open already. The start is on its record and does nothing more."));
        incident.Others.ShouldBeEmpty();
        incident.AlertCount.ShouldBe(1);
        (incident.Timeline[^1].Who, incident.Timeline[^1].What).ShouldBe(("bot", "Started by hand once more, which opens nothing. Proposed by bot: please"));

        var second = await _manual.StartAsync("hanged-gpu", new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3" }, "bot", "please do", TestContext.Current.CancellationToken, proposed: true);
        second.Outcome.ShouldNotBeNull().Reason.ShouldBe($"Incident {incident.Id} on this target is open already. This start is not written down, since the record has one like it or is full, and does nothing more.");
        _store.All[0].Timeline.Count.ShouldBe(incident.Timeline.Count, "the lines are for the alerts");

        await _intake.ReceiveAsync([alert with { Status = AlertStatus.Resolved }], TestContext.Current.CancellationToken);
        _store.All[0].AlertResolvedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task StartWhileAFixSettles_WakesNothing()
    {
        await StartAsync("hanged-gpu", new() { ["namespace"] = "inference", ["pod"] = "llm-b-3" });
        await _store.UpdateAsync(_store.All[0].Id, i => i with { State = IncidentState.Resolved, SettlesAt = Some.Time.AddMinutes(10), WakeEvent = "settle-1" }, TestContext.Current.CancellationToken);

        var answer = await StartAsync("hanged-gpu", new() { ["namespace"] = "inference", ["pod"] = "llm-b-3" });

        answer.Outcome.ShouldNotBeNull().Reason.ShouldNotBeNull().ShouldContain("Try that one again if it is needed.");
        _engine.Woken.ShouldBeEmpty();
        _store.All.ShouldHaveSingleItem();
    }

    /// <summary>Somebody quotes a log that they have read elsewhere.</summary>
    [Fact]
    public async Task SecretInTheReason_IsHiddenBeforeItIsKept()
    {
        await _manual.StartAsync(
            "hanged-gpu", new Dictionary<string, string> { ["namespace"] = "inference", ["pod"] = "llm-b-3" }, "bot", "401 since API_KEY=PLANTED-d41d8cd98f00b204", TestContext.Current.CancellationToken, proposed: true);

        _store.All.ShouldHaveSingleItem().Alert.Summary.ShouldBe("Proposed by bot: 401 since API_KEY=•••");
    }

    /// <summary>A blank one is none, as in an alert.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(" ")]
    public async Task MissingLabels_AreNamedAndNothingIsOpened(string? given)
    {
        var result = await StartAsync("hanged-gpu", given is null ? new() { ["pod"] = "llm-b-3" } : new() { ["pod"] = "llm-b-3", ["namespace"] = given });

        result.Problem.ShouldBe(ManualStartProblem.MissingLabels);
        result.Errors.ShouldHaveSingleItem().ShouldContain("needs the label namespace");
        _store.All.ShouldBeEmpty();
    }

    [Fact]
    public async Task MisspeltRunbook_IsSuggested()
    {
        var result = await StartAsync("hangd-gpu", []);

        result.Problem.ShouldBe(ManualStartProblem.NoSuchRunbook);
        result.Errors.ShouldHaveSingleItem().ShouldContain("Did you mean 'hanged-gpu'?");
    }

    private Task<ManualStartResult> StartAsync(string runbook, Dictionary<string, string> labels) =>
        _manual.StartAsync(runbook, labels, "ada", null, TestContext.Current.CancellationToken);
}
