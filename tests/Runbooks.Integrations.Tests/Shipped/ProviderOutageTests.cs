using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class ProviderOutageTests : InSandboxWorld
{
    private const string Sample = "provider-outage.azure-monitor";
    private const string Flag = "/appconfiguration/kv/.appconfig.featureflag%2Flocal-model-only?api-version=2023-11-01";
    private const string Banner = "/appconfiguration/kv/banner?api-version=2023-11-01";

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

    /// <summary>The local model, which verified the fix, works all the time.</summary>
    [Fact]
    public async Task ProviderFailsAgainAfterTheLease_PeopleAreAskedAnew()
    {
        await OutageAsync(true);
        var closed = await _world.ApproveAsync((await _world.FireAsync(Sample)).Id);
        await OutageAsync(false);
        for (var minute = 0; minute < 30 && closed.State == IncidentState.Holding; minute++)
        {
            closed = await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(1));
        }

        closed.State.ShouldBe(IncidentState.Resolved);
        await _world.AdvanceAsync(closed.Id, TimeSpan.FromMinutes(1));
        await OutageAsync(true);

        // Azure gives each firing an identity of its own, and says it once.
        (await _world.FireAsync(Sample, post => post.Replace("alerts/", "alerts/again-", StringComparison.Ordinal))).Id.ShouldBe(closed.Id);

        var next = _world.Get<IIncidentStore>().ShouldBeOfType<InMemoryIncidentStore>().All[^1];
        (next.State, next.Follows).ShouldBe((IncidentState.AwaitingApproval, closed.Id));
        next.Timeline[0].What.ShouldStartWith("The cause is back: ");
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
    public async Task SilentProvider_IsDown()
    {
        await OutageAsync(false);
        await _world.FaultAsync("provider", "slow", on: "/provider/v1", seconds: 17);

        var asked = await _world.FireAsync(Sample);

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        asked.Findings.Single(finding => finding.Name == "provider-down").Result.ShouldSatisfyAllConditions(
            result => result.Verdict.ShouldBe(Verdict.Failing),
            result => result.Summary.ShouldBe("practice did not answer within 15 s."));
    }

    /// <summary>A provider lists its models whatever becomes of completions.</summary>
    [Fact]
    public async Task CompletionsThatFailAlone_AreAnOutage()
    {
        await OutageAsync(false);
        await _world.FaultAsync("provider", "500", on: "/provider/v1/chat/completions");

        (await _world.FireAsync(Sample)).State.ShouldBe(IncidentState.AwaitingApproval);
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
}
