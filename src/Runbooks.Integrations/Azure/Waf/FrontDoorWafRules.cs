using System.Text.Json.Nodes;

namespace Runbooks.Integrations.Azure.Waf;

/// <summary>Rules of <c>Microsoft.Network/FrontDoorWebApplicationFirewallPolicies</c>.</summary>
internal sealed class FrontDoorWafRules : WafRules
{
    public const string ResourceType = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies";

    public override string Type => ResourceType;

    public override string ApiVersion => "2024-02-01";

    public override string Role => "Network Contributor";

    public override JsonArray In(JsonObject policy)
    {
        var properties = policy["properties"] as JsonObject ?? (JsonObject)(policy["properties"] = new JsonObject());
        return ListIn(properties["customRules"] as JsonObject ?? (JsonObject)(properties["customRules"] = new JsonObject()), "rules");
    }

    public override JsonObject Block(string name, int priority, PromptSignature signature) => new()
    {
        ["name"] = name,
        ["priority"] = priority,
        ["enabledState"] = "Enabled",
        ["ruleType"] = "MatchRule",
        ["action"] = "Block",
        ["matchConditions"] = new JsonArray(new JsonObject
        {
            ["matchVariable"] = "RequestBody",
            ["operator"] = "RegEx",
            ["negateCondition"] = false,
            ["matchValue"] = new JsonArray(signature.Pattern),
            ["transforms"] = new JsonArray("UrlDecode", "Lowercase"),
        }),
    };

    public override JsonObject ToWrite(JsonObject policy)
    {
        var written = Without(policy, "id", "name", "type", "etag");
        written["properties"] = Without(
            policy["properties"]!.AsObject(), "frontendEndpointLinks", "routingRuleLinks", "securityPolicyLinks", "provisioningState", "resourceState");
        return written;
    }
}
