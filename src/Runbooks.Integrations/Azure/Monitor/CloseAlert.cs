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
        var answer = await held.HoldAsync(
            Held(parameters.Alert), preparation.UndoState!.Value.Deserialize<Change>()!.Before, parameters.State.ToString(),
            () => SetAsync(parameters.Alert, parameters.State.ToString(), context.Time, cancellationToken), context, cancellationToken);
        var state = parameters.State.ToString().ToLowerInvariant();
        return new ActionResult(answer.Describe($"Marked the Azure alert as {state}.", $"mark the Azure alert as {state}"));
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<Change>()!;
        return held.ReleaseAsync(
            Held(change.Alert), change.Before,
            async () => StateOf(await arm.GetAsync(Target(change.Alert), cancellationToken)),
            (state, now) => state == now,
            (before, now) => TakeBackAsync(change with { Before = before }, now, context, cancellationToken),
            context, cancellationToken);
    }

    private async Task<string> TakeBackAsync(Change change, string now, StepContext context, CancellationToken cancellationToken)
    {
        var state = change.Before.ToLowerInvariant();
        if (now == change.Before)
        {
            return $"The Azure alert is {state}, as it was before.";
        }

        if (change.After is not null && now != change.After)
        {
            throw new ChangedSinceException($"Left the Azure alert {now.ToLowerInvariant()}: somebody else has marked it since. Before this incident it was {state}.");
        }

        var answer = await SetAsync(change.Alert, change.Before, context.Time, cancellationToken);
        return answer.Describe($"Marked the Azure alert as {state} again.", $"mark the Azure alert as {state} again");
    }

    private static HeldValue Held(string alert) => new(alert, "The state of the Azure alert");

    private Task<AzureResponse> SetAsync(string alert, string state, TimeProvider time, CancellationToken cancellationToken) =>
        arm.SendAsync(arm.Call(Target(alert), RequestMethod.Post, $"mark it as {state}", new JsonObject(), "/changestate", $"&newState={state}"), time, cancellationToken);

    private ArmTarget Target(string alert) => new(alert, "2019-05-05-preview", Role);

    private static string StateOf(ArmDocument alert) => (string?)alert.Properties["essentials"]?["alertState"] ?? "New";

    /// <param name="After">Null on a record that is older than this.</param>
    private sealed record Change(string Alert, string Before, string? After = null);
}
