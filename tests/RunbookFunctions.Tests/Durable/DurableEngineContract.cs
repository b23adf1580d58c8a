using TestKit.Engine;

namespace RunbookFunctions.Tests.Durable;

public sealed class DurableEngineContract : EngineContract
{
    /// <summary>Time is real here.</summary>
    protected override TimeSpan Unit => TimeSpan.FromSeconds(1);

    protected override async Task<IEngineHarness> StartEngineAsync()
    {
        var test = TestContext.Current.TestMethod?.MethodName;
        Assert.SkipWhen(
            test == nameof(ParallelActivities_RunAtTheSameTimeAndKeepTheirPlaces) && Environment.ProcessorCount < 4,
            "The in-process host runs as many activities at once as there are processors; this machine has fewer than four: set DOTNET_PROCESSOR_COUNT=4.");
        Assert.SkipWhen(
            test == nameof(ManyInstances_DoNotDisturbEachOther),
            "The in-process host does not bring 200 instances to their end in a minute; the test against a running host opens many.");
        return await InProcessHarness.OpenAsync(Workflows, Activities, Logs);
    }
}
