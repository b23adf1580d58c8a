using System.Collections.Frozen;
using Runbooks.Catalog.Matching;

namespace Runbooks.Integrations.Azure;

internal sealed class ArmResources(AzurePipelines pipelines, IOptions<AzureOptions> options)
{
    private const int MostPages = 20;

    /// <summary>Shorter than a step's usual time, so that the step can still say what is known.</summary>
    private static readonly TimeSpan s_longestLook = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    private readonly Uri _endpoint = new(options.Value.ManagementEndpoint);

    public async Task<ArmDocument> GetAsync(ArmTarget target, CancellationToken cancellationToken) =>
        await FindAsync(target, cancellationToken) ?? throw new StepRefusedException($"There is no {target.DisplayName}.");

    public async Task<ArmDocument?> FindAsync(ArmTarget target, CancellationToken cancellationToken)
    {
        var answer = await Caller.SendAsync(Call(target, RequestMethod.Get, "read it") with { Understood = [404] }, cancellationToken);
        return answer.Status == 404 ? null : new ArmDocument(ReadObject(target, answer.Body), answer.ETag);
    }

    public async Task<IReadOnlyList<JsonObject>> ListAsync(
        ArmTarget target, CancellationToken cancellationToken, string below = "", int mostPages = MostPages)
    {
        var all = new List<JsonObject>();
        var call = Call(target, RequestMethod.Get, "read it", below: below) with { Understood = [404] };
        for (var page = 1; page <= mostPages; page++)
        {
            var answer = await Caller.SendAsync(call, cancellationToken);
            var json = answer.Status == 404
                ? throw new StepRefusedException($"There is no {target.DisplayName}.")
                : ReadObject(target, answer.Body);
            all.AddRange((json["value"] as JsonArray ?? []).OfType<JsonObject>());
            if (JsonAnswer.Text(json["nextLink"]) is not { Length: > 0 } next)
            {
                return all;
            }

            call = call with { Uri = Caller.Trusted(new Uri(call.Uri, next), call) };
        }

        throw new AzureRequestException($"{target.DisplayName} has more than {mostPages} pages, so not all of it was read.");
    }

    /// <summary>The resource once Azure no longer works on it: not every service answers a write with an operation to follow.</summary>
    public async Task<JsonObject> GetProvisionedAsync(ArmTarget target, string what, TimeProvider time, CancellationToken cancellationToken)
    {
        var call = Call(target, RequestMethod.Get, what);
        return ReadObject(
            target,
            (await Caller.UntilProvisionedAsync(call, await Caller.SendAsync(call, cancellationToken), time, cancellationToken)).Body);
    }

    /// <summary>
    /// Whether what a resource shows is in force, once Azure no longer works on it. After a change that failed, the resource still shows
    /// what was asked for, and says beside it that this failed. Writing the same again mends that.
    /// </summary>
    /// <seealso href="https://github.com/Azure/azure-resource-manager-rpc/blob/master/v1.0/async-api-reference.md"/>
    public async Task<bool> IsInForceAsync(ArmTarget target, StepContext context, CancellationToken cancellationToken)
    {
        var call = Call(target, RequestMethod.Get, "read it");
        var answer = await Caller.SendAsync(call, cancellationToken);

        // From here on somebody's change is waited for, whoever made it.
        var (_, failed) = await Caller.UntilAtRestAsync(
            call with { What = "change it" }, answer, context.Time, cancellationToken, context.Progress);
        return failed is null;
    }

    /// <param name="operation">As roles name it: <c>Microsoft.Web/sites/restart/action</c>.</param>
    public async Task<string?> CheckPermissionsAsync(ArmTarget target, string operation, CancellationToken cancellationToken)
    {
        try
        {
            var call = Call(
                target with { ApiVersion = ArmPermissions.ApiVersion },
                RequestMethod.Get,
                "read its permissions",
                below: ArmPermissions.Path);
            var answer = ReadObject(target, (await Caller.SendAsync(call, cancellationToken)).Body);
            return ArmPermissions.MayAllow(answer, operation)
                ? null
                : $"This identity lacks the role {target.Role} on {target.DisplayName}: it may not do {operation} there.";
        }
        catch (Exception unknown) when (unknown is StepRefusedException or AzureRequestException)
        {
            return null;
        }
    }

    /// <summary>
    /// Sends, and returns once the operation has ended well, or was accepted with nothing to follow
    /// (<see cref="AzureResponse.IsOnlyAccepted"/>).
    /// </summary>
    public Task<AzureResponse> SendAsync(
        AzureRequest call, TimeProvider time, CancellationToken cancellationToken, StepProgress? progress = null) =>
        Caller.SendToEndAsync(call, time, cancellationToken, progress);

