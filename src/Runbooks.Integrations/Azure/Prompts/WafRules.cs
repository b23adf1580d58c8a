using Runbooks.Integrations.Azure.Routing;

namespace Runbooks.Integrations.Azure.Prompts;

internal abstract class WafRules
{
    public const int MaxRules = 100;

    public abstract string Type { get; }

    public abstract string ApiVersion { get; }

    /// <summary>The list of rules in a policy; an empty one is added to the policy when it has none.</summary>
    public abstract JsonArray In(JsonObject policy);

    public abstract JsonObject Block(string name, int priority, string pattern);

    protected abstract string[] ReadOnly { get; }

    /// <summary>The parts that a PUT takes, without those that can only be read.</summary>
    public JsonObject ToWrite(JsonObject policy)
    {
        var written = Without(policy, "id", "name", "type", "etag");
        written["properties"] = Without(policy["properties"]!.AsObject(), ReadOnly);
        return written;
    }

    /// <summary>How much of a request's body is searched, in KB; null when the policy does not say.</summary>
    public abstract int? SearchedKB(JsonObject policy);

    /// <summary>A block in a policy that turns nothing away would block nothing, and everybody would believe that it does.</summary>
    /// <returns>Why it turns nothing away, to complete "the policy …"; null when the policy shows no reason.</returns>
    /// <seealso href="https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-policy-settings"/>
    public string? FindWhyUseless(JsonObject policy)
    {
        var properties = policy["properties"] as JsonObject ?? [];
        var settings = properties["policySettings"] as JsonObject ?? [];
        if ((settings["enabledState"] ?? settings["state"]) is { } state && !Is(state, "Enabled"))
        {
            return "is switched off";
        }

        if (Is(settings["mode"], "Detection"))
        {
            return "has the mode Detection, in which it only logs what it matches";
        }

        // In Front Door this property is a word, and is about the managed rules.
        if (JsonAnswer.Flag(settings["requestBodyCheck"]) == false)
        {
            return "does not read the bodies of requests (requestBodyCheck)";
        }

        return IsAttached(properties) ? null : "is attached to nothing, so no traffic passes it";
    }

    /// <summary>Custom rules do not read every body, whatever the managed rules do.</summary>
    /// <returns>Why they do not read JSON, to complete "the policy …"; null where they do.</returns>
    public abstract string? FindWhyNoJson(JsonObject policy);

    /// <summary>When a change that Azure has taken is in force: a sentence that begins with a blank, or nothing where it is at once.</summary>
    public virtual string Delay => "";

    /// <returns>False only where the policy lists every kind of place and each list is empty.</returns>
    protected abstract bool IsAttached(JsonObject properties);

    protected static bool AreEmpty(JsonObject properties, params string[] lists) =>
        Array.TrueForAll(lists, list => properties[list] is JsonArray { Count: 0 });

    public static JsonObject? Find(JsonArray rules, string name) =>
        rules.OfType<JsonObject>().FirstOrDefault(rule => (string?)rule["name"] == name);

    /// <summary>Whether a rule is in force and has the signature's pattern. Both kinds of policy use the same words.</summary>
    public static bool IsBlocking(JsonObject rule, PromptSignature signature) =>
        Is(rule["action"], "Block")
        && IsEnabled(rule)
        && (rule["matchConditions"] as JsonArray ?? []).OfType<JsonObject>().Any(condition =>
            ((condition["matchValue"] ?? condition["matchValues"]) as JsonArray ?? []).Any(
                value => JsonAnswer.Text(value) == signature.Pattern));

    private static bool IsEnabled(JsonObject rule) =>
        (rule["enabledState"] ?? rule["state"]) is not { } state || Is(state, "Enabled");

    /// <summary>The names of the rules that let requests pass before a rule of that priority is applied.</summary>
    public static IReadOnlyList<string> PassBefore(JsonArray rules, int priority) =>
    [
        .. rules
            .OfType<JsonObject>()
            .Where(rule => Is(rule["action"], "Allow") && IsEnabled(rule) && (int?)rule["priority"] < priority)
            .Select(rule => (string?)rule["name"] ?? "without a name"),
    ];

    /// <summary>Whether a rule still does what was written, so nobody has edited it since. Azure may have added its defaults.</summary>
    public bool IsUnchanged(JsonObject rule, string hash) =>
        PatternIn(rule) is { } pattern
            && PromptSignature.HashOf(pattern) == hash
            && Blocks((string?)rule["name"] ?? "", (int?)rule["priority"] ?? 0, pattern).Any(block => Holds(rule, block));

    /// <summary>The block as it is written now, and as older versions wrote it.</summary>
    protected virtual IEnumerable<JsonObject> Blocks(string name, int priority, string pattern) => [Block(name, priority, pattern)];

    private static string? PatternIn(JsonObject rule) =>
        rule["matchConditions"] is JsonArray { Count: 1 } conditions && conditions[0] is JsonObject condition
        && (condition["matchValue"] ?? condition["matchValues"]) is JsonArray { Count: 1 } values
            ? JsonAnswer.Text(values[0])
            : null;

