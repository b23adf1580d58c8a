using Runbooks.Catalog;
using Runbooks.Incidents;
using Runbooks.Messages;
using Runbooks.Steps;
using TestKit.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class ProviderOutageTests : IAsyncLifetime
{
    private const string Sample = "provider-outage.azure-monitor";
    private const string Flag = "/appconfiguration/kv/.appconfig.featureflag%2Flocal-model-only?api-version=2023-11-01";
    private const string Banner = "/appconfiguration/kv/banner?api-version=2023-11-01";
    private PracticeWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await PracticeWorld.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private Task<bool> IsAsync(string path) => _world.ExistsAsync(path);

    private Task OutageAsync(bool down) => _world.SendAsync(HttpMethod.Post, "/provider/_outage", new { down });

    [Fact]
    public async Task Outage_IsDegradedWhileItLastsAndTakenBackWhenItIsOver()
    {
        var asked = await _world.FireAsync(Sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.Single(finding => finding.Name == "provider-down").Result.Summary.ShouldContain("503");

        var holding = await _world.ApproveAsync(asked.Id);

        holding.State.ShouldBe(IncidentState.Holding);
        (await _world.GetAsync(Flag)).GetProperty("value").GetString().ShouldNotBeNull().ShouldContain("\"enabled\":true");
        (await _world.GetAsync(Banner)).GetProperty("value").GetString().ShouldNotBeNull().ShouldContain("Creative writing is paused");
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Holding);

        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(20));

        ended.State.ShouldBe(IncidentState.Resolved);
        ended.Steps.Where(step => step.Phase == Phase.Mitigation).ShouldAllBe(step => step.Status == StepStatus.Undone);
        (await IsAsync(Flag)).ShouldBeFalse();
        (await IsAsync(Banner)).ShouldBeFalse();
    }

    [Fact]
    public async Task NobodyAnswers_ItProceedsBecauseItCanBeTakenBack()
    {
        await OutageAsync(true);
        var asked = await _world.FireAsync(Sample);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(16))).State.ShouldBe(IncidentState.Holding);

        (await IsAsync(Flag)).ShouldBeTrue();
    }

    [Fact]
    public async Task HealthyProvider_NeedsNothing()
    {
        await OutageAsync(false);

        (await _world.FireAsync(Sample)).State.ShouldBe(IncidentState.NotNeeded);
    }

    [Fact]
    public async Task LongOutage_PagesAndStaysDegraded()
    {
        await OutageAsync(true);
        var asked = await _world.FireAsync(Sample);
        await _world.ApproveAsync(asked.Id);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromHours(7))).State.ShouldBe(IncidentState.Holding);

        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
        (await IsAsync(Flag)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("403", 1)]
    [InlineData("412", 1)]
    [InlineData("500", 10)]
    public async Task StoreThatRefuses_EndsLoudlyWithNothingLeftBehind(string fault, int times)
    {
        await OutageAsync(true);
        var asked = await _world.FireAsync(Sample);
        await _world.FaultAsync("appconfiguration", fault, on: "PUT /appconfiguration/kv/banner", count: times);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        (await IsAsync(Flag)).ShouldBeFalse("the first step was taken back");
        _world.Cards.ShouldContain(card => card.Kind == CardKind.Page || card.Kind == CardKind.Closed);
    }

    [Fact]
    public async Task StoreThatIsBusyForAMoment_IsTriedAgain()
    {
        await OutageAsync(true);
        var asked = await _world.FireAsync(Sample);
        await _world.FaultAsync("appconfiguration", "500", on: "PUT ");

        await _world.ApproveAsync(asked.Id);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(1))).State.ShouldBe(IncidentState.Holding);
        (await IsAsync(Flag)).ShouldBeTrue();
    }

    [Fact]
    public async Task LocalModelThatDoesNotAnswer_TakesTheDegradationBack()
    {
        await OutageAsync(true);
        var asked = await _world.FireAsync(Sample);
        await _world.FaultAsync("provider", "500", on: "/provider/local", count: 1000);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("did not help");
        (await IsAsync(Flag)).ShouldBeFalse();
    }
}
