namespace Runbooks.Integrations.Azure;

/// <summary>Section <c>ArmRequest</c>.</summary>
public sealed class ArmRequestOptions
{
    public const string SectionName = "ArmRequest";

    /// <summary>Subscriptions, resource groups or resources that <c>arm.request</c> may change; none means that it may change nothing.</summary>
    public IList<string> AllowedScopes { get; } = [];
}

public sealed record ArmChange
{
    [Description("How to change it.")]
    public ArmMethod Method { get; init; } = ArmMethod.Post;

    [TextPattern("^[A-Za-z][A-Za-z0-9]{0,63}$", "one word of at most 64 letters and digits, beginning with a letter")]
    [Description("What the resource is told to do, for POST: `restart`.")]
    public string? Action { get; init; }

    [Description("The body.")]
    public JsonObject? Body { get; init; }

    internal string Below => Action is null ? "" : $"/{Action}";

    /// <summary>A long resource id is cut in the middle, because the action and the body have to follow it where people read them.</summary>
    internal string Describe(string resource) =>
        $"{Method.ToString().ToUpperInvariant()} {Clip.Middle(resource, 250)}{Below} with {BodyText.Of(Body)}.";
}

public sealed record ArmRequestParameters
{
    [Required, ArmResourceId]
    [Description("The resource.")]
    public required string Resource { get; init; }

    [Required, TextPattern(@"^20\d\d-\d\d-\d\d(-preview)?$", "a date such as 2025-03-01, or 2025-03-01-preview")]
    [Description("The version of the API, for example `2025-03-01`.")]
    public required string ApiVersion { get; init; }

    [Description("How to change it.")]
    public ArmMethod Method { get; init; } = ArmMethod.Post;

    [TextPattern("^[A-Za-z][A-Za-z0-9]{0,63}$", "one word of at most 64 letters and digits, beginning with a letter")]
    [Description("What the resource is told to do, for POST: `restart`.")]
    public string? Action { get; init; }

    [Description("The body.")]
    public JsonObject? Body { get; init; }

    [Description("The request to the same resource that takes it back: `method`, `action` and `body` as above. "
        + "It may be sent twice, also when the first one failed, and while another incident relies on what the first one did.")]
    public ArmChange? Undo { get; init; }

    internal ArmChange Change => new() { Method = Method, Action = Action, Body = Body };
}

public enum ArmMethod { Post, Put, Patch }

/// <summary>
/// For what has no action of its own yet. Its effect is not known here, so it is not repeated after a crash, and undone only as the
/// runbook says.
/// </summary>
internal sealed class ArmRequest(ArmResources arm, IOptions<ArmRequestOptions> options)
    : RunbookAction<ArmRequestParameters>(
        "arm.request", "Sends one request to Azure Resource Manager, within the scopes that the configuration allows.")
{
    public override string Role =>
        "Whatever the request needs; grant it on the resource alone, and what follows its operations, "
            + "if it is a long one, at the subscription";

    public override bool Repeatable => false;

    public override Reversal ReversalOf(JsonElement with) => Reversals.UndoneIn(with);

    protected override async Task<Preparation> PrepareAsync(
        ArmRequestParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var preparation = new Preparation { PlannedEffect = parameters.Change.Describe(parameters.Resource) };
        if (Refusal(parameters.Resource) is { } refusal)
        {
            return preparation with { Refusal = refusal };
        }

        var found = await arm.GetAsync(Target(parameters.Resource, parameters.ApiVersion), cancellationToken);
        preparation = preparation with { Identity = (string?)found.Json["id"] };
        return parameters.Undo is null ? preparation : preparation with
        {
            Undo = parameters.Undo.Describe(parameters.Resource),
            UndoState = JsonSerializer.SerializeToElement(new Undoing(parameters.Resource, parameters.ApiVersion, parameters.Undo)),
        };
    }

    protected override Task<ActionResult> ApplyAsync(
        ArmRequestParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken) =>
        SendAsync(parameters.Resource, parameters.ApiVersion, parameters.Change, context, cancellationToken);

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var undo = undoState.Deserialize<Undoing>()!;
        // The configuration may have become narrower since.
        return Refusal(undo.Resource) is { } refusal
            ? throw new StepRefusedException(refusal)
            : SendAsync(undo.Resource, undo.ApiVersion, undo.Change, context, cancellationToken);
    }

    private async Task<ActionResult> SendAsync(
        string resource, string apiVersion, ArmChange change, StepContext context, CancellationToken cancellationToken)
    {
        var (target, method) = (
            Target(resource, apiVersion),
            change.Method switch { ArmMethod.Put => RequestMethod.Put, ArmMethod.Patch => RequestMethod.Patch, _ => RequestMethod.Post });
        var answer = await arm.SendAsync(
            arm.Call(target, method, change.Action ?? "change it", change.Body, change.Below), context.Time, cancellationToken);
        return new ActionResult(answer.IsOnlyAccepted
            ? $"{target.DisplayName} answered {answer.Status}: accepted, and Azure does not tell when it is done. {answer.NotFollowed}".TrimEnd()
            : $"{target.DisplayName} answered {answer.Status}.");
    }

    private string? Refusal(string resource) => options.Value.AllowedScopes.Any(scope => IsWithin(resource, scope))
        ? null
        : $"{resource} is not within {ArmRequestOptions.SectionName}:AllowedScopes. Add it there if it is meant.";

    private static bool IsWithin(string resource, string scope) =>
        scope.Length > 1 && (resource + "/").StartsWith(scope.TrimEnd('/') + "/", StringComparison.OrdinalIgnoreCase);

    private static ArmTarget Target(string resource, string apiVersion) => new(resource, apiVersion, "that allows it");

    private sealed record Undoing(string Resource, string ApiVersion, ArmChange Change);
}
