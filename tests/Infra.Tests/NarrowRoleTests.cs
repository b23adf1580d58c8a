using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using TestKit;

namespace Infra.Tests;

/// <summary>What an action asks Azure whether it may do, and what a check reads, is what the template lets them do: a role that lacks it fails on the night it is needed.</summary>
public partial class NarrowRoleTests
{
    /// <summary>Where the built-in role is that one job: the operations, and the role that is handed out for them.</summary>
    private static readonly Dictionary<string, string> _builtIn = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"] = "f1a07417-d97a-45cb-824c-7a7467783830", // Managed Identity Operator
        ["Microsoft.Network/trafficManagerProfiles/{KindOf(endpoint)}/write"] = "a4b10055-b0c7-44c2-b00f-c7b5b3550cf7", // Traffic Manager Contributor
    };

    /// <summary>What the actions on Kubernetes are asked for, as AKS asks Azure: the resource without its part, and write for create and patch.</summary>
    private static readonly Dictionary<string, string[]> _cluster = new(StringComparer.Ordinal)
    {
        ["look at pods, deployments and nodes"] = ["pods/read", "apps/deployments/read", "nodes/read", "coordination.k8s.io/leases/read"],
        ["recycle pods"] = ["pods/read", "pods/write", "pods/delete"],
        ["restart and scale deployments"] = ["apps/deployments/read", "apps/deployments/write", "autoscaling/horizontalpodautoscalers/read"],
        ["cordon, taint and drain nodes"] = ["nodes/read", "nodes/write", "coordination.k8s.io/leases/read", "pods/read", "pods/write"],
    };

    [Fact]
    public async Task EveryOperationThatAnActionAsksFor_IsInOneNarrowRoleWithTheRightToReadWhatItChanges()
    {
        var roles = await RolesAsync("actions");
        foreach (var operation in Declared().Where(operation => !_builtIn.ContainsKey(operation)))
        {
            var holding = roles.Where(role => role.Value.Contains(operation)).ToList();
            holding.Count.ShouldBe(1, $"roles of custom-roles.bicep with {operation}");
            holding[0].Value.ShouldContain($"{TypeOf(operation)}/read", holding[0].Key);
        }
    }

    /// <summary>
    /// Where a provider answers 202, the operation to follow does not lie below the resource. As the lists of permissions spell
    /// them (learn.microsoft.com/azure/role-based-access-control/resource-provider-operations): one that is not there cannot be put into a role.
    /// </summary>
    private static readonly Dictionary<string, string> _operations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Microsoft.Compute/virtualMachines/runCommand/action"] = "Microsoft.Compute/locations/operations/read",
        ["Microsoft.Compute/virtualMachineScaleSets/virtualMachines/reimage/action"] = "Microsoft.Compute/locations/operations/read",
        ["Microsoft.Network/frontDoorWebApplicationFirewallPolicies/write"] = "Microsoft.Network/frontdooroperationresults/read",
        ["Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies/write"] = "Microsoft.Network/locations/operations/read",
        ["Microsoft.Cdn/profiles/origingroups/origins/write"] = "Microsoft.Cdn/operationresults/read",
        ["Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write"] = "Microsoft.MachineLearningServices/locations/mfeOperationsStatus/read",
        ["Microsoft.CognitiveServices/accounts/deployments/write"] = "Microsoft.CognitiveServices/locations/operationresults/read",
    };

    [Fact]
    public async Task WhoeverChangesSomethingAtLength_MayFollowTheOperation()
    {
        var roles = await RolesAsync("actions");
        var held = roles.Values.SelectMany(actions => actions).ToHashSet(StringComparer.OrdinalIgnoreCase);

        _operations.Keys.ShouldAllBe(change => held.Contains(change));
        _operations.Values.Append("Microsoft.Cdn/operationresults/profileresults/origingroupresults/originresults/read").ShouldAllBe(operation => roles["follow operations"].Contains(operation));
        _operations.Keys.Select(change => change.Split('/')[0]).Distinct(StringComparer.OrdinalIgnoreCase)
            .ShouldBe(roles["follow operations"].Select(operation => operation.Split('/')[0]).Distinct(StringComparer.OrdinalIgnoreCase), ignoreOrder: true);
    }

    /// <summary>What an action reads beside its resource, and is refused without.</summary>
    [Fact]
    public async Task WhoeverWeighsOrigins_MayReadTheirHealth() => (await RolesAsync("actions"))["weigh and switch Front Door origins"].ShouldContain("Microsoft.Insights/metrics/read");

    [Fact]
    public async Task EveryNarrowRole_HoldsNothingThatNoActionAsksFor()
    {
        // Taking an item of a blocklist back is part of adding it, and is asked for with it.
        var declared = Declared().Append("Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/delete").ToHashSet(StringComparer.OrdinalIgnoreCase);

        foreach (var (title, actions) in await RolesAsync("actions"))
        {
            actions.Where(action => !action.EndsWith("/read", StringComparison.OrdinalIgnoreCase) && !declared.Contains(action)).ShouldBeEmpty(title);
        }
    }

    [Fact]
    public async Task EveryOperationWithoutANarrowRole_IsOfTheBuiltInRoleThatIsHandedOut()
    {
        var granted = (await Plan.OfAsync(Plan.Production)).All("Microsoft.Authorization/roleAssignments").Select(role => ((string)role.Properties["roleDefinitionId"]!).Split('/')[^1]).ToList();

        foreach (var (operation, role) in _builtIn)
        {
            Declared().ShouldContain(operation);
            granted.ShouldContain(role);
        }
    }

    [Fact]
    public async Task RolesInClusters_HoldWhatTheActionsDoThere()
    {
        var roles = await RolesAsync("dataActions");

        roles.Keys.ShouldBe(_cluster.Keys, ignoreOrder: true);
        foreach (var (title, actions) in _cluster)
        {
            roles[title].ShouldBe(actions.Select(action => $"Microsoft.ContainerService/managedClusters/{action}"), ignoreOrder: true, title);
        }
    }

    /// <summary>What each check takes: a built-in role by its id, or a narrow one with what it has to hold.</summary>
    private static readonly Dictionary<string, (string Role, string[] Reads)> _checks = new(StringComparer.Ordinal)
    {
        ["azureMonitor.logs"] = ("73c42c96-874c-492b-b04d-ab87d138a893", []), // Log Analytics Reader
        ["azureMonitor.metric"] = (MonitoringReader, []),
        ["resourceHealth"] = (MonitoringReader, []), // Reads whatever a Reader reads.
        ["prometheus.query"] = (MonitoringDataReader, []),
        ["gpu.health"] = (MonitoringDataReader, []),
        ["llm.latency"] = (MonitoringDataReader, []),
        ["tgi.health"] = (MonitoringDataReader, []),
        ["triton.health"] = (MonitoringDataReader, []),
        ["vllm.health"] = (MonitoringDataReader, []),
        ["disk.usage"] = ("run a command on a virtual machine", ["Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/runCommand/action"]),
        ["kubernetes.deployment"] = ("restart and scale deployments", [$"{Cluster}/apps/deployments/read"]),
        ["kubernetes.node"] = ("cordon, taint and drain nodes", [$"{Cluster}/nodes/read", $"{Cluster}/coordination.k8s.io/leases/read"]),
        ["kubernetes.pod"] = ("recycle pods", [$"{Cluster}/pods/read"]),
    };

    private const string MonitoringReader = "43d0d8ad-25c7-4714-9337-8ba259a9fe05";
    private const string MonitoringDataReader = "b0d8363b-8ddd-447d-831f-62ca05bff136";
    private const string Cluster = "Microsoft.ContainerService/managedClusters";

    /// <summary>A check that is refused is unknown for ever, and unknown is what nothing is verified by.</summary>
    [Fact]
    public async Task EveryCheckThatTakesARole_IsGivenIt()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var granted = plan.All("Microsoft.Authorization/roleAssignments").Select(role => ((string)role.Properties["roleDefinitionId"]!).Split('/')[^1]).ToHashSet(StringComparer.Ordinal);
        var ids = plan.All("Microsoft.Authorization/roleDefinitions").ToDictionary(Title, role => role.Name);
        var held = (await RolesAsync("actions")).Concat(await RolesAsync("dataActions")).ToDictionary();

        Checks().Where(check => check.Role is not null).Select(check => check.Name).ShouldBe(_checks.Keys, ignoreOrder: true);
        foreach (var (check, (role, reads)) in _checks)
        {
            granted.ShouldContain(ids.GetValueOrDefault(role, role), check);
            reads.Except(held.GetValueOrDefault(role) ?? [], StringComparer.OrdinalIgnoreCase).ShouldBeEmpty(check);
        }
    }

    [Fact]
    public void RoleThatOnlyLooksIntoClusters_DoesForEachCheckThere() =>
        _checks.Where(check => check.Key.StartsWith("kubernetes.", StringComparison.Ordinal)).SelectMany(check => check.Value.Reads)
            .Except(_cluster["look at pods, deployments and nodes"].Select(action => $"{Cluster}/{action}")).ShouldBeEmpty();

    /// <summary>What a refused check says is told to somebody at night: none asks for what it takes to change things.</summary>
    [Fact]
    public void NoCheckOnAClusterAsksForMoreThanReading() =>
        Checks().Where(check => check.Name.StartsWith("kubernetes.", StringComparison.Ordinal)).ShouldEach(check => !check.Role!.Contains("Writer") && !check.Role.Contains("Admin") && !check.Role.Contains("patch"));

    private static IEnumerable<ICheck> Checks() => new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddLogging()
        .AddSingleton(TimeProvider.System).AddRunbookSteps().AddIntegrations().BuildServiceProvider().GetServices<ICheck>();

    /// <summary>The operations that the sources ask Resource Manager about; that of a WAF is put together from the type of its policy.</summary>
    private static HashSet<string> Declared()
    {
        var source = string.Concat(Directory.EnumerateFiles(RepositoryRoot.Of("src", "Runbooks.Integrations"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(File.ReadAllText));
        var calls = Calls().Matches(source);
        calls.Count.ShouldBe(AnyCall().Count(source), "calls whose operation is not written out");
        return calls.Select(call => call.Groups["operation"].Value)
            .SelectMany(operation => operation == "{kind.Type}/write" ? WafTypes().Matches(source).Select(match => $"{match.Groups["type"].Value}/write") : [operation])
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    private static async Task<Dictionary<string, HashSet<string>>> RolesAsync(string kind) =>
        (await Plan.OfAsync(Plan.Production)).All("Microsoft.Authorization/roleDefinitions")
            .Select(role => (Title: Title(role),
                Actions: role.Properties["permissions"]!.AsArray().Single()![kind]!.AsArray().Select(action => (string)action!).ToHashSet(StringComparer.OrdinalIgnoreCase)))
            .Where(role => role.Actions.Count > 0)
            .ToDictionary(role => role.Title, role => role.Actions);

    private static string Title(PlannedResource role) => ((string)role.Properties["roleName"]!).Replace("Runbooks prod: ", "", StringComparison.Ordinal);

    /// <summary><c>Microsoft.Web/sites</c> of <c>Microsoft.Web/sites/restart/action</c>.</summary>
    private static string TypeOf(string operation) => string.Join('/', operation.Split('/')[..^(operation.EndsWith("/action", StringComparison.Ordinal) ? 2 : 1)]);

    [GeneratedRegex("[aA]rm\\.CheckPermissionsAsync\\([^;\"]*(\\$\"[^\"]*\"\\)[^;\"]*)?\\$?\"(?<operation>[^\"]+)\",\\s*cancellationToken\\)", RegexOptions.NonBacktracking)]
    private static partial Regex Calls();

    // Those on clusters ask the cluster.
    [GeneratedRegex("[aA]rm\\.CheckPermissionsAsync\\(", RegexOptions.NonBacktracking)]
    private static partial Regex AnyCall();

    [GeneratedRegex("string ResourceType = \"(?<type>Microsoft\\.[A-Za-z/]+)\"", RegexOptions.NonBacktracking)]
    private static partial Regex WafTypes();
}
