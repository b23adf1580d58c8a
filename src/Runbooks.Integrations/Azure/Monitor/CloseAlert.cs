namespace Runbooks.Integrations.Azure.Monitor;

public sealed record CloseAlertParameters
{
    [Required, TextPattern(
        "^/subscriptions/[0-9A-Fa-f-]{36}(/[A-Za-z0-9._()~-]{1,90}){0,16}"
            + "/providers/Microsoft\\.AlertsManagement/alerts/[0-9A-Fa-f-]{36}$",
        "an alert's id: /subscriptions/…/providers/Microsoft.AlertsManagement/alerts/…")]
    [Description("The alert's id: /subscriptions/…/providers/Microsoft.AlertsManagement/alerts/….")]
    public required string Alert { get; init; }

    [Description("What to make of it.")]
    public AlertUserState State { get; init; } = AlertUserState.Closed;
}

public enum AlertUserState { Acknowledged, Closed }

/// <summary>Marks an Azure alert as acknowledged or closed. Whether it is firing does not change.</summary>
internal sealed class CloseAlert(ArmResources arm, HeldValues held)
    : HeldValueAction<CloseAlertParameters, CloseAlert.Change, string>(
        held, "azureAlert.close", "Marks an alert as acknowledged or closed in Azure Monitor.")
{
    public override string Role => "Monitoring Contributor";

    protected override async Task<Preparation> PrepareAsync(
        CloseAlertParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var alert = await arm.GetAsync(Target(parameters.Alert), cancellationToken);
        var now = StateOf(alert);
        return new Preparation
        {
            PlannedEffect = $"Mark the Azure alert {alert.Json["name"]} as {parameters.State.ToString().ToLowerInvariant()} "
                + $"(now {now.ToLowerInvariant()}).",
            Identity = $"{parameters.Alert}: {now}",
            IsSo = now == parameters.State.ToString(),
            Undo = $"Mark it as {now.ToLowerInvariant()} again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(parameters.Alert, now, parameters.State.ToString())),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        CloseAlertParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Alert), "Microsoft.AlertsManagement/alerts/changestate/action", cancellationToken);

    protected override HeldValue Held(Change change) => new(change.Alert, "The state of the Azure alert");

    protected override async Task<string> ReadAsync(Change change, CancellationToken cancellationToken) =>
        StateOf(await arm.GetAsync(Target(change.Alert), cancellationToken));

    protected override string WasText(Change change) => $"The Azure alert was {change.After.ToLowerInvariant()}";

    protected override string IsText(Change change, string before) => $"The Azure alert is {before.ToLowerInvariant()}";

    protected override string ChangedText(Change change, string now) =>
        $"The Azure alert was marked as {now.ToLowerInvariant()} by somebody else in the meantime. Nothing was changed.";

    /// <summary>The API has no precondition, so the state is read just before.</summary>
    protected override async Task<string?> SetAsync(
        Change change, string from, string to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        if (!IsToBeSet(change, await ReadAsync(change, cancellationToken), from, to))
        {
            return null;
        }

        var answer = await arm.SendAsync(
            arm.Call(Target(change.Alert), RequestMethod.Post, $"mark it as {to}", new JsonObject(), "/changestate", $"&newState={to}"),
            context.Time,
            cancellationToken);
        var words = $"the Azure alert as {to.ToLowerInvariant()}{(back ? " again" : "")}";
        return answer.Describe($"Marked {words}.", $"mark {words}");
    }

    private ArmTarget Target(string alert) => new(alert, "2019-05-05-preview", Role);

    private static string StateOf(ArmDocument alert) => (string?)alert.Properties["essentials"]?["alertState"] ?? "New";

    internal sealed record Change(string Alert, string Before, string After) : IHeldChange<string>;
}
