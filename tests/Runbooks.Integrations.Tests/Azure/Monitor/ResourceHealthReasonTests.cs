using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Azure.Monitor;

/// <summary>What its owner has stopped is no trouble of the platform's.</summary>
public sealed class ResourceHealthReasonTests
{
    [Theory]
    [InlineData("Unavailable", "Unplanned", Verdict.Failing)]
    [InlineData("Degraded", "Planned", Verdict.Failing)]
    [InlineData("Unavailable", "UserInitiated", Verdict.Unknown)]
    [InlineData("Unavailable", "User Initiated", Verdict.Unknown)]
    [InlineData("Degraded", "Customer Initiated", Verdict.Unknown)]
    [InlineData("Available", "Customer Initiated", Verdict.Passing)]
    public async Task Reason_TellsWhoseTroubleItIs(string state, string reason, Verdict verdict)
    {
        await using var azure = await AnsweringServer.StartAsync();
        azure.Answer = context => context.Response.WriteAsync(
            $$$"""{"properties":{"availabilityState":"{{{state}}}","summary":"It is so.","reasonType":"{{{reason}}}","reportedTime":"{{{azure.Time.GetUtcNow():O}}}"}}""");
        await using var services = azure.Azure(all => all.AddAzureMonitor());

        var result = await services.GetServices<ICheck>().Single(one => one.Name == "resourceHealth").AskAsync(
            new ResourceHealthParameters { Resource = "/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1" },
            azure.Step(),
            TestContext.Current.CancellationToken);

        result.Verdict.ShouldBe(verdict, result.Summary);
        result.Summary.Contains("Its owner brought that about", StringComparison.Ordinal).ShouldBe(verdict == Verdict.Unknown);
    }
}
