using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using TestKit;
using Assembly = System.Reflection.Assembly;

namespace Architecture.Tests;

/// <summary>Projects depend downwards only, and no folder of a project depends on one that depends on it.</summary>
public sealed class LayerTests
{
    private static readonly string[] s_core = ["Runbooks", "Runbooks.Catalog", "Runbooks.Model"];

    /// <summary>Every project, from the bottom up, and the projects that it may use.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Runbooks.Model"] = [],
        ["Runbooks.Catalog"] = ["Runbooks.Model"],
        ["Runbooks"] = ["Runbooks.Catalog", "Runbooks.Model"],
        ["Runbooks.Integrations"] = s_core,
        ["Runbooks.AzureStorage"] = s_core,
        ["Runbooks.Sqlite"] = s_core,
        ["Runbooks.Web"] = s_core,
        ["Runbooks.Sandbox"] = [],
        ["Runbooks.Testing"] = [.. s_core, "Runbooks.Sqlite"],
        ["RunbookFunctions"] = [.. s_core, "Runbooks.AzureStorage", "Runbooks.Integrations", "Runbooks.Web"],
        ["runbook"] = [.. s_core, "Runbooks.AzureStorage", "Runbooks.Integrations", "Runbooks.Sandbox", "Runbooks.Sqlite", "Runbooks.Testing", "Runbooks.Web"],
    };

    private static readonly Assembly[] s_assemblies = [.. s_allowed.Keys.Select(Assembly.Load)];

    private static readonly ArchUnitNET.Domain.Architecture s_architecture = new ArchLoader().LoadAssemblies(s_assemblies).Build();

    public static TheoryData<string> Projects => [.. s_allowed.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_UsesOnlyWhatItMay(string project)
    {
        var used = Assembly.Load(project).GetReferencedAssemblies().Select(reference => reference.Name!).Where(s_allowed.ContainsKey);

        used.Except(s_allowed[project]).ShouldBeEmpty($"{project} may use: {string.Join(", ", s_allowed[project])}.");
    }

    [Fact]
    public void ListOfProjects_IsWhole()
    {
        // The server's assembly is called like its command.
        Directory.EnumerateDirectories(RepositoryRoot.Of("src")).Where(project => Directory.EnumerateFiles(project, "*.csproj").Any())
            .Select(Path.GetFileName).ShouldBe(s_allowed.Keys.Select(name => name == "runbook" ? "RunbookServer" : name), ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_DependOneWay(string project)
    {
        var root = project == "runbook" ? "RunbookServer" : project;
        var edges = s_architecture.Types
            .Where(type => IsOf(type, project, root))
            .SelectMany(type => type.Dependencies.Where(dependency => IsOf(dependency.Target, project, root)).Select(dependency => (From: type, To: dependency.Target)))
            .Where(edge => edge.From.Namespace.FullName != edge.To.Namespace.FullName)
            .ToLookup(edge => edge.From.Namespace.FullName);

        var cycles = edges.Select(from => from.Key).Where(folder => Reachable(folder, edges).Contains(folder)).ToList();

        cycles.SelectMany(from => edges[from].Where(edge => cycles.Contains(edge.To.Namespace.FullName)))
            .Select(edge => $"{edge.From.FullName} uses {edge.To.FullName}").Distinct().Order(StringComparer.Ordinal)
            .ShouldBeEmpty($"These folders of {project} depend on each other in a circle: {string.Join(", ", cycles)}.");
    }

    /// <summary>Registrations stand in the container's own namespace: they may name every folder.</summary>
    private static bool IsOf(IType type, string project, string root) =>
        type is { Assembly: not null, Namespace: not null } && type.Assembly.Name.Split(',')[0] == project && (type.Namespace.FullName == root || type.Namespace.FullName.StartsWith($"{root}.", StringComparison.Ordinal));

    private static HashSet<string> Reachable(string start, ILookup<string, (IType From, IType To)> edges)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([start]);
        while (open.TryPop(out var folder))
        {
            foreach (var next in edges[folder].Select(edge => edge.To.Namespace.FullName).Where(seen.Add))
            {
                open.Push(next);
            }
        }

        return seen;
    }
}
