using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Intake;
using Runbooks.Model.Definition;
using Runbooks.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.Storage;

namespace Runbooks.Tests.Intake;

public sealed class ManualStartTests
{
    private readonly InMemoryIncidentStore _store = new();
    private readonly ManualStart _manual;

    public ManualStartTests()
    {
        var time = new FakeTimeProvider(Some.Time);
        var intake = SomeIntake.On(Loaded, _store, new RecordingEngine(time), time);
        _manual = new ManualStart(Loaded, intake);

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
    public async Task MissingLabels_AreNamedAndNothingIsOpened()
    {
        var result = await StartAsync("hanged-gpu", new() { ["pod"] = "llm-b-3" });

        result.Problem.ShouldBe(ManualStartProblem.MissingLabels);
        result.Errors.ShouldHaveSingleItem().ShouldContain("labels.namespace");
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
