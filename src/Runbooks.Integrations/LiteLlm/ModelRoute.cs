namespace Runbooks.Integrations.LiteLlm;

public sealed record ModelRouteParameters
{
    [MaxLength(100)]
    [Description("The configured LiteLLM proxy; the default one when left out.")]
    public string? Proxy { get; init; }

    [Required, MaxLength(200)]
    [Description("The model as clients ask for it: LiteLLM's `model_name`.")]
    public required string Model { get; init; }

    [Required, TextPattern("^[A-Za-z0-9._:-]{1,128}$", "an id of at most 128 letters, digits and . _ : -")]
    [Description("The id of the deployment whose share is changed: LiteLLM's `model_info.id`.")]
    public required string Deployment { get; init; }

    [Required, Range(0, 1_000_000)]
    [Description("Its weight among those that serve the model; 0 sends it nothing.")]
    public required int Weight { get; init; }
}

/// <summary>
/// Changes how a LiteLLM proxy spreads the requests for a model. Only its router <c>simple-shuffle</c>, the default, looks at
/// weights, and only at those of the deployments of the lowest order. Only models in its database can be changed while it runs.
/// Its API has no precondition, so one step writes at a time, and reads before and after.
/// </summary>
/// <seealso href="https://docs.litellm.ai/docs/routing"/>
internal sealed class ModelRoute(LiteLlmClient proxies, ResourceLease lease, HeldValues held)
    : HeldValueAction<ModelRouteParameters, ModelRoute.Change, double?>(
        held, "litellm.modelRoute", "Changes the weight of one deployment of a model in a LiteLLM proxy.")
{
    /// <summary>Other instances of a proxy read its database every half a minute at most, and any of them may answer the next request.</summary>
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);
    private const string Weighted = "simple-shuffle";

    public override string Role => "A proxy admin's key of LiteLLM";

    protected override async Task<Preparation> PrepareAsync(
        ModelRouteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var proxy = proxies.NameOf(parameters.Proxy);
        var all = await proxies.DeploymentsAsync(proxy, parameters.Model, cancellationToken);
        var found = all.FirstOrDefault(one => one.Id == parameters.Deployment);
        var strategy = await proxies.StrategyAsync(proxy, parameters.Model, cancellationToken);
        var change = new Change(proxy, parameters.Model, parameters.Deployment, found?.Weight ?? 0, parameters.Weight);
        List<TrafficMember> shares = [.. First(all).Select(one => new TrafficMember(one.Id, 0, one.Weight))];
        var then = shares.ConvertAll(one => one.Name == parameters.Deployment ? one with { Weight = parameters.Weight } : one);
        var deployment = found is null ? parameters.Deployment : $"{parameters.Deployment} ({found.Model})";
        var shift = found is null || shares.Count == 0 ? "" : $" {WeightedTraffic.Describe("traffic", shares, then)}";
        var doubt = strategy is null ? $" The proxy does not say how it routes; only '{Weighted}' looks at weights." : "";
        return new Preparation
        {
            PlannedEffect = $"Give {deployment} the weight {parameters.Weight} for {parameters.Model} in LiteLLM '{proxy}' "
                + $"(now {Weights(all)}).{shift}{doubt} Teams and keys with weights of their own for it may go by those instead.",
            Identity = $"{proxy}/{parameters.Model}: {Weights(all)}",
            IsSo = found?.Weight == parameters.Weight,
            Undo = $"Give it the weight {Text(change.Before)} again.",
            UndoState = JsonSerializer.SerializeToElement(change),
            Refusal = strategy is null or Weighted ? Refusal(parameters, all, found)
                : $"LiteLLM '{proxy}' routes {parameters.Model} by '{strategy}', and only '{Weighted}' looks at weights: "
                    + "the traffic would stay where it is.",
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        ModelRouteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        proxies.CheckAdminAsync(proxies.NameOf(parameters.Proxy), cancellationToken);

    protected override HeldValue Held(Change change) =>
        new($"The weight of {change.Deployment} for {change.Model} in LiteLLM '{change.Proxy}'");

    protected override async Task<double?> ReadAsync(Change change, CancellationToken cancellationToken) =>
        WeightIn(await proxies.DeploymentsAsync(change.Proxy, change.Model, cancellationToken), change);

    protected override string WasText(Change change) => $"{change.Deployment} had the weight {Text(change.After)}";

    protected override string IsText(Change change, double? before) => $"{change.Deployment} has the weight {Text(before)}";

    protected override string ChangedText(Change change, double? now) =>
        $"{change.Model} was changed by somebody else in the meantime: {change.Deployment} "
            + $"{(now is null ? "is gone or has no weight" : $"has the weight {Text(now)}")}. Nothing was overwritten.";

    protected override Task<string?> SetAsync(
        Change change, double? from, double? to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        // An earlier attempt may have written it a moment ago.
        var mayBeWritten = context.Interrupted is not null;
        return lease.HoldAsync($"litellm/{change.Proxy}/{change.Model}", $"The model {change.Model} of LiteLLM '{change.Proxy}'", context, async () =>
        {
            var all = await proxies.DeploymentsAsync(change.Proxy, change.Model, cancellationToken);
            if (!IsToBeSet(change, WeightIn(all, change), from, to))
            {
                return null;
            }

            if (NobodyLeft(First(all), change.Deployment, to!.Value))
            {
                throw new ChangedSinceException($"Nobody would be left to serve {change.Model}: "
                    + "all the others have the weight 0 or are paused by now. Nothing was changed.") { NothingDone = true };
            }

            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            mayBeWritten = true;
            await proxies.SetWeightAsync(change.Proxy, all.First(one => one.Id == change.Deployment), to.Value, cancellationToken);
            var until = context.Time.GetUtcNow() + s_longestWait;
            while (await ReadAsync(change, cancellationToken) is var seen && seen != to)
            {
                if (context.Time.GetUtcNow() >= until)
                {
                    throw new LiteLlmException($"LiteLLM '{change.Proxy}' took the weight {Text(to)} of {change.Deployment}, "
                        + $"and still says {(seen is null ? "none" : Text(seen))}. Look at it.");
                }

                await Task.Delay(s_pause, context.Time, cancellationToken);
            }

            return back
                ? $"{change.Deployment} has the weight {Text(to)} again, as before."
                : $"{change.Deployment} has the weight {Text(to)} for {change.Model}.";
        }, cancellationToken, () => mayBeWritten ? s_rest : TimeSpan.Zero);
    }

    private static double? WeightIn(IReadOnlyList<RoutedDeployment> all, Change change) =>
        all.FirstOrDefault(one => one.Id == change.Deployment)?.Weight;

    private static bool NobodyLeft(List<RoutedDeployment> first, string deployment, double weight) =>
        weight + first.Where(one => one.Id != deployment).Sum(one => one.Weight) <= 0;

    private static string? Refusal(ModelRouteParameters parameters, IReadOnlyList<RoutedDeployment> all, RoutedDeployment? found)
    {
        if (all.Count == 0)
        {
            return $"LiteLLM serves no model {parameters.Model}.";
        }

        if (found is null)
        {
            var known = string.Join(", ", all.Select(one => $"{one.Id} ({one.Model})"));
            return $"No deployment {parameters.Deployment} serves {parameters.Model}. There are: {known}.";
        }

        if (!found.IsStored)
        {
            return $"{found.Id} stands in LiteLLM's configuration file, and only models in its database can be changed while it runs.";
        }

        if (found.IsPaused)
        {
            return $"{found.Id} is paused in LiteLLM (blocked), and gets nothing whatever its weight. Unblock it first.";
        }

        var first = First(all);
        if (!first.Contains(found))
        {
            var sentTo = string.Join(", ", first.Select(one => one.Id));
            return $"LiteLLM sends {parameters.Model} to the deployments of the lowest order alone ({sentTo}), "
                + $"and {found.Id} is not among them: its weight changes nothing.";
        }

        if (first.Find(one => one.Weight is null) is { } without)
        {
            return $"LiteLLM looks at weights only while the first healthy deployment of a model has one, and {without.Id} has none: "
                + "who gets what would depend on which are healthy. Give it one first.";
        }

        if (first.Count == 1)
        {
            var others = all.Count == 1 ? "" : $" that has its order{(all.Any(one => one.IsPaused) ? " and is not paused" : "")}";
            return $"{found.Id} is the only deployment of {parameters.Model}{others}: its weight changes nothing.";
        }

        return NobodyLeft(first, found.Id, parameters.Weight)
            ? $"Nobody would be left to serve {parameters.Model}: all the others have the weight 0{(all.Any(one => one.IsPaused) ? " or are paused" : "")}."
            : null;
    }

    private static List<RoutedDeployment> First(IReadOnlyList<RoutedDeployment> all)
    {
        var running = all.Where(one => !one.IsPaused).ToList();
        var lowest = running.Min(one => one.Order);
        return running.FindAll(one => one.Order == lowest);
    }

    private static string Weights(IReadOnlyList<RoutedDeployment> all) =>
        all.Count == 0 ? "nothing" : string.Join(", ", all.Select(one => $"{one.Id} {Text(one.Weight)}{(one.IsPaused ? " (paused)" : "")}"));

    private static string Text(double? weight) => weight is { } known ? NumberText.Format(known) : "no weight";

    internal sealed record Change(string Proxy, string Model, string Deployment, double? Before, double? After) : IHeldChange<double?>;
}
