namespace Runbooks.Integrations.Azure.AppService;

public sealed record RestartSiteParameters
{
    [Required, ArmResourceId("Microsoft.Web/sites")]
    [Description("The web app or function app.")]
    public required string Site { get; init; }
}

internal sealed class RestartSite(ArmResources arm) : RunbookAction<RestartSiteParameters>("appService.restart", "Restarts an App Service or a function app.")
{
    public override string Role => "Website Contributor";

    protected override async Task<Preparation> PrepareAsync(RestartSiteParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Site);
        var state = (await arm.GetAsync(target, cancellationToken)).Text("state") ?? "unknown";
        return new Preparation
        {
            PlannedEffect = $"Restart {target.DisplayName}: requests that it is working on are cut off (now {state}).",
            Refusal = state == "Stopped" ? $"{target.DisplayName} is stopped. Restarting would not start it; somebody stopped it on purpose." : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(RestartSiteParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Site), "Microsoft.Web/sites/restart/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RestartSiteParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Site);
        // Azure can also be told to answer only when the app is back. That outlasts the time that it keeps a request open, and a step whose answer is lost restarts the app again.
        await arm.SendAsync(arm.Call(target, RequestMethod.Post, "restart it", below: "/restart"), context.Time, cancellationToken);
        return new ActionResult($"Azure took the request to restart {target.DisplayName} and does it by itself; whether the app is back the checks tell.");
    }

    private ArmTarget Target(string site) => new(site, "2025-03-01", Role);
}
