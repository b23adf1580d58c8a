namespace Runbooks.Integrations.Azure.Routing;

internal abstract class RerouteAction<TParameters>(ArmResources arm, ResourceLease lease, HeldValues held, string name, string summary)
    : RunbookAction<TParameters>(name, summary)
    where TParameters : RerouteParameters
{
    public override bool Reversible => true;

    protected ArmResources Arm => arm;

    protected abstract string GroupOf(TParameters parameters);

    protected abstract string DisplayName(string group);

    protected abstract Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken);

    protected abstract ArmTarget Target(string id);

    protected abstract string StateProperty { get; }

    /// <summary>Whether the others get the traffic, by the way in which the group spreads it.</summary>
    protected abstract Task<Spread> SpreadAsync(
        TParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken);

    /// <summary>The routes without their health: enough to write, and to take back.</summary>
    protected virtual Task<IReadOnlyList<Route>> ReadSettingsAsync(string group, TimeProvider time, CancellationToken cancellationToken) =>
        ReadAsync(group, time, cancellationToken);

    protected override async Task<Preparation> PrepareAsync(
        TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var group = GroupOf(parameters);
        var routes = await ReadAsync(group, context.Time, cancellationToken);
        var (refusal, remark) = await ObjectionAsync(parameters, group, routes, cancellationToken);
        if (RoutePlan.Find(routes, parameters.From) is not { } from)
        {
            return new Preparation { PlannedEffect = $"Take traffic away from {parameters.From}.", Refusal = refusal };
        }

        var after = parameters.Weight is { } weight ? from.Now with { Weight = weight } : from.Now with { Enabled = false };
        var what = parameters.Weight is null
            ? $"disable {from.Name} of {DisplayName(group)}"
            : $"give {from.Name} of {DisplayName(group)} the weight {parameters.Weight}";
        return new Preparation
        {
            PlannedEffect = $"Send {Traffic(parameters)} of {from.Name} to "
                + $"{RoutePlan.Takers(routes, from, parameters.To, parameters.Weight)}: {what} (now {from.Now}).{remark}{from.Delay}",
            Identity = $"{from.Id}: {from.Now}",
            IsSo = from.Now == after,
            Undo = $"Set {from.Name} back to: {from.Now}.",
            UndoState = JsonSerializer.SerializeToElement(new RouteChange(group, from.Id, from.Name, from.Now, after)),
            Refusal = refusal,
        };
    }

    /// <summary>One step at a time: two that take away each other's last route would each see the other's as still there.</summary>
    protected override Task<ActionResult> ApplyAsync(
        TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = preparation.UndoState!.Value.Deserialize<RouteChange>()!;
        return lease.HoldAsync(
            change.Group,
            DisplayName(change.Group),
            context,
            () => held.HoldAsync(
                Held(change),
                change.Before,
                change.After,
                () => ApplyAloneAsync(parameters, change, context, cancellationToken),
                context,
                cancellationToken),
            cancellationToken);
    }

    private async Task<ActionResult> ApplyAloneAsync(
        TParameters parameters, RouteChange change, StepContext context, CancellationToken cancellationToken)
    {
        var routes = await ReadAsync(change.Group, context.Time, cancellationToken);
        var now = RoutePlan.Find(routes, change.Name)?.Now;
        if (now == change.After && await arm.IsInForceAsync(Target(change.Id), context, cancellationToken))
        {
            return context.FoundSo($"{change.Name} was {change.After}");
        }

        // The other routes may have fallen ill since a person looked.
        if ((await ObjectionAsync(parameters, change.Group, routes, cancellationToken)).Refusal is { } refusal)
        {
            throw new StepRefusedException(refusal) { NothingDone = true };
        }

        if (now != change.Before && now != change.After)
        {
            throw new StepRefusedException($"{change.Name} was changed by somebody else in the meantime: "
                + $"it is {now?.ToString() ?? "gone"}. Nothing was overwritten.") { NothingDone = true };
        }

        var written = await WriteAsync(change, change.After, context, cancellationToken);
        return new ActionResult($"Sent {Traffic(parameters)} of {change.Name} to "
            + $"{RoutePlan.Takers(routes, RoutePlan.Find(routes, change.Name)!, parameters.To, parameters.Weight)}: "
            + $"{change.Name} is now {change.After}.{written.Delay}");
    }

    private async Task<Spread> ObjectionAsync(
        TParameters parameters, string group, IReadOnlyList<Route> routes, CancellationToken cancellationToken) =>
        RoutePlan.Refusal(routes, parameters.From, parameters.To, parameters.Weight) is { } refusal
            ? new(refusal)
            : await SpreadAsync(parameters, group, routes, cancellationToken);

    private static string Traffic(TParameters parameters) => parameters.Weight is null ? "the traffic" : "a part of the traffic";

    /// <summary>Writes, and reads afterwards whether it is so: the API has no precondition.</summary>
    private async Task<Route> WriteAsync(RouteChange change, RouteSetting setting, StepContext context, CancellationToken cancellationToken)
    {
        var properties = new JsonObject { [StateProperty] = setting.Enabled ? "Enabled" : "Disabled" };
        if (setting.Weight is { } weight)
        {
            properties["weight"] = weight;
        }

        Route? now = null;
        var call = arm.Call(Target(change.Id), RequestMethod.Patch, $"make it {setting}", new JsonObject { ["properties"] = properties });
        if (!await arm.WriteAsync(call, IsSeenAsync, context, cancellationToken))
        {
            throw new AzureRequestException($"{change.Name} was made {setting}, and is {now?.Now.ToString() ?? "gone"}: "
                + "somebody else changed it at the same moment.");
        }

        return now!;

        async Task<bool> IsSeenAsync() =>
            (now = RoutePlan.Find(await ReadSettingsAsync(change.Group, context.Time, cancellationToken), change.Name))?.Now == setting;
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<RouteChange>()!;
        return lease.HoldAsync(
            change.Group,
            DisplayName(change.Group),
            context,
            () => held.ReleaseAsync(
                Held(change), change.Before,
                async () => RoutePlan.Find(await ReadSettingsAsync(change.Group, context.Time, cancellationToken), change.Name)?.Now,
                (setting, now) => setting == now,
                (before, now) => TakeBackAsync(change with { Before = before }, now, context, cancellationToken),
                context, cancellationToken),
            cancellationToken);
    }

    private HeldValue Held(RouteChange change) =>
        new(change.Id, $"{change.Name} of {DisplayName(change.Group)} ({change.Group.Split('/')[8]})");

    private async Task<string> TakeBackAsync(
        RouteChange change, RouteSetting? now, StepContext context, CancellationToken cancellationToken)
    {
        if (now == change.Before && await arm.IsInForceAsync(Target(change.Id), context, cancellationToken))
        {
            return $"{change.Name} is {change.Before}, as it was before.";
        }

        if (now != change.After && now != change.Before)
        {
            throw new ChangedSinceException($"{change.Name} was changed by somebody else since ({now?.ToString() ?? "gone"}), "
                + $"so it was left alone. Before this incident it was {change.Before}.");
        }

        var written = await WriteAsync(change, change.Before, context, cancellationToken);
        return $"Gave {change.Name} its traffic back: it is as before, {change.Before}.{written.Delay}";
    }
}

public abstract record RerouteParameters
{
    [Required, TextPattern("^[A-Za-z0-9][A-Za-z0-9 ._-]{0,259}$",
        "a name of at most 260 letters, digits, blanks, dots, dashes and underscores, beginning with a letter or digit")]
    [Description("Whose traffic is taken away.")]
    public required string From { get; init; }

    [TextPattern("^[A-Za-z0-9][A-Za-z0-9 ._-]{0,259}$",
        "a name of at most 260 letters, digits, blanks, dots, dashes and underscores, beginning with a letter or digit")]
    [Description("Who has to be enabled and healthy to take it over; any of the others when left out.")]
    public string? To { get; init; }

    [Range(1, 1000)]
    [Description("Leave it this weight, less than it has now, instead of disabling it. "
        + "Refused where it is more, or where weights decide nothing.")]
    public int? Weight { get; init; }
}
