namespace Runbooks.Sandbox.Apis.Arm;

/// <summary>WAF policies with one rule of their own. They are written whole, and the last writer wins, as in Azure.</summary>
internal abstract class WafPolicyKind(string type, string typeName) : ArmKind(type)
{
    private static readonly string[] s_readOnly = ["provisioningState", "resourceState", "securityPolicyLinks", "frontendEndpointLinks", "routingRuleLinks", "applicationGateways", "httpListeners", "pathBasedRules"];

    /// <summary>Whether a policy blocks this text now.</summary>
    public bool Blocks(string body) => Resources.Values.Where(IsInForce).Any(policy => Patterns(policy).Any(pattern =>
        new Regex(pattern, RegexOptions.NonBacktracking).IsMatch(body.ToLowerInvariant())));

    // Detection only logs.
    private static bool IsInForce(JsonObject policy) =>
        policy["properties"]?["policySettings"] is not JsonObject settings
        || ((string?)settings["mode"] != "Detection" && (string?)(settings["enabledState"] ?? settings["state"]) != "Disabled" && settings["requestBodyCheck"]?.ToJsonString() != "false");

    protected abstract IEnumerable<string> Patterns(JsonObject policy);

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
        // What is not written is gone, unlike with PATCH, but for what only the service says.
        var properties = body["properties"]!.DeepClone().AsObject();
        foreach (var (name, value) in fresh.Where(one => s_readOnly.Contains(one.Key)))
        {
            properties[name] = value?.DeepClone();
        }

        written["properties"] = properties;
        Keep(request, written);
    }
}

/// <summary>Front Door's kind; a change is long-running.</summary>
internal sealed class FrontDoorWafKind() : WafPolicyKind("microsoft.network/frontdoorwebapplicationfirewallpolicies", "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies")
{
    private static readonly (string, string)[] s_later = [("policySettings/captchaExpirationInMinutes", "2025-03-01"), ("managedRules/exceptionsList", "2025-11-01")];

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

    protected override IEnumerable<string> Patterns(JsonObject policy) =>
        from rule in policy["properties"]?["customRules"]?["rules"] as JsonArray ?? []
        from condition in rule!["matchConditions"]!.AsArray()
        where (string?)condition!["operator"] == "RegEx" && (string?)rule["action"] == "Block"
        from value in condition["matchValue"]!.AsArray()
        select (string)value!;

    protected override JsonObject Begin(ArmRequest request)
    {
        var policy = Policy(request, new JsonObject
        {
            ["policySettings"] = new JsonObject { ["enabledState"] = "Enabled", ["mode"] = "Prevention", ["requestBodyCheck"] = "Enabled", ["captchaExpirationInMinutes"] = 30 },
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
            ["securityPolicyLinks"] = new JsonArray(new JsonObject { ["id"] = $"{request.Group}/providers/Microsoft.Cdn/profiles/assist/securityPolicies/all" }),
        });
        policy["sku"] = new JsonObject { ["name"] = "Premium_AzureFrontDoor" };
        return policy;
    }
}

/// <summary>Application Gateway's kind; a change is answered with the policy, which is still being updated.</summary>
internal sealed class ApplicationGatewayWafKind()
    : WafPolicyKind("microsoft.network/applicationgatewaywebapplicationfirewallpolicies", "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies")
{
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

    protected override IEnumerable<string> Patterns(JsonObject policy) =>
        from rule in policy["properties"]?["customRules"] as JsonArray ?? []
        from condition in rule!["matchConditions"]!.AsArray()
        where (string?)condition!["operator"] == "Regex" && (string?)rule["action"] == "Block"
        from value in condition["matchValues"]!.AsArray()
        select (string)value!;

    protected override JsonObject Begin(ArmRequest request) => Policy(request, new JsonObject
    {
        ["policySettings"] = new JsonObject { ["state"] = "Enabled", ["mode"] = "Prevention", ["requestBodyCheck"] = true },
        ["customRules"] = new JsonArray(),
        ["managedRules"] = new JsonObject { ["managedRuleSets"] = new JsonArray(new JsonObject { ["ruleSetType"] = "OWASP", ["ruleSetVersion"] = "3.2" }) },
        ["provisioningState"] = "Succeeded",
        ["applicationGateways"] = new JsonArray(new JsonObject { ["id"] = $"{request.Group}/providers/Microsoft.Network/applicationGateways/assist" }),
    });
}
