using System.Text.Json.Nodes;

namespace Runbooks.Integrations.Azure.Waf;

/// <summary>Rules of <c>Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies</c>.</summary>
internal sealed class ApplicationGatewayWafRules : WafRules
{
    public const string ResourceType = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies";

    public override string Type => ResourceType;

    public override string ApiVersion => "2025-05-01";

    public override string Role => "Network Contributor";

    public override JsonArray In(JsonObject policy) =>
        ListIn(policy["properties"] as JsonObject ?? (JsonObject)(policy["properties"] = new JsonObject()), "customRules");

    public override JsonObject Block(string name, int priority, PromptSignature signature) => new()
    {
        ["name"] = name,
        ["priority"] = priority,
        ["state"] = "Enabled",
        ["ruleType"] = "MatchRule",
        ["action"] = "Block",
        ["matchConditions"] = new JsonArray(new JsonObject
        {
            ["matchVariables"] = new JsonArray(new JsonObject { ["variableName"] = "RequestBody" }),
            ["operator"] = "Regex",
            // Spelt so by the API.
            ["negationConditon"] = false,
            ["matchValues"] = new JsonArray(signature.Pattern),
            ["transforms"] = new JsonArray("UrlDecode", "Lowercase"),
        }),
    };

    public override JsonObject ToWrite(JsonObject policy)
    {
        var written = Without(policy, "id", "name", "type", "etag");
        written["properties"] = Without(
            policy["properties"]!.AsObject(), "applicationGateways", "httpListeners", "pathBasedRules", "applicationGatewayForContainers", "provisioningState", "resourceState");
        return written;
    }
}