    private static bool Holds(JsonNode? read, JsonNode? written) => (read, written) switch
    {
        // A property that is not shown has Azure's default.
        (null, _) => true,
        (JsonObject one, JsonObject other) => other.All(property => Holds(one[property.Key], property.Value)),
        (JsonArray one, JsonArray other) => one.Count == other.Count && one.Zip(other).All(pair => Holds(pair.First, pair.Second)),
        (JsonValue one, JsonValue other) => one.ToString().Equals(other.ToString(), StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    protected static bool Is(JsonNode? value, string word) =>
        JsonAnswer.Text(value)?.Equals(word, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>The first free priority, so that a block comes before as many allowing rules as possible.</summary>
    public static int FreePriority(JsonArray rules)
    {
        var taken = rules.OfType<JsonObject>().Select(rule => (int?)rule["priority"]).ToHashSet();
        return Enumerable.Range(1, MaxRules + 1).First(priority => !taken.Contains(priority));
    }

    private static JsonObject Without(JsonObject from, params ReadOnlySpan<string> names)
    {
        var copy = from.DeepClone().AsObject();
        foreach (var name in names)
        {
            copy.Remove(name);
        }

        return copy;
    }

    protected static JsonArray ListIn(JsonObject parent, string name) =>
        parent[name] as JsonArray ?? (JsonArray)(parent[name] = new JsonArray());
}

internal sealed class FrontDoorWafRules : WafRules
{
    public const string ResourceType = "Microsoft.Network/FrontDoorWebApplicationFirewallPolicies";

    public override string Type => ResourceType;

    // The policy is written whole, and properties that a version does not know are lost. The exceptions of managed rules came with this one.
    public override string ApiVersion => "2025-11-01";

    public override JsonArray In(JsonObject policy)
    {
        var properties = policy["properties"] as JsonObject ?? (JsonObject)(policy["properties"] = new JsonObject());
        return ListIn(properties["customRules"] as JsonObject ?? (JsonObject)(properties["customRules"] = new JsonObject()), "rules");
    }

    public override int? SearchedKB(JsonObject policy) => 128;

    /// <seealso href="https://learn.microsoft.com/azure/web-application-firewall/afds/waf-faq"/>
    public override string? FindWhyNoJson(JsonObject policy) => "reads with custom rules only the bodies of forms";

    public override string Delay => FrontDoorText.Delay;

    // Only the classic Front Door has routing rules that link to the policy, and only its API versions name them.
    protected override bool IsAttached(JsonObject properties) =>
        properties["routingRuleLinks"] is JsonArray { Count: > 0 } || !AreEmpty(properties, "frontendEndpointLinks", "securityPolicyLinks");

    public override JsonObject Block(string name, int priority, string pattern) => new()
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
            ["matchValue"] = new JsonArray(pattern),
            ["transforms"] = new JsonArray("UrlDecode", "Lowercase"),
        }),
    };

    protected override string[] ReadOnly =>
        ["frontendEndpointLinks", "routingRuleLinks", "securityPolicyLinks", "provisioningState", "resourceState"];
}

internal sealed class ApplicationGatewayWafRules : WafRules
{
    public const string ResourceType = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies";

    public override string Type => ResourceType;

    private static readonly Version s_readsJson = new(3, 2);

    // Also written whole: the version before this one has another name for the time that a CAPTCHA counts.
    public override string ApiVersion => "2025-07-01";

    public override JsonArray In(JsonObject policy) =>
        ListIn(policy["properties"] as JsonObject ?? (JsonObject)(policy["properties"] = new JsonObject()), "customRules");

    public override int? SearchedKB(JsonObject policy) =>
        policy["properties"]?["policySettings"]?["requestBodyInspectLimitInKB"] is JsonValue limit
            && limit.TryGetValue<int>(out var kilobytes)
            ? kilobytes
            : null;

    protected override bool IsAttached(JsonObject properties) =>
        properties["applicationGatewayForContainers"] is JsonArray { Count: > 0 }
            || !AreEmpty(properties, "applicationGateways", "httpListeners", "pathBasedRules");

    /// <seealso href="https://learn.microsoft.com/azure/web-application-firewall/ag/custom-waf-rules-overview"/>
    public override string? FindWhyNoJson(JsonObject policy) =>
        (policy["properties"]?["managedRules"]?["managedRuleSets"] as JsonArray ?? []).OfType<JsonObject>().Any(ReadsJson)
            ? null
            : "has no rule set with which custom rules read JSON (Microsoft_DefaultRuleSet, or OWASP from 3.2 on)";

    private static bool ReadsJson(JsonObject set) =>
        Is(set["ruleSetType"], "Microsoft_DefaultRuleSet")
        || (Is(set["ruleSetType"], "OWASP")
            && Version.TryParse(set["ruleSetVersion"]?.ToString(), out var version)
            && version >= s_readsJson);

    /// <summary>Looks at the arguments of forms and of JSON: a rule about the body as a whole is not applied to JSON.</summary>
    public override JsonObject Block(string name, int priority, string pattern) => Block("PostArgs", name, priority, pattern);

    protected override IEnumerable<JsonObject> Blocks(string name, int priority, string pattern) =>
        [Block(name, priority, pattern), Block("RequestBody", name, priority, pattern)];

    private static JsonObject Block(string variable, string name, int priority, string pattern) => new()
    {
        ["name"] = name,
        ["priority"] = priority,
        ["state"] = "Enabled",
        ["ruleType"] = "MatchRule",
        ["action"] = "Block",
        ["matchConditions"] = new JsonArray(new JsonObject
        {
            ["matchVariables"] = new JsonArray(new JsonObject { ["variableName"] = variable }),
            ["operator"] = "Regex",
            // Spelt so by the API.
            ["negationConditon"] = false,
            ["matchValues"] = new JsonArray(pattern),
            ["transforms"] = new JsonArray("UrlDecode", "Lowercase"),
        }),
    };

    protected override string[] ReadOnly =>
        ["applicationGateways", "httpListeners", "pathBasedRules", "applicationGatewayForContainers", "provisioningState", "resourceState"];
}
