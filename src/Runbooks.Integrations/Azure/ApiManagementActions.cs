namespace Runbooks.Integrations.Azure;

public sealed record BackendPoolParameters : IValidatableObject
{
    [Required, ArmResourceId("Microsoft.ApiManagement/service")]
    [Description("The API Management service.")]
    public required string Service { get; init; }

    [Required, PlainName(80)]
    [Description("The backend of type Pool.")]
    public required string Pool { get; init; }

    [Required, PlainName(80)]
    [Description("The backend in it whose share is changed.")]
    public required string Backend { get; init; }

    [Range(0, 100)]
    [Description("Its priority; those with the smallest number are used as long as one of them can be.")]
    public int? Priority { get; init; }

    [Range(0, 100)]
    [Description("Its weight among those of the same priority.")]
    public int? Weight { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        Priority is null && Weight is null ? [new AnyValueResult("Say 'priority', 'weight' or both.", nameof(Priority))] : [];
}

/// <summary>
/// Changes one backend's share in a pool of API Management: switches a spill-over on, or puts a slow one last. It goes back to the
/// exact numbers.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends"/>
internal sealed class BackendPool(ArmResources arm, HeldValues held)
    : HeldValueAction<BackendPoolParameters, BackendPool.Change, BackendShare?>(
        held, "apim.backendPool", "Changes the priority or the weight of one backend in a pool of API Management.")
{
    public override string Role => "API Management Service Contributor";

    protected override async Task<Preparation> PrepareAsync(
        BackendPoolParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target($"{parameters.Service}/backends/{parameters.Pool}");
        var members = Members(await arm.GetAsync(target, cancellationToken)).ToList();
        var wanted = $"{parameters.Backend} in the backend pool {parameters.Pool}";
        if (members.Find(one => NameOf(one).Equals(parameters.Backend, StringComparison.OrdinalIgnoreCase)) is not { } member)
        {
            return new Preparation
            {
                PlannedEffect = $"Change the share of {wanted}.",
                Refusal = members.Count == 0
                    ? $"{parameters.Pool} is not a pool, or it is empty."
                    : $"There is no {wanted}. There are: {string.Join(", ", members.Select(NameOf))}.",
            };
        }

        var before = ShareOf(member);
        var after = new BackendShare(parameters.Priority ?? before.Priority, parameters.Weight ?? before.Weight);
        var shares = members.ConvertAll(one => (Name: NameOf(one), Share: ShareOf(one)));
        var changed = members.ConvertAll(one => (Name: NameOf(one), Share: one == member ? after : ShareOf(one)));
        return new Preparation
        {
            PlannedEffect = $"Give {wanted} {after} (now {before}). "
                + $"{WeightedTraffic.Describe("traffic", shares.ConvertAll(Member), changed.ConvertAll(Member))}",
            // What a share means depends on the shares of the others.
            Identity = $"{target.Id}: {string.Join("; ", shares.Select(one => $"{one.Name} {one.Share}"))}",
            IsSo = before == after,
            Undo = $"Give it {before} again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(target.Id, NameOf(member), before, after)),
            Refusal = Refusal(NameOf(member), before, after, changed.ConvertAll(one => one.Share)),
        };
    }

    private static string? Refusal(string backend, BackendShare before, BackendShare after, List<BackendShare> changed)
    {
        if (changed.Count == 1)
        {
            return $"{backend} is the only backend of the pool: its share changes nothing.";
        }

        if (changed.TrueForAll(share => share.Weight == 0))
        {
            return "Nobody would be left in the pool: all the others have the weight 0.";
        }

        var changesWeightAlone = after.Priority == before.Priority && after.Weight > 0 && before.Weight is not 0;
        var isAlone = changed.Count(share => share.Priority == after.Priority) == 1;
        return changesWeightAlone && isAlone
            ? $"{backend} is the only backend with {(after.Priority is { } priority ? $"the priority {priority}" : "no priority")}, "
                + "and weights count only among those of one priority: its weight changes nothing. Give it the priority of others."
            : null;
    }

    protected override Task<string?> CheckPermissionsAsync(
        BackendPoolParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target($"{parameters.Service}/backends/{parameters.Pool}"),
            "Microsoft.ApiManagement/service/backends/write",
            cancellationToken);

    protected override HeldValue Held(Change change) =>
        new($"{change.Pool}/{change.Backend}", $"The share of {change.Backend} in {Target(change.Pool).DisplayNameWithin}");

    protected override async Task<BackendShare?> ReadAsync(Change change, CancellationToken cancellationToken) =>
        Find(await arm.GetAsync(Target(change.Pool), cancellationToken), change) is { } member ? ShareOf(member) : null;

    protected override string WasText(Change change) => $"{change.Backend} had {change.After}";

    protected override string IsText(Change change, BackendShare? before) => $"{change.Backend} has {before}";

    protected override string ChangedText(Change change, BackendShare? now) =>
        $"{Target(change.Pool).DisplayName} was changed by somebody else in the meantime: "
            + $"{change.Backend} {(now is null ? "is gone" : $"has {now}")}. Nothing was overwritten.";

    protected override async Task<string?> SetAsync(
        Change change, BackendShare? from, BackendShare? to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(change.Pool);
        var read = await arm.GetAsync(target, cancellationToken);
        var member = Find(read, change);
        if (!IsToBeSet(change, member is null ? null : ShareOf(member), from, to))
        {
            return null;
        }

        (member!["priority"], member["weight"]) = (to!.Priority, to.Weight);
        if (Members(read).All(one => ShareOf(one).Weight == 0))
        {
            throw new ChangedSinceException($"Nobody would be left in {target.DisplayName}: "
                + "all the others have the weight 0 by now. Nothing was changed.") { NothingDone = true };
        }

        // The pool is sent whole, so that its other parts, such as session affinity, stay.
        var body = new JsonObject { ["properties"] = new JsonObject { ["pool"] = read.Properties["pool"]!.DeepClone() } };
        var answer = await arm.SendAsync(
            arm.Call(target, RequestMethod.Patch, $"give {change.Backend} {to}", body) with { IfMatch = read.ETag ?? "*" },
            context.Time,
            cancellationToken);
        return answer.Describe(
            $"Gave {change.Backend} {to}{(back ? " again, as before" : "")}.", $"give {change.Backend} {to}{(back ? " again" : "")}");
    }

    private static TrafficMember Member((string Name, BackendShare Share) one) => new(one.Name, one.Share.Priority, one.Share.Weight);

    private static IEnumerable<JsonObject> Members(ArmDocument pool) =>
        (pool.Properties["pool"]?["services"] as JsonArray ?? []).OfType<JsonObject>();

    private static JsonObject? Find(ArmDocument pool, Change change) => Members(pool).FirstOrDefault(one => NameOf(one) == change.Backend);

    private static string NameOf(JsonObject member) => ((string?)member["id"] ?? "").Split('/')[^1];

    private static BackendShare ShareOf(JsonObject member) => new((int?)member["priority"], (int?)member["weight"]);

    // The stable version, 2024-05-01, knows only the services of a pool: read and written in it, a pool may lose its session affinity.
    private ArmTarget Target(string pool) => new(pool, "2025-09-01-preview", Role);

    internal sealed record Change(string Pool, string Backend, BackendShare Before, BackendShare After) : IHeldChange<BackendShare>;
}

/// <summary>How a pool uses one of its backends; null where it is left to API Management.</summary>
internal sealed record BackendShare(int? Priority, int? Weight)
{
    public override string ToString() =>
        $"{(Priority is null ? "no priority" : $"priority {Priority}")} and {(Weight is null ? "no weight" : $"weight {Weight}")}";
}

public sealed record SuspendSubscriptionParameters
{
    [Required, ArmResourceId("Microsoft.ApiManagement/service")]
    [Description("The API Management service.")]
    public required string Service { get; init; }

