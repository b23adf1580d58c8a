using System.Globalization;
using System.Text.Json;
using Runbooks.Catalog.Reading;
using Runbooks.Execution;
using Runbooks.Model.Definition;
using TestKit;

namespace RunbookFunctions.Tests;

public sealed class HostTimeoutTests
{
    /// <summary>The platform ends a function that takes longer, in the middle of what it does.</summary>
    [Fact]
    public void FunctionTimeout_IsLongerThanAnyActivity()
    {
        using var host = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("host.json")));
        var timeout = TimeSpan.Parse(host.RootElement.GetProperty("functionTimeout").GetString()!, CultureInfo.InvariantCulture);

        timeout.ShouldBeGreaterThan(StepSpec.LongestTimeout + (2 * StepSpec.LongestLook) + CheckSpec.LongestTimeout, "a step: looks, checks, acts");
        timeout.ShouldBeGreaterThan(StepUndoer.Budget + StepSpec.LongestTimeout + (2 * StepSpec.LongestLook) + CheckSpec.LongestTimeout, "the steps of a phase: one step more when their budget is spent");
        timeout.ShouldBeGreaterThan((2 * StepsReader.MaxSteps * StepSpec.LongestLook) + (2 * CheckSpec.LongestTimeout), "a diagnosis and its question: checks, looks at every step of both phases");
        timeout.ShouldBeGreaterThan(StepUndoer.Budget + StepSpec.LongestTimeout, "undoing: one step more when its budget is spent");
    }
}
