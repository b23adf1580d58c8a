using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Runbooks.Integrations.Azure;

/// <summary>What people call a resource: <c>virtual machine vm-batch-1</c>.</summary>
internal static partial class ResourceWords
{
    // The rest is told from its type: trafficFlows is a traffic flow.
    private static readonly FrozenDictionary<string, string> s_kinds = new Dictionary<string, string>
    {
        ["Microsoft.ApiManagement/service"] = "API Management",
        ["Microsoft.App/containerApps"] = "container app",
        ["Microsoft.Cdn/profiles"] = "Front Door",
        ["Microsoft.CognitiveServices/accounts"] = "Azure OpenAI account",
        ["Microsoft.ContainerService/managedClusters"] = "AKS cluster",
        ["Microsoft.Insights/components"] = "Application Insights",
        ["Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"] = "WAF policy",
        ["Microsoft.Network/FrontDoorWebApplicationFirewallPolicies"] = "WAF policy",
        ["Microsoft.Network/trafficManagerProfiles"] = "Traffic Manager",
        ["Microsoft.Network/trafficManagerProfiles/azureEndpoints"] = "endpoint",
        ["Microsoft.Network/trafficManagerProfiles/externalEndpoints"] = "endpoint",
        ["Microsoft.Network/applicationGateways"] = "application gateway",
        ["Microsoft.Compute/virtualMachines"] = "virtual machine",
        ["Microsoft.Web/sites"] = "web app",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static string Of(string id)
    {
        // …/providers/{namespace}/{type}/{name}[/{type}/{name} …]
        var parts = id.Split('/').SkipWhile(part => !IsProviders(part)).Skip(1)
            // What extends a resource (its health, its metrics) is called by the resource: that is what a role is granted on.
            .TakeWhile(part => !IsProviders(part)).ToList();
        if (parts.Count < 3)
        {
            return id;
        }

        var types = parts.Skip(1).Where((_, at) => at % 2 == 0);
        return $"{s_kinds.GetValueOrDefault($"{parts[0]}/{string.Join('/', types)}") ?? Singular(parts[^2])} {parts[^1]}";
    }

    private static bool IsProviders(string part) => part.Equals("providers", StringComparison.OrdinalIgnoreCase);

    private static string Singular(string type)
    {
        var words = Hump().Replace(type, " $0").Trim().ToLowerInvariant();
        return words.EndsWith("ies", StringComparison.Ordinal) ? $"{words[..^3]}y" : words.TrimEnd('s');
    }

    [GeneratedRegex("[A-Z]", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant)]
    private static partial Regex Hump();
}
