using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Routing;

/// <summary>Takes traffic away from one route, and gives it back exactly as it was.</summary>
internal abstract class RerouteAction<TParameters>(string name, string summary) : RunbookAction<TParameters>(name, summary)
    where TParameters : RerouteParameters
{
    public override bool Reversible => true;

    /// <summary>The resource id of what the routes belong to.</summary>
    protected abstract string GroupOf(TParameters parameters);

    protected abstract string Words(string group);

    protected abstract Task<IReadOnlyList<Route>> ReadAsync(string group, TimeProvider time, CancellationToken cancellationToken);

    protected abstract Task WriteAsync(RouteChange change, RouteSetting setting, TimeProvider time, CancellationToken cancellationToken);

    /// <summary>What the routes look like without asking after their health: enough to write, and to take back.</summary>
    protected virtual Task<IReadOnlyList<Route>> ReadSettingsAsync(string group, TimeProvider time, CancellationToken cancellationToken) =>
        ReadAsync(group, time, cancellationToken);

    protected override async Task<Preparation> PrepareAsync(TParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        // An interrupted attempt may have switched it already: what was there before that is the truth to go back to.
        if (context.Interrupted is not null)
        {
            return context.Interrupted;
        }

        var group = GroupOf(parameters);
        var routes = await ReadAsync(group, context.Time, cancellationToken);
        var refusal = RoutePlan.Refusal(routes, parameters.From, parameters.To);
        if (RoutePlan.Find(routes, parameters.From) is not { } from)
        {
            return new Preparation { Will = $"Take traffic away from {parameters.From}.", Refusal = refusal };
        }

        var after = parameters.Weight is { } weight ? from.Now with { Weight = weight } : from.Now with { Enabled = false };
        var what = parameters.Weight is null ? $"disable {from.Name} of {Words(group)}" : $"give {from.Name} of {Words(group)} the weight {parameters.Weight}";
        return new Preparation
        {
            Will = $"Send the traffic of {from.Name} to {parameters.To ?? "the others"}: {what} (now {from.Now}).",
            Identity = $"{from.Id}: {from.Now}",
            Undo = $"Set {from.Name} back to: {from.Now}.",
            UndoState = JsonSerializer.SerializeToElement(new RouteChange(group, from.Id, from.Name, from.Now, after)),
            Refusal = refusal,
        };
    }

    protected override async Task<ActionResult> ApplyAsync(
        TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = (context.Interrupted ?? preparation).UndoState!.Value.Deserialize<RouteChange>()!;
        var routes = await ReadAsync(change.Group, context.Time, cancellationToken);
        var now = RoutePlan.Find(routes, change.Name)?.Now;
        if (now == change.After)
        {
            return new ActionResult($"{change.Name} was {change.After} already.");
        }

        // The other side may have fallen ill since a person looked.
        if (RoutePlan.Refusal(routes, parameters.From, parameters.To) is { } refusal)
        {
            throw new StepRefusedException(refusal);
        }

        if (now != change.Before)
        {
            throw new StepRefusedException($"{change.Name} was changed by somebody else in the meantime: it is {now?.ToString() ?? "gone"}. Nothing was overwritten.");
        }

        await WriteAsync(change, change.After, context.Time, cancellationToken);
        return new ActionResult($"Sent the traffic of {change.Name} to {parameters.To ?? "the others"}: {change.Name} is now {change.After}.");
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<RouteChange>()!;
        var now = RoutePlan.Find(await ReadSettingsAsync(change.Group, context.Time, cancellationToken), change.Name)?.Now;
        if (now == change.Before)
        {
            return new ActionResult($"{change.Name} is {change.Before}, as it was before.");
        }

        if (now != change.After)
        {
            throw new StepRefusedException($"{change.Name} was changed by somebody else since ({now?.ToString() ?? "gone"}), so it was left alone. Before this incident it was {change.Before}.");
        }

        await WriteAsync(change, change.Before, context.Time, cancellationToken);
        return new ActionResult($"Gave {change.Name} its traffic back: it is as before, {change.Before}.");
    }
}
