namespace Runbooks.Integrations.Azure;

public sealed record RestartRevisionParameters
{
    [Required, ArmResourceId("Microsoft.App/containerApps")]
    [Description("The container app.")]
    public required string App { get; init; }

    [TextPattern("^[a-z0-9][a-z0-9-]{0,62}$",
        "a name of at most 63 lower-case letters, digits and dashes, beginning with a letter or digit")]
    [Description("The revision; the latest one that is ready when left out.")]
    public string? Revision { get; init; }
}

internal sealed class RestartRevision(ArmResources arm)
    : RunbookAction<RestartRevisionParameters>("containerApp.restartRevision", "Restarts a revision of a container app.")
{
    public override string Role => "Container Apps Contributor";

    // The approved revision is restarted, even when another one is the latest by now.
    protected override bool KeepsPreparation => true;

    protected override async Task<Preparation> PrepareAsync(
        RestartRevisionParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.App);
        var revision = parameters.Revision ?? (await arm.GetAsync(target, cancellationToken)).Text("latestReadyRevisionName");
        if (revision is null)
        {
            return new Preparation
            {
                PlannedEffect = $"Restart a revision of {target.DisplayName}.",
                Refusal = $"{target.DisplayName} has no revision that is ready. Name one.",
            };
        }

        var read = await arm.GetAsync(Target($"{parameters.App}/revisions/{revision}"), cancellationToken);
        var active = JsonAnswer.Flag(read.Properties["active"]) ?? true;
        return new Preparation
        {
            PlannedEffect = $"Restart the revision {revision} of {target.DisplayName}: requests that it is working on are cut off.",
            Identity = revision,
            Refusal = active ? null : $"The revision {revision} is not active, so there is nothing to restart.",
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        RestartRevisionParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.App), "Microsoft.App/containerApps/revisions/restart/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RestartRevisionParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target($"{parameters.App}/revisions/{preparation.Identity}");
        var answer = await arm.SendAsync(
            arm.Call(target, RequestMethod.Post, "restart it", below: "/restart"), context.Time, cancellationToken);
        var which = $"the revision {preparation.Identity} of {Target(parameters.App).DisplayName}";
        return new ActionResult(answer.Describe($"Restarted {which}.", $"restart {which}"));
    }

    private ArmTarget Target(string id) => new(id, "2025-01-01", Role);
}

public sealed record RestartSiteParameters
{
    [Required, ArmResourceId("Microsoft.Web/sites")]
    [Description("The web app or function app.")]
    public required string Site { get; init; }
}

internal sealed class RestartSite(ArmResources arm)
    : RunbookAction<RestartSiteParameters>("appService.restart", "Restarts an App Service or a function app.")
{
    public override string Role => "Website Contributor";

    protected override async Task<Preparation> PrepareAsync(
        RestartSiteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Site);
        var state = (await arm.GetAsync(target, cancellationToken)).Text("state") ?? "unknown";
        return new Preparation
        {
            PlannedEffect = $"Restart {target.DisplayName}: requests that it is working on are cut off (now {state}).",
            Refusal = state == "Stopped"
                ? $"{target.DisplayName} is stopped. Restarting would not start it; somebody stopped it on purpose."
                : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        RestartSiteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Site), "Microsoft.Web/sites/restart/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RestartSiteParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Site);
        // Azure could also answer only when the app is back. That takes longer than it keeps a request open, and a step that loses
        // its answer would restart the app again.
        await arm.SendAsync(arm.Call(target, RequestMethod.Post, "restart it", below: "/restart"), context.Time, cancellationToken);
        return new ActionResult($"Azure took the request to restart {target.DisplayName} and does it by itself; "
            + "whether the app is back the checks tell.");
    }

    private ArmTarget Target(string site) => new(site, "2025-03-01", Role);
}
