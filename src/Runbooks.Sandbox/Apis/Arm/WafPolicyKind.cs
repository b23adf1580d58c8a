using System.Net;

namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>WAF policies. A PUT writes the whole policy, and the last writer wins, as in Azure.</summary>
internal abstract class WafPolicyKind(string type, string typeName) : ArmKind(type)
{
    private static readonly string[] s_readOnly =
    [
        "provisioningState",
        "resourceState",
        "securityPolicyLinks",
        "frontendEndpointLinks",
        "routingRuleLinks",
        "applicationGateways",
        "httpListeners",
        "pathBasedRules",
    ];

    /// <summary>Whether a policy blocks a request now: the first of its own rules that matches decides.</summary>
    public bool Blocks(EdgeRequest request) => Resources.Values.Where(IsInForce).Any(policy => Rules(policy).OfType<JsonObject>()
        .Where(rule => (string?)rule["action"] is "Allow" or "Block" && (string?)(rule["enabledState"] ?? rule["state"]) != "Disabled")
        .OrderBy(rule => (int)rule["priority"]!)
        .FirstOrDefault(rule => rule["matchConditions"]!
            .AsArray()
            .All(condition => Fits(policy, condition!.AsObject(), request)))?["action"]?.ToString() == "Block");

    // Detection only logs.
    private static bool IsInForce(JsonObject policy) =>
        policy["properties"]?["policySettings"] is not JsonObject settings
        || ((string?)settings["mode"] != "Detection"
            && (string?)(settings["enabledState"] ?? settings["state"]) != "Disabled"
            && settings["requestBodyCheck"]?.ToJsonString() != "false");

    protected abstract JsonArray Rules(JsonObject policy);

    /// <summary>The part of a request's body that a rule's condition sees: not every rule reads bodies of every type.</summary>
    protected abstract IEnumerable<string> Read(JsonObject policy, JsonObject condition, EdgeRequest request);

    private bool Fits(JsonObject policy, JsonObject condition, EdgeRequest request)
    {
        var values = (condition["matchValue"] ?? condition["matchValues"])!.AsArray().Select(value => (string)value!).ToList();
        return ((string?)condition["operator"])?.ToLowerInvariant() switch
        {
            "ipmatch" => values.Exists(range => IPNetwork.Parse(range).Contains(request.From)),
            "regex" => Read(policy, condition, request).Any(text => values.Exists(pattern => IsMatch(pattern, text))),
            _ => false,
        };
    }

    private static bool IsMatch(string pattern, string text) =>
        new Regex(pattern, RegexOptions.NonBacktracking).IsMatch(text.ToLowerInvariant());

    protected JsonObject Policy(ArmRequest request, JsonObject properties)
    {
        var policy = Envelope(request, typeName, properties);
        policy["etag"] = "practice";
        return policy;
    }

    protected void Write(ArmRequest request, JsonObject body)
    {
        var (written, fresh) = (Begin(request), Begin(request)["properties"]!.AsObject());
        Merge(written, body);
        // Unlike a PATCH, a PUT removes what it leaves out, except the service's own fields.
        var properties = body["properties"]!.DeepClone().AsObject();
        foreach (var (name, value) in fresh.Where(one => s_readOnly.Contains(one.Key)))
        {
            properties[name] = value?.DeepClone();
        }

        written["properties"] = properties;
        Keep(request, written);
    }
}

