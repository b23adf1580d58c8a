namespace Runbooks.Integrations.Azure;

public sealed record TrafficSplitParameters
{
    [Required, ArmResourceId("Microsoft.MachineLearningServices/workspaces")]
    [Description("The Azure Machine Learning workspace.")]
    public required string Workspace { get; init; }

    [Required, TextPattern("^[A-Za-z][A-Za-z0-9-]{2,31}$", "a name of 3 to 32 letters, digits and dashes, beginning with a letter")]
    [Description("The online endpoint in it.")]
    public required string Endpoint { get; init; }

    [Required, TextPattern("^[A-Za-z][A-Za-z0-9-]{2,31}$", "a name of 3 to 32 letters, digits and dashes, beginning with a letter")]
    [Description("The deployment of the endpoint whose share is changed.")]
    public required string Deployment { get; init; }

    [Required, Range(0, 100)]
    [Description("Its share of the requests, in percent. The others share the rest in the proportion that they have now.")]
    public required int Percent { get; init; }
}

/// <summary>
/// Moves requests between the deployments of an online endpoint, and back to the exact numbers. PATCH takes only tags and the
/// identity, so the endpoint is written whole.
/// </summary>
/// <seealso href="https://learn.microsoft.com/rest/api/azureml/online-endpoints/create-or-update?view=rest-azureml-2024-10-01"/>
internal sealed class TrafficSplit(ArmResources arm, WholeResource whole, HeldValues held)
    : HeldValueAction<TrafficSplitParameters, TrafficSplit.Change, Dictionary<string, int>>(
        held, "azureMl.trafficSplit", "Changes which share of the requests a deployment of an Azure Machine Learning online endpoint gets.")
{
    private const string EndpointRole = "AzureML Data Scientist";
    private const string IdentityRole = "Managed Identity Operator";

    public override string Role => $"{EndpointRole}, and {IdentityRole} on each identity that is assigned to the endpoint";

    protected override async Task<Preparation> PrepareAsync(
        TrafficSplitParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters);
        var before = TrafficShares.In((await arm.GetAsync(target, cancellationToken)).Json);
        var name = before.Keys.FirstOrDefault(key => key.Equals(parameters.Deployment, StringComparison.OrdinalIgnoreCase))
            ?? parameters.Deployment;
        var after = TrafficShares.With(before, name, parameters.Percent);
        return new Preparation
        {
            PlannedEffect = after is null
                ? $"Give {name} {parameters.Percent} % of the requests to {target.DisplayName} (now {TrafficShares.Text(before)})."
                : $"Split the requests to {target.DisplayName} as {TrafficShares.Text(after)} (now {TrafficShares.Text(before)}).",
            Identity = $"{target.Id}: {TrafficShares.Text(before)}",
            IsSo = after is not null && TrafficShares.Same(before, after),
            Undo = $"Split them as {TrafficShares.Text(before)} again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(target.Id, before, after ?? before)),
            Refusal = after is null
                ? $"{target.DisplayName} has no other deployment that could take the rest, or several that get no requests now: "
                    + "which of them should take it is not known."
                : await UnreadyAsync(target, before, after, cancellationToken),
        };
    }

    protected override async Task<string?> CheckPermissionsAsync(
        TrafficSplitParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters);
        var missing = await arm.CheckPermissionsAsync(
            target, "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write", cancellationToken);
        if (missing is not null)
        {
            return missing;
        }

        // Writing an endpoint whole also writes its identities, and Azure checks the right to assign each, even one that stays.
        var endpoint = await arm.GetAsync(target, cancellationToken);
        foreach (var (id, _) in endpoint.Json["identity"]?["userAssignedIdentities"] as JsonObject ?? [])
        {
            missing = await arm.CheckPermissionsAsync(
                new(id, target.ApiVersion, IdentityRole),
                "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
                cancellationToken);
            if (missing is not null)
            {
                return missing;
            }
        }

        return null;
    }

    protected override HeldValue Held(Change change) =>
        new($"{change.Endpoint}/traffic", $"The traffic of {Target(change.Endpoint).DisplayNameWithin}");

    protected override async Task<Dictionary<string, int>> ReadAsync(Change change, CancellationToken cancellationToken) =>
        TrafficShares.In((await arm.GetAsync(Target(change.Endpoint), cancellationToken)).Json);

    protected override bool Shows(Dictionary<string, int> value, Dictionary<string, int> now) => TrafficShares.Same(value, now);

    protected override string WasText(Change change) => $"The requests were split as {TrafficShares.Text(change.After)}";

    protected override string IsText(Change change, Dictionary<string, int> before) =>
        $"The requests are split as {TrafficShares.Text(before)}";

    protected override string ChangedText(Change change, Dictionary<string, int> now) =>
        $"{Target(change.Endpoint).DisplayName} was changed by somebody else in the meantime: "
            + $"its requests are split as {TrafficShares.Text(now)}. Nothing was overwritten.";

    protected override async Task<string?> SetAsync(
        Change change,
        Dictionary<string, int> from,
        Dictionary<string, int> to,
        bool back,
        StepContext context,
        CancellationToken cancellationToken)
    {
        var make = new WholeChange(
            $"split its requests as {TrafficShares.Text(to)}",
            TrafficShares.ToWrite,
            Make,
            (written, _) => TrafficShares.Same(TrafficShares.In(written), to));
        return await whole.ChangeAsync(Target(change.Endpoint), make, context, cancellationToken)
            ? $"Split the requests as {TrafficShares.Text(to)}{(back ? " again, as before" : "")}."
            : null;

        bool Make(JsonObject endpoint)
        {
            if (!IsToBeSet(change, TrafficShares.In(endpoint), from, to))
            {
                return false;
            }

            endpoint["properties"]!["traffic"] = new JsonObject(to.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value)));
            return true;
        }
    }

    /// <summary>Deployments that get more requests have to exist and to be ready.</summary>
    private async Task<string?> UnreadyAsync(
        ArmTarget endpoint, Dictionary<string, int> before, Dictionary<string, int> after, CancellationToken cancellationToken)
    {
        foreach (var (name, _) in after.Where(one => one.Value > before.GetValueOrDefault(one.Key)))
        {
            var target = endpoint with { Id = $"{endpoint.Id}/deployments/{name}" };
            try
            {
                if ((await arm.GetAsync(target, cancellationToken)).Text("provisioningState") is var state and not "Succeeded")
                {
                    return $"{target.DisplayName} is not ready for more requests: its state is {state ?? "unknown"}.";
                }
            }
            catch (StepRefusedException refused)
            {
                return refused.Message;
            }
        }

        return null;
    }

    private static ArmTarget Target(TrafficSplitParameters parameters) =>
        Target($"{parameters.Workspace}/onlineEndpoints/{parameters.Endpoint}");

    private static ArmTarget Target(string endpoint) => new(endpoint, "2024-10-01", EndpointRole);

    internal sealed record Change(string Endpoint, Dictionary<string, int> Before, Dictionary<string, int> After)
        : IHeldChange<Dictionary<string, int>>;
}

