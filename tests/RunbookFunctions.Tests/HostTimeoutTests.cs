using System.Globalization;
using System.Text.Json;
using Runbooks.Model.Definition;
using TestKit;

namespace RunbookFunctions.Tests;

public sealed class HostTimeoutTests
{
    private const int MostStepsOfAPlan = 40;

    /// <summary>The platform ends a function that takes longer, in the middle of what it does.</summary>
    [Fact]
    public void FunctionTimeout_IsLongerThanAnyActivity()
    {
        using var host = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("host.json")));
        var timeout = TimeSpan.Parse(host.RootElement.GetProperty("functionTimeout").GetString()!, CultureInfo.InvariantCulture);

        timeout.ShouldBeGreaterThan(StepSpec.LongestTimeout + (2 * StepSpec.LongestLook) + CheckSpec.LongestTimeout, "a step: looks, checks, acts");
        timeout.ShouldBeGreaterThan(TimeSpan.FromMinutes(10) + StepSpec.LongestTimeout + (2 * StepSpec.LongestLook) + CheckSpec.LongestTimeout, "the steps of a phase: one step more when their budget is spent");
        timeout.ShouldBeGreaterThan((MostStepsOfAPlan * StepSpec.LongestLook) + (2 * CheckSpec.LongestTimeout), "a diagnosis and its question: checks, looks at every step");
        timeout.ShouldBeGreaterThan(TimeSpan.FromMinutes(10) + StepSpec.LongestTimeout, "undoing: one step more when its budget is spent");
    }
}
