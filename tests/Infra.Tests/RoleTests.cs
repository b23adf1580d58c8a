using System.Text.RegularExpressions;

namespace Infra.Tests;

/// <summary>Every role that is handed out, as a table: what, on what, to whom. A new line here is a new power: read it twice.</summary>
public partial class RoleTests
{
    private const string _app = "id-runbooks-prod";
    private const string _monitor = "dfm-runbooks-prod-*";

    private static readonly string[] _production =
    [
        // The app on what is its own.
        $"b7e6dc6d-f1e8-4753-8033-0f276bb0955b  storageAccounts/strbprod*  {_app}",          // Storage Blob Data Owner
        $"974c5e8b-45b9-4653-ba55-5f855dd0fb88  storageAccounts/strbprod*  {_app}",          // Storage Queue Data Contributor
        $"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3  storageAccounts/strbprod*  {_app}",          // Storage Table Data Contributor
        $"4633458b-17de-408a-b874-0445c86b69e6  vaults/kv-rb-prod-*  {_app}",                // Key Vault Secrets User
        $"3913510d-42f4-4e42-8a64-420c390055eb  components/appi-runbooks-prod  {_app}",      // Monitoring Metrics Publisher
        $"5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b  configurationStores/appcs-runbooks-prod-*  {_app}", // App Configuration Data Owner

        // People and pipelines.
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe  containers/runbooks  00000000-0000-0000-0000-0000000000a2", // Storage Blob Data Contributor
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1  containers/evidence  00000000-0000-0000-0000-0000000000a3", // Storage Blob Data Reader
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7  vaults/kv-rb-prod-*  00000000-0000-0000-0000-0000000000a1", // Key Vault Secrets Officer

        "ba92f5b4-2d11-453d-a403-e96b0029c9fe  containers/durable-functions-monitor  00000000-0000-0000-0000-0000000000a2",

        // The monitor: everything on its own account, reading only on the hub's.
        $"b7e6dc6d-f1e8-4753-8033-0f276bb0955b  storageAccounts/stdfm*  {_monitor}",
        $"974c5e8b-45b9-4653-ba55-5f855dd0fb88  storageAccounts/stdfm*  {_monitor}",
        $"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3  storageAccounts/stdfm*  {_monitor}",
        $"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1  storageAccounts/strbprod*  {_monitor}",      // Storage Blob Data Reader
        $"19e7f393-937e-4f77-808e-94535e297925  storageAccounts/strbprod*  {_monitor}",      // Storage Queue Data Reader
        $"76199698-9eea-4c19-bc75-cec21354c6b6  storageAccounts/strbprod*  {_monitor}",      // Storage Table Data Reader

        // The app on other people's resources, one line an integration.
        $"4abbcc35-e782-43d8-92c5-2d3f1bd2253f  managedClusters/aks-a  {_app}",              // AKS Cluster User
        $"4abbcc35-e782-43d8-92c5-2d3f1bd2253f  managedClusters/aks-b  {_app}",
        $"recycle pods  namespaces/inference  {_app}",
        $"recycle pods  namespaces/inference  {_app}",
        $"restart and scale deployments  namespaces/chat  {_app}",
        $"cordon, taint and drain nodes  managedClusters/aks-b  {_app}",
        $"reimage the machines of nodes  virtualMachineScaleSets/aks-gpu-24815391-vmss  {_app}",
        $"5ae67dd6-50cb-40e7-96ff-dc2bfa4b606b  configurationStores/appcs-chat-prod  {_app}",
        $"edit a Front Door WAF policy  frontDoorWebApplicationFirewallPolicies/wafprod  {_app}",
        $"edit an Application Gateway WAF policy  applicationGatewayWebApplicationFirewallPolicies/waf-agw-prod  {_app}",
        $"suspend an API Management subscription and weigh backends  service/apim-prod  {_app}",
        $"regenerate a key of an AI account, spill over, and block prompts  accounts/oai-prod  {_app}",
        $"split the traffic of online endpoints  workspaces/ml-prod  {_app}",
        $"f1a07417-d97a-45cb-824c-7a7467783830  userAssignedIdentities/id-chat  {_app}",   // Managed Identity Operator
        $"a4b10055-b0c7-44c2-b00f-c7b5b3550cf7  trafficManagerProfiles/tm-prod  {_app}",     // Traffic Manager Contributor
        $"weigh and switch Front Door origins  profiles/afd-prod  {_app}",
        $"run a command on a virtual machine  virtualMachines/vm-batch-1  {_app}",
        $"restart a web app  sites/app-search  {_app}",
        $"restart a Container App revision  containerApps/ca-ranker  {_app}",
        $"43d0d8ad-25c7-4714-9337-8ba259a9fe05  applicationGateways/agw-westeurope  {_app}", // Monitoring Reader
        $"43d0d8ad-25c7-4714-9337-8ba259a9fe05  components/appi-chat-prod  {_app}",
        $"73c42c96-874c-492b-b04d-ab87d138a893  workspaces/log-prod  {_app}",                // Log Analytics Reader
        $"b0d8363b-8ddd-447d-831f-62ca05bff136  accounts/amw-prod  {_app}",                  // Monitoring Data Reader
        $"follow operations  subscriptions/00000000-0000-0000-0000-000000000001  {_app}",       // Reads nothing but how a long-running change has ended
        $"acknowledge and close alerts  subscriptions/{Plan.Subscription}  {_app}",
    ];

    [Fact]
    public async Task Production_HandsOutExactlyTheRolesOfTheTable()
    {
        var granted = Granted(await Plan.OfAsync(Plan.Production));

        granted.ShouldBe(_production, ignoreOrder: true);
    }