internal static class TrafficShares
{
    private static readonly string[] s_readOnly = ["provisioningState", "scoringUri", "swaggerUri", "keys"];

    public static Dictionary<string, int> In(JsonObject endpoint) =>
        (endpoint["properties"]?["traffic"] as JsonObject ?? [])
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            .ToDictionary(one => one.Key, one => (int?)one.Value ?? 0, StringComparer.Ordinal);

    /// <summary>The others share the rest in proportion to their present shares; what rounding leaves goes to the largest remainders.</summary>
    public static Dictionary<string, int>? With(IReadOnlyDictionary<string, int> before, string name, int percent)
    {
        var others = before.Where(one => one.Key != name).ToList();
        var (rest, sum) = (100 - percent, others.Sum(one => one.Value));
        if (rest > 0 && sum == 0 && others.Count != 1)
        {
            return null;
        }

        var exact = others.Select(one => (one.Key, Share: sum == 0 ? rest : (double)rest * one.Value / sum)).ToList();
        var left = rest - exact.Sum(one => (int)Math.Floor(one.Share));
        var roundedUp = exact
            .OrderByDescending(other => other.Share - Math.Floor(other.Share))
            .ThenBy(other => other.Key, StringComparer.Ordinal)
            .Take(left)
            .Select(other => other.Key)
            .ToHashSet(StringComparer.Ordinal);
        return exact
            .Select(other => (Name: other.Key, Percent: (int)Math.Floor(other.Share) + (roundedUp.Contains(other.Key) ? 1 : 0)))
            .Append((Name: name, Percent: percent))
            .OrderBy(share => share.Name, StringComparer.Ordinal)
            .ToDictionary(share => share.Name, share => share.Percent, StringComparer.Ordinal);
    }

    // A deployment that is not listed is the same as one with 0 %.
    public static bool Same(IReadOnlyDictionary<string, int> one, IReadOnlyDictionary<string, int> other) =>
        one.Keys.Union(other.Keys).All(name => one.GetValueOrDefault(name) == other.GetValueOrDefault(name));

    public static string Text(IReadOnlyDictionary<string, int> shares) => shares.Count == 0
        ? "nothing for anybody"
        : string.Join(", ", shares.Select(one => $"{one.Key} {one.Value} %"));

    /// <summary>The endpoint as a PUT takes it. Keys are never read; they stay when they are not written.</summary>
    public static JsonObject ToWrite(JsonObject endpoint)
    {
        var written = WholeResource.Written(endpoint, ["location", "tags", "kind", "sku", "identity", "properties"], s_readOnly);
        if (written["identity"] is JsonObject identity)
        {
            identity.Remove("principalId");
            identity.Remove("tenantId");
            if (identity["userAssignedIdentities"] is JsonObject assigned)
            {
                identity["userAssignedIdentities"] = new JsonObject(
                    assigned.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)new JsonObject())));
            }
        }

        return written;
    }
}