    /// <summary>
    /// Sends the only write of a step, and reads whether it shows. What Azure only accepted is looked for again for a while.
    /// </summary>
    /// <returns>False: Azure says that it is done, and the resource does not show it.</returns>
    public async Task<bool> WriteAsync(AzureRequest call, Func<Task<bool>> isSeen, StepContext context, CancellationToken cancellationToken)
    {
        // The incident may have been paused while the step waited for its turn, or for Azure to end its work.
        await context.EnsureNotPausedAsync(done: null, cancellationToken);
        var time = context.Time;
        var answer = await SendAsync(call, time, cancellationToken, context.Progress);
        var started = time.GetTimestamp();
        while (!await AzureClient.UntilAnsweredAsync(call, isSeen, time, context.Progress, cancellationToken))
        {
            if (!answer.IsOnlyAccepted)
            {
                return false;
            }

            if (time.GetElapsedTime(started) >= s_longestLook)
            {
                throw new AzureRequestException((
                    $"{call.On} accepted to {call.What}, and does not show it {s_longestLook.TotalMinutes:0} minutes later. "
                    + $"{answer.NotFollowed}").TrimEnd());
            }

            await Task.Delay(s_pause, time, cancellationToken);
        }

        return true;
    }

    public AzureRequest Call(
        ArmTarget target, RequestMethod method, string what, JsonNode? body = null, string below = "", string query = "") =>
        new(
            method,
            new Uri($"{_endpoint.ToString().TrimEnd('/')}{target.Id}{below}?api-version={target.ApiVersion}{query}"),
            what,
            target.DisplayName,
            target.Role)
        {
            Body = body is null ? null : BinaryData.FromString(body.ToJsonString()),
        };

    public static JsonObject ReadObject(ArmTarget target, BinaryData body)
    {
        try
        {
            return JsonNode.Parse(body)?.AsObject() ?? throw new JsonException();
        }
        catch (Exception odd) when (odd is JsonException or InvalidOperationException)
        {
            throw new AzureRequestException($"{target.DisplayName} answered with something that is not a JSON object.", inner: odd);
        }
    }

    private AzureClient Caller => pipelines.ToManagement(_endpoint);
}

internal sealed record ArmDocument(JsonObject Json, string? ETag)
{
    public JsonObject Properties => Json["properties"] as JsonObject ?? [];

    public string? Text(string property) => JsonAnswer.Text(Properties[property]);
}

internal sealed record ArmTarget(string Id, string ApiVersion, string Role)
{
    public string Name => Id[(Id.LastIndexOf('/') + 1)..];

    public string DisplayName => ResourceText.Of(Id);

    /// <summary>The name of the resource that it is a part of; null when it is not a part.</summary>
    public string? Whole => Id.Split('/') is [_, _, _, _, _, _, _, _, var whole, _, ..] ? whole : null;

    /// <summary>With the resource that it is a part of: <c>backend pool openai of gateway</c>.</summary>
    public string DisplayNameWithin => Whole is { } whole ? $"{DisplayName} of {whole}" : DisplayName;

    public string PortalLink => $"https://portal.azure.com/#@/resource{Id}";
}

/// <summary>
/// Azure's answer about an identity's permissions on a resource: one entry for each role that it has there, with patterns of
/// operations (learn.microsoft.com/rest/api/authorization/permissions/list-for-resource).
/// </summary>
internal static class ArmPermissions
{
    public const string Path = "/providers/Microsoft.Authorization/permissions";
    public const string ApiVersion = "2022-04-01";

    public static bool MayAllow(JsonObject answer, string operation) =>
        answer["value"] is not JsonArray roles
        // Another role may be on the next page.
        || answer["nextLink"] is not null
        || roles.OfType<JsonObject>().Any(role => Names(role, "actions", operation) && !Names(role, "notActions", operation));

    private static bool Names(JsonObject role, string list, string operation) =>
        (role[list] as JsonArray ?? []).Any(pattern => JsonAnswer.Text(pattern) is { } text && Glob.IsMatch(text, operation));
}

internal static partial class ResourceText
{
    // Other names follow from the type: trafficFlows is a traffic flow.
    private static readonly FrozenDictionary<string, string> s_kinds = new Dictionary<string, string>
    {
        ["Microsoft.ApiManagement/service"] = "API Management",
        ["Microsoft.ApiManagement/service/backends"] = "backend pool",
        ["Microsoft.App/containerApps"] = "container app",
        ["Microsoft.Cdn/profiles"] = "Front Door",
        ["Microsoft.CognitiveServices/accounts"] = "Azure OpenAI account",
        ["Microsoft.CognitiveServices/accounts/raiBlocklists"] = "blocklist",
        ["Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems"] = "blocklist item",
        ["Microsoft.CognitiveServices/accounts/raiPolicies"] = "content filter",
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
            // What extends a resource (its health, its metrics) has the resource's name, since roles are granted on that.
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
