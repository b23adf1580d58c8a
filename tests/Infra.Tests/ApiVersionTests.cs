using TestKit;

namespace Infra.Tests;

/// <summary>
/// Types and versions that were looked up in Azure's published API specifications (the compiler's own type library agrees,
/// or it would warn). Previews only where no stable version exists. A version that is not here needs a look first.
/// </summary>
public class ApiVersionTests
{
    private static readonly Dictionary<string, string> _known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Microsoft.AlertsManagement/prometheusRuleGroups"] = "2023-03-01",
        ["Microsoft.App/containerApps"] = "2025-07-01",
        ["Microsoft.App/managedEnvironments"] = "2025-07-01",
        ["Microsoft.AppConfiguration/configurationStores"] = "2024-06-01",
        ["Microsoft.Authorization/roleAssignments"] = "2022-04-01",
        ["Microsoft.Authorization/roleDefinitions"] = "2022-04-01",
        ["Microsoft.Consumption/budgets"] = "2024-08-01",
        ["Microsoft.DurableTask/schedulers"] = "2026-02-01",
        ["Microsoft.DurableTask/schedulers/taskHubs"] = "2026-02-01",
        ["Microsoft.Insights/actionGroups"] = "2023-01-01",
        ["Microsoft.Insights/components"] = "2020-02-02",
        ["Microsoft.Insights/diagnosticSettings"] = "2021-05-01-preview", // the stable ones predate it by five years
        ["Microsoft.Insights/metricAlerts"] = "2018-03-01",
        ["Microsoft.Insights/scheduledQueryRules"] = "2023-12-01",
        ["Microsoft.Insights/webtests"] = "2022-06-15",
        ["Microsoft.Insights/workbooks"] = "2023-06-01",
        ["Microsoft.KeyVault/vaults"] = "2024-11-01",
        ["Microsoft.ManagedIdentity/userAssignedIdentities"] = "2024-11-30",
        ["Microsoft.Network/networkSecurityGroups"] = "2025-01-01",
        ["Microsoft.Network/privateDnsZones"] = "2024-06-01",
        ["Microsoft.Network/privateDnsZones/virtualNetworkLinks"] = "2024-06-01",
        ["Microsoft.Network/privateEndpoints"] = "2025-01-01",
        ["Microsoft.Network/privateEndpoints/privateDnsZoneGroups"] = "2025-01-01",
        ["Microsoft.Network/virtualNetworks"] = "2025-01-01",
        ["Microsoft.OperationalInsights/workspaces"] = "2025-02-01",
        ["Microsoft.Resources/resourceGroups"] = "2025-04-01",
        ["Microsoft.Storage/storageAccounts"] = "2025-01-01",
        ["Microsoft.Storage/storageAccounts/blobServices"] = "2025-01-01",
        ["Microsoft.Storage/storageAccounts/blobServices/containers"] = "2025-01-01",
        ["Microsoft.Storage/storageAccounts/managementPolicies"] = "2025-01-01",
        ["Microsoft.Web/serverfarms"] = "2024-11-01",
        ["Microsoft.Web/sites"] = "2024-11-01",
        ["Microsoft.Web/sites/basicPublishingCredentialsPolicies"] = "2024-11-01",
        ["Microsoft.Web/sites/config"] = "2024-11-01",
    };

    [Theory]
    [InlineData(Plan.Azd)]
    [InlineData(Plan.Development)]
    [InlineData(Plan.Production)]
    public async Task EveryResource_UsesAKnownVersion(string parameters)
    {
        foreach (var resource in (await Plan.OfAsync(parameters)).Resources)
        {
            _known.ShouldContainKey(resource.Type, resource.ToString());
            resource.ApiVersion.ShouldBe(_known[resource.Type], resource.ToString());
        }
    }

    /// <summary>Also what no example switches on, such as the scheduler.</summary>
    [Fact]
    public void EveryTypeInTheFiles_IsInTheTable()
    {
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Of("infra", "bicep"), "*.bicep", SearchOption.AllDirectories))
        {
            foreach (var line in File.ReadLines(file).Where(line => line.TrimStart().StartsWith("resource ", StringComparison.Ordinal) && line.Contains('@', StringComparison.Ordinal)))
            {
                var type = line.Split('\'')[1].Split('@');
                _known.ShouldContainKey(type[0], Path.GetFileName(file));
                type[1].ShouldBe(_known[type[0]], Path.GetFileName(file));
            }
        }
    }
}
