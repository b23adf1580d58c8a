namespace Runbooks.Integrations.Azure.ApiManagement;

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

/// <summary>Takes a user's API key away, by suspending the subscription that it belongs to.</summary>
internal sealed class SuspendSubscription(ArmResources arm, HeldValues held)
    : HeldValueAction<SuspendSubscriptionParameters, SuspendSubscription.Change, string?>(held, "apim.suspendSubscription", "Suspends a subscription of API Management, so that its keys stop working.")
{
    public override string Role => "API Management Service Contributor";

    public override Reversal ReversalOf(JsonElement with) => Reversals.KeptIn(with);

    protected override async Task<Preparation> PrepareAsync(SuspendSubscriptionParameters parameters, StepContext context, CancellationToken cancellationToken)
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

    protected override Task<string?> CheckPermissionsAsync(SuspendSubscriptionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target($"{parameters.Service}/subscriptions/{parameters.Subscription}"), "Microsoft.ApiManagement/service/subscriptions/write", cancellationToken);

    protected override HeldValue Held(Change change) => new(change.Subscription, $"{DisplayName(change)} of {Target(change.Subscription).Whole}");

    // Its own name is a key of the platform where the portal made it up: people know what it is called there.
    private string DisplayName(Change change) => Target(change.Subscription) is var target && change.Name is { Length: > 0 } name && name != target.Name ? $"{target.DisplayName} (“{name}”)" : target.DisplayName;

    private static string? Refusal(string name, string state) => (name.ToLowerInvariant(), state) switch
    {
        ("master", _) => "The subscription 'master' is the service's own and opens every API: suspending it would cut off more than one user.",
        (_, "active" or "suspended") => null,
        _ => $"The subscription is {state}, so there is no key to take away.",
    };

    protected override async Task<string?> ReadAsync(Change change, CancellationToken cancellationToken) => (await arm.GetAsync(Target(change.Subscription), cancellationToken)).Text("state");

    protected override string WasText(Change change) => $"{DisplayName(change)} was suspended";

    protected override string IsText(Change change, string? before) => $"{DisplayName(change)} is {before}";

    protected override string? KeptText(Change change) => change.Keep ? $"Left {DisplayName(change)} suspended, as the runbook says; reactivate it by hand." : null;

    protected override string ChangedText(Change change, string? now) => $"{Target(change.Subscription).DisplayName} was changed by somebody else in the meantime: it is {now}. Nothing was overwritten.";

    protected override async Task<string?> SetAsync(Change change, string? from, string? to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        var (target, words) = (Target(change.Subscription), DisplayName(change));
        var now = await arm.GetAsync(target, cancellationToken);
        if (!IsToBeSet(change, now.Text("state"), from, to))
        {
            return null;
        }

        var body = new JsonObject { ["properties"] = new JsonObject { ["state"] = to } };
        var answer = await arm.SendAsync(arm.Call(target, RequestMethod.Patch, $"make it {to}", body) with { IfMatch = now.ETag ?? "*" }, context.Time, cancellationToken);
        return back
            ? answer.Describe($"Made {words} {to} again.", $"make {words} {to} again")
            : answer.Describe($"Suspended {words} of API Management.", $"suspend {words} of API Management");
    }

    private ArmTarget Target(string subscription) => new(subscription, "2024-05-01", Role);

    /// <param name="Name">What people call it; null where that is not known.</param>
    internal sealed record Change(string Subscription, string Before, bool Keep, string? Name = null) : IHeldChange<string>
    {
        string IHeldChange<string>.After => "suspended";
    }
}
