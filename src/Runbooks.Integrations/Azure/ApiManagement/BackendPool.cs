namespace Runbooks.Integrations.Azure.ApiManagement;

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

/// <summary>Changes one backend's share in a pool of API Management: a spill-over switched on, a slow one put last. It goes back to the exact numbers.</summary>
/// <seealso href="https://learn.microsoft.com/azure/templates/microsoft.apimanagement/service/backends"/>
internal sealed class BackendPool(ArmResources arm, HeldValues held)
    : HeldValueAction<BackendPoolParameters, BackendPool.Change, BackendShare?>(held, "apim.backendPool", "Changes the priority or the weight of one backend in a pool of API Management.")
{
    public override string Role => "API Management Service Contributor";

    protected override async Task<Preparation> PrepareAsync(BackendPoolParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target($"{parameters.Service}/backends/{parameters.Pool}");
        var members = Members(await arm.GetAsync(target, cancellationToken)).ToList();
        var wanted = $"{parameters.Backend} in the backend pool {parameters.Pool}";
        if (members.Find(one => NameOf(one).Equals(parameters.Backend, StringComparison.OrdinalIgnoreCase)) is not { } member)
        {
            return new Preparation
            {
                PlannedEffect = $"Change the share of {wanted}.",
                Refusal = members.Count == 0 ? $"{parameters.Pool} is not a pool, or it is empty." : $"There is no {wanted}. There are: {string.Join(", ", members.Select(NameOf))}.",
            };
        }

        var before = ShareOf(member);
        var after = new BackendShare(parameters.Priority ?? before.Priority, parameters.Weight ?? before.Weight);
        var shares = members.ConvertAll(one => (Name: NameOf(one), Share: ShareOf(one)));
        var changed = members.ConvertAll(one => (Name: NameOf(one), Share: one == member ? after : ShareOf(one)));
        return new Preparation
        {
            PlannedEffect = $"Give {wanted} {after} (now {before}). {WeightedTraffic.Describe("traffic", shares.ConvertAll(Member), changed.ConvertAll(Member))}",
            // Its share is worth what those of the others make of it.
            Identity = $"{target.Id}: {string.Join("; ", shares.Select(one => $"{one.Name} {one.Share}"))}",
            IsSo = before == after,
            Undo = $"Give it {before} again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(target.Id, NameOf(member), before, after)),
            Refusal = members.Count == 1 ? $"{NameOf(member)} is the only backend of the pool: its share changes nothing."
                : changed.TrueForAll(one => one.Share.Weight == 0) ? "Nobody would be left in the pool: all the others have the weight 0."
                : after.Priority == before.Priority && after.Weight > 0 && before.Weight is not 0 && !members.Exists(one => one != member && ShareOf(one).Priority == after.Priority)
                    ? $"{NameOf(member)} is the only backend with {(after.Priority is { } priority ? $"the priority {priority}" : "no priority")}, and weights count only among those of one priority: its weight changes nothing. Give it the priority of others."
                : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(BackendPoolParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target($"{parameters.Service}/backends/{parameters.Pool}"), "Microsoft.ApiManagement/service/backends/write", cancellationToken);

    protected override HeldValue Held(Change change) => new($"{change.Pool}/{change.Backend}", $"The share of {change.Backend} in {Target(change.Pool).DisplayNameWithin}");

    protected override async Task<BackendShare?> ReadAsync(Change change, CancellationToken cancellationToken) =>
        Find(await arm.GetAsync(Target(change.Pool), cancellationToken), change) is { } member ? ShareOf(member) : null;

    protected override string WasText(Change change) => $"{change.Backend} had {change.After}";

    protected override string IsText(Change change, BackendShare? before) => $"{change.Backend} has {before}";

    protected override string ChangedText(Change change, BackendShare? now) =>
        $"{Target(change.Pool).DisplayName} was changed by somebody else in the meantime: {change.Backend} {(now is null ? "is gone" : $"has {now}")}. Nothing was overwritten.";

    protected override async Task<string?> SetAsync(Change change, BackendShare? from, BackendShare? to, bool back, StepContext context, CancellationToken cancellationToken)
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
            throw new ChangedSinceException($"Nobody would be left in {target.DisplayName}: all the others have the weight 0 by now. Nothing was changed.");
        }

        // The pool is sent whole: what else it has, such as session affinity, stays.
        var body = new JsonObject { ["properties"] = new JsonObject { ["pool"] = read.Properties["pool"]!.DeepClone() } };
        var answer = await arm.SendAsync(arm.Call(target, RequestMethod.Patch, $"give {change.Backend} {to}", body) with { IfMatch = read.ETag ?? "*" }, context.Time, cancellationToken);
        return answer.Describe($"Gave {change.Backend} {to}{(back ? " again, as before" : "")}.", $"give {change.Backend} {to}{(back ? " again" : "")}");
    }

    private static TrafficMember Member((string Name, BackendShare Share) one) => new(one.Name, one.Share.Priority, one.Share.Weight);

    private static IEnumerable<JsonObject> Members(ArmDocument pool) => (pool.Properties["pool"]?["services"] as JsonArray ?? []).OfType<JsonObject>();

    private static JsonObject? Find(ArmDocument pool, Change change) => Members(pool).FirstOrDefault(one => NameOf(one) == change.Backend);

    private static string NameOf(JsonObject member) => ((string?)member["id"] ?? "").Split('/')[^1];

    private static BackendShare ShareOf(JsonObject member) => new((int?)member["priority"], (int?)member["weight"]);

    // The stable version, 2024-05-01, knows nothing of a pool but its services: read and written in that one, it may lose its session affinity.
    private ArmTarget Target(string pool) => new(pool, "2025-09-01-preview", Role);

    internal sealed record Change(string Pool, string Backend, BackendShare Before, BackendShare After) : IHeldChange<BackendShare>;
}

/// <summary>How a pool uses one of its backends; null where the pool leaves it to API Management.</summary>
internal sealed record BackendShare(int? Priority, int? Weight)
{
    public override string ToString() => FormattableString.Invariant($"{(Priority is null ? "no priority" : $"priority {Priority}")} and {(Weight is null ? "no weight" : $"weight {Weight}")}");
}
