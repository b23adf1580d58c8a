using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

/// <summary>A service of Azure that does not answer is not asked by every step and check in turn.</summary>
public sealed class OutageBackoffTests : OnTheSandbox
{
    private static readonly ArmTarget s_site = new(Resource("Microsoft.Web/sites", "web-assist"), "2025-03-01", "Website Contributor");
    private static readonly ArmTarget s_machine = new(Resource("Microsoft.Compute/virtualMachines", "vm-batch-1"), "2025-04-01", "Virtual Machine Contributor");

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzure().AddSingleton<TokenCredential>(new KnownIdentity());

    [Theory]
    [InlineData("503")]
    [InlineData("unreachable")]
    public async Task ServiceThatDoesNotAnswer_IsAskedLessAndLessOften(string fault)
    {
        await FaultAsync("arm", fault, count: 5);
        await FailAsync(times: 5);
        (await SentAsync(s_site)).ShouldBe(5);

        // From now on whoever asks is told at once, and nothing is sent.
        (await FailAsync(times: 20)).ShouldContain("It has not answered 5 times in a row, so it is asked again in 5 s.");
        (await SentAsync(s_site)).ShouldBe(5);

        // Others of the same host are not held up by it.
        (await FindAsync(s_machine)).ShouldNotBeNull();

        await FaultAsync("arm", fault);
        Clock.Advance(TimeSpan.FromSeconds(5));
        await FailAsync(times: 1);
        (await FailAsync(times: 20)).ShouldContain("6 times in a row, so it is asked again in 10 s.");
        (await SentAsync(s_site)).ShouldBe(6);

        Clock.Advance(TimeSpan.FromSeconds(10));
        (await FindAsync(s_site)).ShouldNotBeNull();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => FindAsync(s_site)));
        (await SentAsync(s_site)).ShouldBe(17);
    }

    [Fact]
    public async Task AnswersThatSayNo_AreNoOutage()
    {
        await FaultAsync("arm", "500", count: 10);
        await FailAsync(times: 10);

        (await FindAsync(s_site)).ShouldNotBeNull();
    }

    /// <summary>Azure Monitor answers for the metrics of every resource, and says nothing about the resource itself.</summary>
    [Fact]
    public async Task MetricsThatNobodyAnswers_DoNotKeepAnybodyFromTheirResource()
    {
        await FaultAsync("arm", "503", count: 5);
        for (var n = 0; n < 5; n++)
        {
            await Should.ThrowAsync<AzureRequestException>(MetricsAsync);
        }

        (await FindAsync(s_site)).ShouldNotBeNull();

        // And the resource that answers says nothing about its metrics.
        (await Should.ThrowAsync<AzureRequestException>(MetricsAsync)).Message.ShouldContain("It has not answered 5 times in a row");

        Task<AzureResponse> MetricsAsync()
        {
            var arm = Services.GetRequiredService<ArmResources>();
            return arm.SendAsync(arm.Call(s_site, RequestMethod.Get, "read the metric x", below: "/providers/microsoft.insights/metrics"), Clock, Cancel);
        }
    }

    private Task<ArmDocument?> FindAsync(ArmTarget target) => Services.GetRequiredService<ArmResources>().FindAsync(target, Cancel);

    /// <returns>The words of the last failure.</returns>
    private async Task<string> FailAsync(int times)
    {
        var words = "";
        for (var n = 0; n < times; n++)
        {
            words = (await Should.ThrowAsync<AzureRequestException>(() => FindAsync(s_site))).Message;
        }

        return words;
    }

    private async Task<int> SentAsync(ArmTarget target) => (await RequestsAsync()).Count(request => request.StartsWith($"GET /arm{target.Id}", StringComparison.Ordinal));
}