/// <summary>Front Door's kind. A change is long-running.</summary>
internal sealed class FrontDoorWafKind() : WafPolicyKind(
    "microsoft.network/frontdoorwebapplicationfirewallpolicies", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies")
{
    private static readonly (string, string)[] s_later =
    [
        ("policySettings/captchaExpirationInMinutes", "2025-03-01"),
        ("managedRules/exceptionsList", "2025-11-01"),
    ];

    public override IResult? Answer(ArmRequest request, ArmOperations operations) => (request.Method, request.Rest.Count, request.Body) switch
    {
        ("GET", 0, _) => Json(AsOf(request, Resource(request), s_later)),
        ("PUT", 0, { } body) when body["properties"] is JsonObject => Accept(request, AsOf(request, body, s_later), operations),
        _ => null,
    };

    private IResult Accept(ArmRequest request, JsonObject written, ArmOperations operations) => operations.Accept(request, () =>
    {
        Write(request, written);
        return null;
    }, written: () => Resource(request)["properties"]);

    protected override JsonArray Rules(JsonObject policy) => policy["properties"]?["customRules"]?["rules"] as JsonArray ?? [];

    /// <seealso href="https://learn.microsoft.com/azure/web-application-firewall/afds/waf-faq"/>
    protected override IEnumerable<string> Read(
        JsonObject policy, JsonObject condition, EdgeRequest request) => request.ContentType == EdgeRequest.Form ? [request.Body] : [];

    protected override JsonObject Begin(ArmRequest request)
    {
        var policy = Policy(request, new JsonObject
        {
            ["policySettings"] = new JsonObject
            {
                ["enabledState"] = "Enabled",
                ["mode"] = "Prevention",
                ["requestBodyCheck"] = "Enabled",
                ["captchaExpirationInMinutes"] = 30,
            },
            ["customRules"] = new JsonObject
            {
                ["rules"] = new JsonArray(new JsonObject
                {
                    ["name"] = "AllowOffice",
                    ["priority"] = 1,
                    ["enabledState"] = "Enabled",
                    ["ruleType"] = "MatchRule",
                    ["action"] = "Allow",
                    ["matchConditions"] = new JsonArray(new JsonObject
                    {
                        ["matchVariable"] = "RemoteAddr", ["operator"] = "IPMatch", ["negateCondition"] = false, ["matchValue"] = new JsonArray("203.0.113.0/24"),
                    }),
                }),
            },
            ["managedRules"] = new JsonObject
            {
                ["managedRuleSets"] = new JsonArray(new JsonObject { ["ruleSetType"] = "Microsoft_DefaultRuleSet", ["ruleSetVersion"] = "2.1" }),
                ["exceptionsList"] = new JsonObject
                {
                    ["exceptions"] = new JsonArray(new JsonObject
                    {
                        ["matchVariable"] = "RequestUri",
                        ["valueMatchOperator"] = "Contains",
                        ["matchValues"] = new JsonArray("/upload"),
                        ["scopes"] = new JsonArray(new JsonObject { ["ruleSetType"] = "Microsoft_DefaultRuleSet", ["ruleSetVersion"] = "2.1" }),
                    }),
                },
            },
            ["provisioningState"] = "Succeeded",
            ["resourceState"] = "Enabled",
            ["frontendEndpointLinks"] = new JsonArray(),
            ["securityPolicyLinks"] = new JsonArray(new JsonObject
            {
                ["id"] = $"{request.Group}/providers/Microsoft.Cdn/profiles/assist/securityPolicies/all",
            }),
        });
        policy["sku"] = new JsonObject { ["name"] = "Premium_AzureFrontDoor" };
        return policy;
    }
}

/// <summary>Application Gateway's kind. A change is answered with the policy, which is still being updated.</summary>
internal sealed class ApplicationGatewayWafKind()
    : WafPolicyKind(
        "microsoft.network/applicationgatewaywebapplicationfirewallpolicies",
        "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies")
{
    private static readonly Version s_readsJson = new(3, 2);

    public override IResult? Answer(ArmRequest request, ArmOperations operations) => (request.Method, request.Rest.Count, request.Body) switch
    {
        ("GET", 0, _) => Json(Resource(request)),
        ("PUT", 0, { } body) when body["properties"] is JsonObject => Accept(request, body, operations),
        _ => null,
    };

    private IResult Accept(ArmRequest request, JsonObject written, ArmOperations operations)
    {
        var begun = Resource(request).DeepClone().AsObject();
        begun["properties"] = written["properties"]!.DeepClone();
        begun["properties"]!["provisioningState"] = "Updating";
        return operations.Accept(
            request,
            () =>
            {
                Write(request, written);
                return null;
            },
            Json(begun),
            () => Resource(request)["properties"]);
    }

    protected override JsonArray Rules(JsonObject policy) => policy["properties"]?["customRules"] as JsonArray ?? [];

    /// <summary>For JSON only the values, only through arguments, and only with a rule set that reads JSON.</summary>
    /// <seealso href="https://learn.microsoft.com/azure/web-application-firewall/ag/custom-waf-rules-overview"/>
    protected override IEnumerable<string> Read(JsonObject policy, JsonObject condition, EdgeRequest request) => request.ContentType switch
    {
        EdgeRequest.Form => [request.Body],
        EdgeRequest.Json when (condition["matchVariables"] as JsonArray ?? []).Any(one => (string?)one?["variableName"] == "PostArgs")
            && (policy["properties"]?["managedRules"]?["managedRuleSets"] as JsonArray ?? []).Any(set =>
                (string?)set?["ruleSetType"] == "Microsoft_DefaultRuleSet"
                    || ((string?)set?["ruleSetType"] == "OWASP" && Version.Parse((string)set["ruleSetVersion"]!) >= s_readsJson)) =>
            Values(JsonNode.Parse(request.Body)),
        _ => [],
    };

    private static IEnumerable<string> Values(JsonNode? json) => json switch
    {
        JsonObject known => known.SelectMany(one => Values(one.Value)),
        JsonArray all => all.SelectMany(Values),
        _ => [json?.ToString() ?? ""],
    };

    protected override JsonObject Begin(ArmRequest request) => Policy(request, new JsonObject
    {
        ["policySettings"] = new JsonObject { ["state"] = "Enabled", ["mode"] = "Prevention", ["requestBodyCheck"] = true },
        ["customRules"] = new JsonArray(),
        ["managedRules"] = new JsonObject
        {
            ["managedRuleSets"] = new JsonArray(new JsonObject { ["ruleSetType"] = "OWASP", ["ruleSetVersion"] = "3.2" }),
        },
        ["provisioningState"] = "Succeeded",
        ["applicationGateways"] = new JsonArray(new JsonObject
        {
            ["id"] = $"{request.Group}/providers/Microsoft.Network/applicationGateways/assist",
        }),
    });
}

internal sealed record EdgeRequest(string Body, string ContentType, IPAddress From)
{
    public const string Json = "application/json";
    public const string Form = "application/x-www-form-urlencoded";
}
