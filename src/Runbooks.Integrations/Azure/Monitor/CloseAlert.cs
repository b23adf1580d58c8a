namespace Runbooks.Integrations.Azure.Monitor;

public sealed record CloseAlertParameters
{
    [Required, TextPattern("^/subscriptions/[0-9A-Fa-f-]{36}(/[A-Za-z0-9._()~-]{1,90}){0,16}/providers/Microsoft\\.AlertsManagement/alerts/[0-9A-Fa-f-]{36}$", "an alert's id: /subscriptions/…/providers/Microsoft.AlertsManagement/alerts/…")]
    [Description("The alert's id: /subscriptions/…/providers/Microsoft.AlertsManagement/alerts/….")]
    public required string Alert { get; init; }

    [Description("What to make of it.")]
    public AlertUserState State { get; init; } = AlertUserState.Closed;
}

public enum AlertUserState { Acknowledged, Closed }

/// <summary>Marks an Azure alert as acknowledged or closed; whether it is firing is another matter, and stays as it is.</summary>
internal sealed class CloseAlert(ArmResources arm, HeldValues held)
    : RunbookAction<CloseAlertParameters>("azureAlert.close", "Marks an alert as acknowledged or closed in Azure Monitor.")
{
    public override string Role => "Monitoring Contributor";

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(CloseAlertParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var alert = await arm.GetAsync(Target(parameters.Alert), cancellationToken);
        var now = StateOf(alert);
        return new Preparation
        {
            PlannedEffect = $"Mark the Azure alert {alert.Json["name"]} as {parameters.State.ToString().ToLowerInvariant()} (now {now.ToLowerInvariant()}).",
            Identity = $"{parameters.Alert}: {now}",
            IsSo = now == parameters.State.ToString(),
            Undo = $"Mark it as {now.ToLowerInvariant()} again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(parameters.Alert, now, parameters.State.ToString())),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(CloseAlertParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Alert), "Microsoft.AlertsManagement/alerts/changestate/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        CloseAlertParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var (change, state) = (preparation.UndoState!.Value.Deserialize<Change>()!, parameters.State.ToString().ToLowerInvariant());
        var sent = await held.HoldAsync(Held(change.Alert), change.Before, change.After, () => SetAsync(change.Alert, change.Before, change.After, context.Time, cancellationToken), context, cancellationToken);
        return new ActionResult(sent is { } answer
            ? answer.Describe($"Marked the Azure alert as {state}.", $"mark the Azure alert as {state}")
            : $"The Azure alert was {state} {context.Found}.");
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<Change>()!;
        return held.ReleaseAsync(
            Held(change.Alert), change.Before,
            async () => StateOf(await arm.GetAsync(Target(change.Alert), cancellationToken)),
            (state, now) => state == now,
            async (before, _) => await SetAsync(change.Alert, change.After, before, context.Time, cancellationToken) is { } answer
                ? answer.Describe($"Marked the Azure alert as {before.ToLowerInvariant()} again.", $"mark the Azure alert as {before.ToLowerInvariant()} again")
                : $"The Azure alert is {before.ToLowerInvariant()}, as it was before.",
            context, cancellationToken);
    }

    private static HeldValue Held(string alert) => new(alert, "The state of the Azure alert");

    /// <summary>Its API knows no precondition, so it is looked at just before.</summary>
    /// <returns>Null: it is so already.</returns>
    private async Task<AzureResponse?> SetAsync(string alert, string from, string to, TimeProvider time, CancellationToken cancellationToken)
    {
        var now = StateOf(await arm.GetAsync(Target(alert), cancellationToken));
        if (now == to)
        {
            return null;
        }

        if (now != from)
        {
            throw new ChangedSinceException($"The Azure alert was marked as {now.ToLowerInvariant()} by somebody else in the meantime. Nothing was changed.");
        }

        return await arm.SendAsync(arm.Call(Target(alert), RequestMethod.Post, $"mark it as {to}", new JsonObject(), "/changestate", $"&newState={to}"), time, cancellationToken);
    }

    private ArmTarget Target(string alert) => new(alert, "2019-05-05-preview", Role);

    private static string StateOf(ArmDocument alert) => (string?)alert.Properties["essentials"]?["alertState"] ?? "New";

    private sealed record Change(string Alert, string Before, string After);
}
