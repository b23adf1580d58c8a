using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class RateLimitedTests : InSandboxWorld
{
    private const string Sample = "rate-limited.azure-monitor";

    private async Task<string> SharesAsync() => string.Join("; ",
        (await _world.GetAsync("/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg-assist/providers/Microsoft.ApiManagement/service/assist-apim/backends/llm?api-version=2024-05-01"))
            .GetProperty("properties").GetProperty("pool").GetProperty("services").EnumerateArray().Select(one => $"{one.GetProperty("priority")} {one.GetProperty("weight")}"));

    [Fact]
    public async Task LimitedPrimary_SpillsOverUntilItHasRoomAgain()
    {
        var asked = await _world.FireAsync(Sample);
        asked.State.ShouldBe(IncidentState.AwaitingApproval, asked.Reason);
        asked.Findings.Single(finding => finding.Name == "limited").Result.Summary.ShouldBe("ptu turns requests away: 429, too many requests (\"Rate limit reached for requests.\"); it asks to wait 20 s.");
        asked.Findings.Single(finding => finding.Name == "spill-over").Verdict.ShouldBe(Verdict.Passing);

        (await _world.ApproveAsync(asked.Id)).State.ShouldBe(IncidentState.Verifying, "how many requests were turned away after it is not known yet");
        (await SharesAsync()).ShouldBe("1 100; 1 50");
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(13))).ShouldSatisfyAllConditions(
            held => held.State.ShouldBe(IncidentState.Holding), held => EndingText.IsVerifiedFix(held).ShouldBeTrue("requests were turned away before it"));
        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(10))).State.ShouldBe(IncidentState.Holding, "it has not had room for long enough");

        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(15));

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Steps[0].Status.ShouldBe(StepStatus.Undone);
        (await SharesAsync()).ShouldBe("1 100; 2 100");
    }

    [Fact]
    public async Task SpillOverThatIsDown_GetsItsNumbersBackAndAPersonIsPaged()
    {
        var asked = await _world.FireAsync(Sample);
        await _world.FaultAsync("provider", "500", "/provider/paygo", count: 999);

        await _world.ApproveAsync(asked.Id);
        var ended = await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(35));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Reason.ShouldNotBeNull().ShouldContain("The fix did not help within 30m: spill-over: failing (paygo is failing: 500");
        (await SharesAsync()).ShouldBe("1 100; 2 100");
        _world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task NobodyAnswers_ItProceedsBecauseItCanBeTakenBack()
    {
        await _world.FaultAsync("provider", "429", "/provider/ptu", count: 999);
        var asked = await _world.FireAsync(Sample);

        (await _world.AdvanceAsync(asked.Id, TimeSpan.FromMinutes(26))).State.ShouldBe(IncidentState.Holding);

        (await SharesAsync()).ShouldBe("1 100; 1 50");
    }
}
