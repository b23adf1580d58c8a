using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using TestKit;

namespace Infra.Tests;

/// <summary>
/// What a parameter file would deploy, worked out by the compiler without Azure: every module expanded, every condition
/// decided, every name known. Only what Azure alone knows (ids of principals, addresses) stays an expression.
/// </summary>
sealed record Plan(IReadOnlyList<PlannedResource> Resources, JsonObject Outputs)
{
    public const string Subscription = "11111111-1111-1111-1111-111111111111";

    public const string Development = "main.dev.bicepparam";
    public const string Production = "main.prod.bicepparam";
    public const string Azd = "main.bicepparam";

    private static readonly ConcurrentDictionary<string, Lazy<Task<Plan>>> _plans = new();

    public static Task<Plan> OfAsync(string parameters) =>
        _plans.GetOrAdd(parameters, file => new Lazy<Task<Plan>>(() => MakeAsync(file, text => text))).Value;

    /// <summary>Of a parameter file that says something else.</summary>
    public static Task<Plan> OfAsync(string parameters, Func<string, string> change) => MakeAsync(parameters, change);

    public IEnumerable<PlannedResource> All(string type) =>
        Resources.Where(resource => resource.Type.Equals(type, StringComparison.OrdinalIgnoreCase));

    /// <summary>The app's settings, by name.</summary>
    public IReadOnlyDictionary<string, string> AppSettings() =>
        All("Microsoft.Web/sites").Single(site => site.Name.StartsWith("func-", StringComparison.Ordinal))
            .Properties["siteConfig"]!["appSettings"]!.AsArray()
            .ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!);

    private static async Task<Plan> MakeAsync(string file, Func<string, string> change)
    {
        // The compiler writes beside the file it reads: it gets a copy.
        var copy = Directory.CreateTempSubdirectory("bicep-plan-");
        try
        {
            Copy(RepositoryRoot.Of("infra"), Path.Combine(copy.FullName, "infra"));
            File.Copy(RepositoryRoot.Of("host.json"), Path.Combine(copy.FullName, "host.json"));
            var bicep = Path.Combine(copy.FullName, "infra", "bicep");
            var parameters = Path.Combine(bicep, file);
            await File.WriteAllTextAsync(parameters, change(await File.ReadAllTextAsync(parameters, TestContext.Current.CancellationToken)), TestContext.Current.CancellationToken);
            var (code, output) = await BicepCompiler.RunAsync(
                bicep, "snapshot", file, "--mode", "overwrite", "--subscription-id", Subscription,
                "--tenant-id", "22222222-2222-2222-2222-222222222222", "--location", "westeurope");
            output.ShouldBeEmpty();
            code.ShouldBe(0);
            var snapshot = JsonNode.Parse(await File.ReadAllTextAsync(
                Path.Combine(bicep, Path.ChangeExtension(file, ".snapshot.json")), TestContext.Current.CancellationToken))!;
            return new Plan(
                [.. snapshot["predictedResources"]!.AsArray().Select(resource => PlannedResource.Read(resource!.AsObject()))],
                snapshot["outputs"] as JsonObject ?? []);
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
