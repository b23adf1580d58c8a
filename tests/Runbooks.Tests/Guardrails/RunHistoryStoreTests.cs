using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using TestKit.Engine;
using TestKit.Incidents;
using TestKit.Storage;

namespace Runbooks.Tests.Guardrails;

public sealed class RunHistoryStoreTests : IDisposable
{
    private static readonly Runbook s_runbook = Given.Runbook();
    private static readonly StepRecord s_step = new()
    {
        Phase = Phase.Mitigation, Name = "fix", Action = "script.act", GateId = "mitigation-1", Status = StepStatus.Done,
        StartedAt = Given.Night, FinishedAt = Given.Night, Preparation = new() { PlannedEffect = "Do fix." },
    };

    private readonly ListLogger _log = new();
    private readonly InMemorySharedState _state = new();
    private readonly FixedOptions<SafetyOptions> _options = new(new() { BreakerAfter = 2, AskAfterRecurrences = 2 });
    private readonly RunHistoryStore _histories;

    public RunHistoryStoreTests() =>
        _histories = new(_state, new StepCatalog([], []), _options, new FakeTimeProvider(Given.Night), _log.CreateLogger<RunHistoryStore>());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task BreakerThatOpensAndIsReset_IsInTheLogOnceEachAndTheRunsStay()
    {
        string[] opened = ["Error: The breaker of runbook broken-thing opened. The last 2 fixes of this runbook that could be judged did not help."];
        for (var i = 1; i <= 3; i++)
        {
            await FailAsync(s_runbook, i);
            _log.Lines.ShouldBe(i == 1 ? [] : opened);
        }

        (await _histories.ResetAsync(s_runbook.Id, "ada", "new image", Cancel)).ShouldNotBeNull();
        (await _histories.ResetAsync(s_runbook.Id, "ada", "once more", Cancel)).ShouldBeNull();

        _log.Lines.Skip(1).ShouldBe(["Warning: The breaker of runbook broken-thing was reset by ada: new image"]);
        (await _histories.ReadAsync(s_runbook.Id, Cancel)).Runs.Count.ShouldBe(3);
    }

    [Fact]
    public async Task FixThatIsSeenNotToHold_IsMarkedAmongTheOthers()
    {
        await RememberAsync((RunOutcome.Ineffective, 90), (RunOutcome.Verified, 30));

        await _histories.MarkRecurredAsync(Given.Incident(s_runbook), s_runbook, Cancel);

        (await _histories.ReadAsync(s_runbook.Id, Cancel)).Runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Ineffective, RunOutcome.Recurred]);
    }

    [Fact]
    public async Task OpenBreakers_AreThoseOfEachRunbookInTheOrderOfTheirIds()
    {
        var runbooks = ((string[])["b", "c", "a"]).Select(id => s_runbook with { Id = id }).ToList();
        foreach (var open in (Runbook[])[runbooks[0], runbooks[2]])
        {
            await FailAsync(open, 1);
            await FailAsync(open, 2);
        }

        (await _histories.OpenBreakersAsync(runbooks, Cancel)).Select(one => one.Runbook).ShouldBe(["a", "b"]);
    }

    /// <summary>What has begun may finish.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenBreaker_KeepsWhatHasNotBegun(bool begun)
    {
        await FailAsync(s_runbook, 1);
        await FailAsync(s_runbook, 2);

        var violation = await new BreakerGuardrail(_histories).CheckAsync(Question(begun), Cancel);

        (violation?.Guardrail, violation?.Severity, violation?.IsLiftedByPeople).ShouldBe(begun ? (null, null, null) : ("breaker", GuardrailSeverity.Forbid, true));
    }

    /// <summary>So often within as many times of the hour after which a fix counts as one that held.</summary>
    [Theory]
    [InlineData(GuardrailSeverity.AskFirst, RunOutcome.Recurred, 119, RunOutcome.Recurred, 30)]
    [InlineData(GuardrailSeverity.Tell, RunOutcome.Recurred, 120, RunOutcome.Recurred, 30)]
    [InlineData(GuardrailSeverity.Tell, RunOutcome.Verified, 100, RunOutcome.Recurred, 30)]
    public async Task FixesThatCameUndone_AreCountedWhereThatWasLately(GuardrailSeverity severity, RunOutcome first, int firstAgo, RunOutcome second, int secondAgo)
    {
        await RememberAsync((first, firstAgo), (second, secondAgo));

        var violation = (await new SuccessRateGuardrail(_histories, _options).CheckAsync(Question(begun: false), Cancel)).ShouldNotBeNull();

        (violation.Guardrail, violation.Severity).ShouldBe(("efficacy", severity));
    }

    /// <summary>It is the runbook's whole sense to move users for as long as their provider is away; that is told, and asks nobody first.</summary>
    [Fact]
    public async Task CauseOfATemporaryFixThatComesBack_IsToldAndNoWarning()
    {
        await RememberAsync([.. ((int[])[100, 30]).Select(ago => Run(ago, RunOutcome.Unverified, ago) with { IsTemporary = true, CauseBack = true })]);

        var violation = (await new SuccessRateGuardrail(_histories, _options).CheckAsync(Question(begun: false), Cancel)).ShouldNotBeNull();

        violation.Severity.ShouldBe(GuardrailSeverity.Tell);
        violation.Why.ShouldBe("For 2 runs nothing shows whether they helped. The cause came back soon after 2 of them had ended. On this target that was so 2 times lately: it may have to be held longer ('stableFor').");
    }

    [Fact]
    public async Task FixThatHasBegun_IsNotToldHowItWentBefore()
    {
        await RememberAsync((RunOutcome.Recurred, 30));

        (await new SuccessRateGuardrail(_histories, _options).CheckAsync(Question(begun: true), Cancel)).ShouldBeNull();
    }

    public void Dispose() => _log.Dispose();

    private static GuardrailContext Question(bool begun) => new(Given.Incident(s_runbook) with { Steps = begun ? [s_step] : [] }, s_runbook, Phase.Mitigation, AboutToRun: true);

    private Task FailAsync(Runbook runbook, int number) => _histories.RecordAsync(
        (Given.Incident(runbook, $"i-{number}") with { Steps = [s_step] }).End(IncidentState.Failed, "It failed.", Given.Night.AddMinutes(number)), runbook, Cancel);

    private Task RememberAsync(params (RunOutcome Outcome, int MinutesAgo)[] runs) => RememberAsync([.. runs.Select((run, i) => Run(i, run.Outcome, run.MinutesAgo))]);

    private Task RememberAsync(IReadOnlyList<RecordedRun> runs) => _state.ChangeAsync<RunHistory>($"ledger:{s_runbook.Id}", _ => new() { Runs = runs }, Cancel);

    private static RecordedRun Run(int number, RunOutcome outcome, int minutesAgo) =>
        new($"i-{number}", "inference/llm-b-0", outcome, Given.Night.AddDays(-1), Given.Night.AddMinutes(-minutesAgo), TimeSpan.FromMinutes(3));
}
