using System.Text.Json;
using Runbooks.Sandbox;

namespace RunbookFunctions.Tests;

public sealed class SampleSettingsTests
{
    /// <summary>What is not pointed at the sandbox would reach for the real Azure with a developer's own sign-in.</summary>
    [Fact]
    public void Sample_PointsEverythingAtTheSandbox()
    {
        using var sample = JsonDocument.Parse(File.ReadAllText(RepositoryRoot.Of("local.settings.sample.json")));
        var values = sample.RootElement.GetProperty("Values");

        foreach (var (name, value) in SandboxSettings.For(new Uri("http://localhost:7072")))
        {
            values.TryGetProperty(name, out var written).ShouldBeTrue(name);
            written.GetString().ShouldBe(value, name);
        }
    }
}
