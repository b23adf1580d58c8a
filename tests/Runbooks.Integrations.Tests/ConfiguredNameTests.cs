namespace Runbooks.Integrations.Tests;

public sealed class ConfiguredNameTests
{
    [Theory]
    [InlineData("", "No cluster is configured. Add Kubernetes:Clusters:NAME.")]
    [InlineData("a", null)]
    [InlineData("a b", "No cluster is chosen. Set Kubernetes:Default, or name a cluster in the step.")]
    public void StepThatNamesNone_IsToldWhatIsMissing(string configured, string? problem)
    {
        var known = configured.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(name => name);

        ConfiguredName.Find(null, null, known, "cluster", "Kubernetes", "Clusters:{0}", "name a cluster in the step").Problem.ShouldBe(problem);
    }
}
