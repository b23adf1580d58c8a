using Runbooks.Approvals;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Given = TestKit.Incidents.Given;
using Storm = Runbooks.Notifications.Storms.StormRegistry;

namespace Runbooks.Tests.Notifications.Storms;

/// <content>One that is worse than all that people were told of is told by itself, also where the first attempt breaks off.</content>
public sealed partial class StormStoryTests
{
    [Fact]
    public async Task WorseThanTheOnlySeverityThatIsKnown_IsToldAtOnceByItself()
    {
        await OpenAsync([.. Enumerable.Repeat(_runbook, 8)], severity: null);
        await AdvanceAsync(s_gathered);
        await OpenAsync([_runbook], "warning");
        await AdvanceAsync(TimeSpan.FromMinutes(5));
        TitlesTo("ada").ShouldNotContain("Fix llm-b-0?");

        await OpenAsync([_runbook], "high");

        TitlesTo("ada").Last().ShouldBe("Fix llm-b-0?");
    }

    [Fact]
    public async Task WorseOneWhosePageBrokeOff_IsStillToBePaged()
    {
        await OpenAsync([.. Enumerable.Repeat(_runbook, 8)], "warning");
        await AdvanceAsync(s_gathered);
        var storms = _world.Get<Storm>();
        var (first, second) = (Worse(_world.Store.All[0]), Worse(_world.Store.All[1]));

        (await storms.IsWorstAsync(first, Cancel)).ShouldBeTrue();
        (await storms.IsWorstAsync(second, Cancel)).ShouldBeFalse();
        (await storms.IsWorstAsync(first, Cancel)).ShouldBeTrue();

        // A message about others is sent meanwhile.
        await storms.EndTurnAsync((await storms.TakeTurnAsync(first.Storm!, first.OpenedAt, toAsk: true, Cancel)).Storm, over: false, read: 0, Cancel);
        (await storms.IsWorstAsync(first, Cancel)).ShouldBeTrue();
    }

    [Fact]
    public async Task WorseOneWhoseQuestionBrokeOff_IsStillAskedAboutAtOnce()
    {
        await OpenAsync([.. Enumerable.Repeat(_runbook, 8)], "warning");
        await AdvanceAsync(s_gathered);
        var worse = Given.Incident(_runbook, "261123-0301-000099") with
        {
            Target = "inference/llm-b-99",
            Alert = Given.Alert() with { Severity = "Sev0" },
            OpenedAt = _world.Time.GetUtcNow(),
        };
        await _world.Store.OpenAsync(worse, _runbook, _ => null, Cancel);
        var request = new OpenGateRequest(worse.Id, Phase.Mitigation, 1, [], Unclear: false, Difference: null, "wake-1");
        using var stop = new CancellationTokenSource();
        _chat.Before = (_, token) =>
        {
            stop.Cancel();
            token.ThrowIfCancellationRequested();
            return Task.CompletedTask;
        };
        await Should.ThrowAsync<OperationCanceledException>(() => _world.Get<ApprovalGateService>().OpenAsync(request, stop.Token));
        _world.Store.All[^1].InStorm.ShouldBeTrue();

        _chat.Before = (_, _) => Task.CompletedTask;
        await _world.Get<ApprovalGateService>().OpenAsync(request, Cancel);

        TitlesTo("ada").Last().ShouldBe("Fix llm-b-0?");
    }

    private Incident Worse(Incident incident) => incident.Attach(TestKit.Some.Alert("EverythingHangs") with { Severity = "Sev0" }, _world.Time.GetUtcNow());
}