    /// <summary>Runbooks hold a fix by a metric of what they change, which the built-in roles that change these two do not read.</summary>
    [Theory]
    [InlineData("profiles/afd-prod")]
    [InlineData("service/apim-prod")]
    public async Task BuiltInRoles_LetWhatIsChangedBeMeasured(string resource)
    {
        const string monitoringReader = "43d0d8ad-25c7-4714-9337-8ba259a9fe05";
        var granted = Granted(await Plan.OfAsync(Plan.Production, text => $"{text}\nparam customRoles = false\n")).ToList();

        granted.ShouldContain($"{monitoringReader}  {resource}  {_app}");
    }

    /// <summary>Two jobs with the same role on the same resource would be two deployments of one name, which Azure refuses.</summary>
    [Fact]
    public async Task RoleThatTwoJobsNeedOnOneResource_IsAssignedOnce()
    {
        var plan = await Plan.OfAsync(Plan.Production, text => $"{text.Replace("deployments: ['chat']", "deployments: ['inference']", StringComparison.Ordinal)}\nparam customRoles = false\n");

        plan.All("Microsoft.Authorization/roleAssignments").Select(role => $"{role.Scope} {role.Properties["roleDefinitionId"]} {role.Properties["principalId"]}").ShouldBeUnique();
    }

    [Fact]
    public async Task AnAppThatOnlyRecyclesPods_HoldsNoOtherRoleElsewhere()
    {
        var elsewhere = (await Plan.OfAsync(Plan.Development)).All("Microsoft.Authorization/roleAssignments")
            .Where(role => !role.Scope.Contains("/resourceGroups/rg-runbooks-dev", StringComparison.Ordinal)).ToList();

        elsewhere.Select(role => Last(role.Scope, 2)).ShouldBe(["managedClusters/aks-dev", "namespaces/inference"], ignoreOrder: true);
    }

    [Fact]
    public async Task ClusterThatIsOnlyLookedAt_GivesNoRightToChangeAnything()
    {
        var plan = await Plan.OfAsync(Plan.Development, file => file.Replace("      namespaces: ['inference']\n", "      namespaces: ['inference']\n      deployments: ['inference']\n      nodes: true\n      lookOnly: true\n", StringComparison.Ordinal));
        var held = plan.All("Microsoft.Authorization/roleAssignments").Where(role => role.Scope.Contains("/managedClusters/", StringComparison.Ordinal))
            .Select(role => $"{role.Properties["roleDefinitionId"]}").Select(id => id[(id.LastIndexOf('/') + 1)..]).ToList();

        held.Count.ShouldBe(2);
        held.ShouldContain("4abbcc35-e782-43d8-92c5-2d3f1bd2253f", "AKS Cluster User");
        held.ShouldContain(plan.All("Microsoft.Authorization/roleDefinitions").Single(role => $"{role.Properties["roleName"]}".Contains("look at pods", StringComparison.Ordinal)).Name);
    }

    [Fact]
    public async Task NothingIsSwitchedOn_NoRoleOutsideTheOwnGroup()
    {
        var roles = (await Plan.OfAsync(Plan.Azd)).All("Microsoft.Authorization/roleAssignments").ToList();

        roles.ShouldNotBeEmpty();
        roles.ShouldAllBe(role => role.Scope.Contains("/resourceGroups/rg-runbooks-dev/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CustomRoles_HoldNoWildcard()
    {
        foreach (var definition in (await Plan.OfAsync(Plan.Production)).All("Microsoft.Authorization/roleDefinitions"))
        {
            var permission = definition.Properties["permissions"]!.AsArray().ShouldHaveSingleItem()!;
            var actions = permission["actions"]!.AsArray().Concat(permission["dataActions"]!.AsArray()).Select(action => (string)action!).ToList();

            actions.ShouldNotBeEmpty();
            actions.ShouldAllBe(action => !action.Contains('*', StringComparison.Ordinal)
                && !action.Contains("exec", StringComparison.OrdinalIgnoreCase)
                && !action.Contains("roleAssignments", StringComparison.OrdinalIgnoreCase)
                && !action.Contains("listKeys", StringComparison.OrdinalIgnoreCase)
                && !action.Contains("secrets", StringComparison.OrdinalIgnoreCase));
        }
    }

    private static IEnumerable<string> Granted(Plan plan)
    {
        var own = plan.All("Microsoft.Authorization/roleDefinitions").ToDictionary(
            definition => definition.Name, definition => ((string)definition.Properties["roleName"]!).Replace("Runbooks prod: ", "", StringComparison.Ordinal));
        return plan.All("Microsoft.Authorization/roleAssignments").Select(role =>
        {
            var id = Last((string)role.Properties["roleDefinitionId"]!, 1);
            var scope = Last(role.Scope, 2);
            return $"{own.GetValueOrDefault(id, id)}  {Unique().Replace(scope, "*")}  {Unique().Replace(Whom((string)role.Properties["principalId"]!), "*")}";
        });
    }

    /// <summary>An identity of this plan is still an expression; its name is in it.</summary>
    private static string Whom(string principal) =>
        IdentityName().Match(principal) is { Success: true } match ? match.Groups[1].Value : principal;

    private static string Last(string id, int parts) => string.Join('/', id.Split('/')[^parts..]);

    // The letters that make a name unique: six after the environment, thirteen in the monitor's storage account.
    [GeneratedRegex("(?<=strbprod|kv-rb-prod-|appcs-runbooks-prod-|dfm-runbooks-prod-|stdfm)[a-z0-9]+")]
    private static partial Regex Unique();

    [GeneratedRegex("userAssignedIdentities/([A-Za-z0-9-]+)'", RegexOptions.NonBacktracking)]
    private static partial Regex IdentityName();
}