    [Required, PlainName(80)]
    [Description("The subscription's name, whose keys stop working.")]
    public required string Subscription { get; init; }

    [Description("Leave it suspended when the mitigation is taken back because its cause is gone; a person then reactivates it by hand.")]
    public bool Keep { get; init; }
}

internal sealed class SuspendSubscription(ArmResources arm, HeldValues held)
    : HeldValueAction<SuspendSubscriptionParameters, SuspendSubscription.Change, string?>(
        held, "apim.suspendSubscription", "Suspends a subscription of API Management, so that its keys stop working.")
{
    public override string Role => "API Management Service Contributor";

    public override Reversal ReversalOf(JsonElement with) => Reversals.KeptIn(with);

    protected override async Task<Preparation> PrepareAsync(
        SuspendSubscriptionParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target($"{parameters.Service}/subscriptions/{parameters.Subscription}");
        var read = await arm.GetAsync(target, cancellationToken);
        var state = read.Text("state") ?? "unknown";
        var change = new Change(target.Id, state, parameters.Keep, read.Text("displayName"));
        return new Preparation
        {
            PlannedEffect = $"Suspend {DisplayName(change)} of API Management: its keys stop working at once (now {state}).",
            Identity = $"{target.Id}: {state}",
            IsSo = state == "suspended",
            Undo = state == "suspended" ? HeldValues.WasSo
                : parameters.Keep ? "Left to a person: it stays suspended until somebody reactivates it."
                : $"Make it {state} again.",
            UndoneByHand = parameters.Keep,
            UndoState = JsonSerializer.SerializeToElement(change),
            Refusal = Refusal(parameters.Subscription, state),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        SuspendSubscriptionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target($"{parameters.Service}/subscriptions/{parameters.Subscription}"),
            "Microsoft.ApiManagement/service/subscriptions/write",
            cancellationToken);

    protected override HeldValue Held(Change change) =>
        new(change.Subscription, $"{DisplayName(change)} of {Target(change.Subscription).Whole}");

    // A subscription made in the portal has a generated name. People know it by its display name.
    private string DisplayName(Change change) =>
        Target(change.Subscription) is var target && change.Name is { Length: > 0 } name && name != target.Name
            ? $"{target.DisplayName} (“{name}”)"
            : target.DisplayName;

    private static string? Refusal(string name, string state) => (name.ToLowerInvariant(), state) switch
    {
        ("master", _) => "The subscription 'master' is the service's own and opens every API: "
            + "suspending it would cut off more than one user.",
        (_, "active" or "suspended") => null,
        _ => $"The subscription is {state}, so there is no key to take away.",
    };

    protected override async Task<string?> ReadAsync(Change change, CancellationToken cancellationToken) =>
        (await arm.GetAsync(Target(change.Subscription), cancellationToken)).Text("state");

    protected override string WasText(Change change) => $"{DisplayName(change)} was suspended";

    protected override string IsText(Change change, string? before) => $"{DisplayName(change)} is {before}";

    protected override string? KeptText(Change change) =>
        change.Keep ? $"Left {DisplayName(change)} suspended, as the runbook says; reactivate it by hand." : null;

    protected override string ChangedText(Change change, string? now) =>
        $"{Target(change.Subscription).DisplayName} was changed by somebody else in the meantime: it is {now}. Nothing was overwritten.";

    protected override async Task<string?> SetAsync(
        Change change, string? from, string? to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        var (target, words) = (Target(change.Subscription), DisplayName(change));
        var now = await arm.GetAsync(target, cancellationToken);
        if (!IsToBeSet(change, now.Text("state"), from, to))
        {
            return null;
        }

        var body = new JsonObject { ["properties"] = new JsonObject { ["state"] = to } };
        var answer = await arm.SendAsync(
            arm.Call(target, RequestMethod.Patch, $"make it {to}", body) with { IfMatch = now.ETag ?? "*" },
            context.Time,
            cancellationToken);
        return back
            ? answer.Describe($"Made {words} {to} again.", $"make {words} {to} again")
            : answer.Describe($"Suspended {words} of API Management.", $"suspend {words} of API Management");
    }

    private ArmTarget Target(string subscription) => new(subscription, "2024-05-01", Role);

    internal sealed record Change(string Subscription, string Before, bool Keep, string? Name = null) : IHeldChange<string>
    {
        string IHeldChange<string>.After => "suspended";
    }
}
