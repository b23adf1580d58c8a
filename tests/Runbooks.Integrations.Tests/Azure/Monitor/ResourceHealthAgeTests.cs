using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>What Azure saw long ago says nothing of now.</summary>
public sealed class ResourceHealthAgeTests : OnTheSandbox
{
    private static readonly string s_account = Resource("Microsoft.CognitiveServices/accounts", "assist-openai");
    private readonly LateClock _late;

    public ResourceHealthAgeTests() => _late = new(Clock);

    protected override TimeProvider CheckTime => _late;

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzureMonitor();

    [Theory]
    [InlineData(59, null, Verdict.Passing)]
    [InlineData(61, null, Verdict.Unknown)]
    [InlineData(11, "10m", Verdict.Unknown)]
    public async Task AvailableThatWasSeenLongAgo_IsUnknown(int minutes, string? maxAge, Verdict verdict)
    {
        _late.By = TimeSpan.FromMinutes(minutes);

        var found = await AskAsync("resourceHealth", maxAge is null ? new { resource = s_account } : new { resource = s_account, maxAge });

        found.Verdict.ShouldBe(verdict, found.Summary);
        found.MeasuredAt.ShouldBe(_late.GetUtcNow() - TimeSpan.FromMinutes(minutes));
        found.Summary.EndsWith($"It looked {minutes} min ago, so how it is now is not known.", StringComparison.Ordinal).ShouldBe(verdict == Verdict.Unknown);
    }

    [Fact]
    public async Task TroubleThatWasSeenLongAgo_StaysTrouble()
    {
        _late.By = TimeSpan.FromDays(1);

        (await AskAsync("resourceHealth", new { resource = Resource("Microsoft.Network/applicationGateways", "agw-cluster-b") })).Verdict.ShouldBe(Verdict.Failing);
    }
}
