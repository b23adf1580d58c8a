using System.Text.Json.Nodes;
using TestKit;

namespace Infra.Tests;

public class CompilerTests
{
    private static readonly string _bicep = RepositoryRoot.Of("infra", "bicep");

    /// <summary>The parameter files are compiled, and their warnings refused, when <see cref="Plan"/> works them out.</summary>
    [Fact]
    public async Task EveryFile_BuildsWithoutAWarning()
    {
        var (code, output) = await BicepCompiler.RunAsync(_bicep, "lint", "--pattern", "**/*.bicep");

        output.ShouldBeEmpty();
        code.ShouldBe(0);
    }

    /// <summary>The check above is worth something only if the rules are on and errors.</summary>
    [Fact]
    public async Task AFileWithAnUnusedParameter_IsRefusedByTheConfiguration()
    {
        var folder = Directory.CreateTempSubdirectory("bicep-lint-");
        try
        {
            File.Copy(Path.Combine(_bicep, "bicepconfig.json"), Path.Combine(folder.FullName, "bicepconfig.json"));
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "bad.bicep"), "param unused string\n", TestContext.Current.CancellationToken);

            var (code, output) = await BicepCompiler.RunAsync(folder.FullName, "lint", "--pattern", "**/*.bicep");

            output.ShouldContain("Error no-unused-params");
            code.ShouldNotBe(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A deployment at a subscription keeps its place for ever: a second environment, or another region, with its name is refused.</summary>
    [Fact]
    public async Task EveryDeploymentAtASubscription_HasANameOfItsEnvironmentAndRegion()
    {
        var template = JsonNode.Parse((await BicepCompiler.RunAsync(_bicep, "build", "main.bicep", "--stdout")).Output)!;
        var names = Deployments(template).Where(deployment => deployment.ContainsKey("location")).Select(deployment => (string)deployment["name"]!).ToList();

        names.Count.ShouldBe(3);
        names.ShouldAllBe(name => name.EndsWith("('part'))]", StringComparison.Ordinal));
        ((string)template["variables"]!["part"]!).ShouldBe("[format('{0}-{1}', parameters('environmentName'), deployment().location)]");
    }

    private static IEnumerable<JsonObject> Deployments(JsonNode node) => node switch
    {
        JsonObject found => found.Where(property => property.Value is not null).SelectMany(property => Deployments(property.Value!))
            .Concat(found["type"]?.ToString() == "Microsoft.Resources/deployments" ? [found] : []),
        JsonArray list => list.OfType<JsonNode>().SelectMany(Deployments),
        _ => [],
    };

    /// <summary>A module from a registry would need the network to build and could change under us.</summary>
    [Fact]
    public void NoFile_TakesAModuleFromARegistry() =>
        BicepFiles().ShouldEach(file => !File.ReadAllText(file).Contains("'br", StringComparison.Ordinal)
            && !File.ReadAllText(file).Contains("'ts", StringComparison.Ordinal));

    [Fact]
    public void EveryFile_IsSmall() =>
        BicepFiles().ShouldEach(file => File.ReadAllLines(file).Length <= 300);

    /// <summary>Whoever reads a module first learns why it is there.</summary>
    [Fact]
    public void EveryFile_BeginsWithWhy() =>
        BicepFiles().ShouldEach(file => File.ReadAllText(file).StartsWith("// ", StringComparison.Ordinal));

    private static IEnumerable<string> BicepFiles() =>
        Directory.EnumerateFiles(_bicep, "*.bicep*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".json", StringComparison.Ordinal));
}
