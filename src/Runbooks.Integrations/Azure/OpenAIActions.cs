namespace Runbooks.Integrations.Azure;

public sealed record SpillOverParameters : IValidatableObject
{
    [Required, ArmResourceId("Microsoft.CognitiveServices/accounts")]
    [Description("The Azure OpenAI account.")]
    public required string Account { get; init; }

    [Required, PlainName(64)]
    [Description("The deployment with provisioned throughput that turns requests away.")]
    public required string Deployment { get; init; }

    [PlainName(64)]
    [Description("The standard deployment of the same account, model and version that takes them. Say either this or 'off'.")]
    public string? To { get; init; }

    [Description("Switch spill-over off instead.")]
    public bool Off { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        // 'to' counts by being there, 'off' by its value.
        To is null != Off ? [new("Say either 'to' or 'off: true'.", [nameof(Off)])] : [];
}

/// <summary>
/// Lets Azure send what a provisioned deployment turns away to a standard one, or stops it. PATCH takes only tags and the SKU of
/// a deployment, so it is written whole. <c>spilloverDeploymentName</c> is in the stable API since 2025-09-01. Written in that
/// version, a deployment would lose its service tier, its routing and its paused state, and in any before 2026-09-01 its
/// context cache. When a newer version adds a property, this has to follow.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/spillover-traffic-management"/>
/// <seealso href="https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/2026-09-01/accounts/deployments"/>
internal sealed class SpillOver(ArmResources arm, WholeResource whole, HeldValues held)
    : HeldValueAction<SpillOverParameters, SpillOver.Change, string?>(
        held,
        "azureOpenAI.spillOver",
        "Lets a standard deployment of Azure OpenAI take what one with provisioned throughput turns away, or stops it.")
{
    private const string Property = "spilloverDeploymentName";
    private static readonly string[] s_readOnly =
        ["provisioningState", "capabilities", "callRateLimit", "rateLimits", "dynamicThrottlingEnabled"];

    public override string Role => "Cognitive Services Contributor";

    protected override async Task<Preparation> PrepareAsync(
        SpillOverParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Account, parameters.Deployment);
        var primary = await arm.GetAsync(target, cancellationToken);
        var before = primary.Text(Property);
        return new Preparation
        {
            PlannedEffect = parameters.To is { } to
                ? $"Let {to} take what {target.DisplayName} turns away, billed by token (now {Now(before)})."
                : $"Let nobody take any more what {target.DisplayName} turns away (now {Now(before)}).",
            Identity = $"{target.Id}: {before}",
            IsSo = before == parameters.To,
            Undo = before is null ? "Switch spill-over off again." : $"Let {before} take it again.",
            UndoState = JsonSerializer.SerializeToElement(new Change(target.Id, before, parameters.To)),
            Refusal = parameters.To is null ? null : await UnfitAsync(parameters, target, primary, cancellationToken),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        SpillOverParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target(parameters.Account, parameters.Deployment), "Microsoft.CognitiveServices/accounts/deployments/write", cancellationToken);

    protected override HeldValue Held(Change change) =>
        new($"{change.Deployment}/spillover", $"Spill-over of {Target(change.Deployment).DisplayNameWithin}");

    protected override async Task<string?> ReadAsync(Change change, CancellationToken cancellationToken) =>
        Of((await arm.GetAsync(Target(change.Deployment), cancellationToken)).Json);

    protected override string WasText(Change change) => change.After is null
        ? $"Spill-over of {Target(change.Deployment).DisplayName} was off"
        : $"{change.After} took what {Target(change.Deployment).DisplayName} turns away";

    protected override string IsText(Change change, string? before) =>
        $"Spill-over of {Target(change.Deployment).DisplayName} is {Now(before)}";

    protected override string ChangedText(Change change, string? now) =>
        $"{Target(change.Deployment).DisplayName} was changed by somebody else in the meantime: "
            + $"spill-over is {Now(now)}. Nothing was overwritten.";

    private static string Now(string? to) => to is null ? "off" : $"to {to}";

    protected override async Task<string?> SetAsync(
        Change change, string? from, string? to, bool back, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(change.Deployment);
        var make = new WholeChange(
            to is null ? "switch spill-over off" : $"let {to} take what it turns away", ToWrite, Make, (written, _) => Of(written) == to);
        return !await whole.ChangeAsync(target, make, context, cancellationToken) ? null
            : back ? $"Spill-over of {target.DisplayName} is {Now(to)} again, as before."
            : to is null ? $"Switched spill-over of {target.DisplayName} off."
            : $"{to} takes what {target.DisplayName} turns away.";

        bool Make(JsonObject deployment)
        {
            if (!IsToBeSet(change, Of(deployment), from, to))
            {
                return false;
            }

            // A property that is not written is removed.
            deployment["properties"]!.AsObject().Remove(Property);
            if (to is not null)
            {
                deployment["properties"]![Property] = to;
            }

            return true;
        }
    }

    private static string? Of(JsonObject deployment) =>
        JsonAnswer.Text(deployment["properties"]?[Property]) is { Length: > 0 } name ? name : null;

    private static JsonObject ToWrite(JsonObject deployment)
    {
        var written = WholeResource.Written(deployment, ["sku", "tags", "properties"], s_readOnly);
        (written["properties"]?["model"] as JsonObject)?.Remove("callRateLimit");
        return written;
    }

    /// <summary>Checks what Azure requires of the two deployments before Azure is asked.</summary>
    private async Task<string?> UnfitAsync(
        SpillOverParameters parameters, ArmTarget target, ArmDocument primary, CancellationToken cancellationToken)
    {
        const string Provisioned = "ProvisionedManaged";
        const string Standard = "Standard";
        var sku = SkuOf(primary);
        if (!sku.EndsWith(Provisioned, StringComparison.OrdinalIgnoreCase))
        {
            return $"{target.DisplayName} has no provisioned throughput: its SKU is {sku}. Only such a deployment can spill over.";
        }

        var other = Target(parameters.Account, parameters.To!);
        ArmDocument spare;
        try
        {
            spare = await arm.GetAsync(other, cancellationToken);
        }
        catch (StepRefusedException missing)
        {
            return missing.Message;
        }

        if (ModelOf(spare) != ModelOf(primary))
        {
            return $"{other.DisplayName} serves {ModelOf(spare)}, and {target.DisplayName} {ModelOf(primary)}: "
                + "both have to serve the same model and version.";
        }

        var needed = sku[..^Provisioned.Length] + Standard;
        if (!SkuOf(spare).Equals(needed, StringComparison.OrdinalIgnoreCase))
        {
            return $"{other.DisplayName} has the SKU {SkuOf(spare)}. Beside {sku} it has to be {needed}, "
                + "so that data is processed in the same places.";
        }

        var state = spare.Text("provisioningState");
        return state == "Succeeded" ? null : $"{other.DisplayName} is not ready: its state is {state ?? "unknown"}.";
    }

    private static string SkuOf(ArmDocument deployment) => (string?)deployment.Json["sku"]?["name"] ?? "unknown";

    private static string ModelOf(ArmDocument deployment) =>
        $"{(string?)deployment.Properties["model"]?["name"] ?? "no model"} {(string?)deployment.Properties["model"]?["version"]}".TrimEnd();

    private ArmTarget Target(string account, string deployment) => Target($"{account}/deployments/{deployment}");

    private ArmTarget Target(string deployment) => new(deployment, "2026-09-01", Role);

    internal sealed record Change(string Deployment, string? Before, string? After) : IHeldChange<string?>;
}

public sealed record RotateKeyParameters
{
    [Required, ArmResourceId("Microsoft.CognitiveServices/accounts")]
    [Description("The Azure OpenAI account.")]
    public required string Account { get; init; }

    [Description("Which of its two keys.")]
    public AccountKey Key { get; init; } = AccountKey.Key1;
}

public enum AccountKey { Key1, Key2 }

/// <summary>Replaces a leaked key. The new key is never read: who needs it takes it from Azure.</summary>
internal sealed class RotateKey(ArmResources arm)
    : RunbookAction<RotateKeyParameters>(
        "azureOpenAI.rotateKey", "Replaces a key of an Azure OpenAI account; the old one stops working at once.")
{
    public override string Role => "Cognitive Services Contributor";

    /// <summary>A second time would cut off those who already took the new key.</summary>
    public override bool Repeatable => false;

    protected override async Task<Preparation> PrepareAsync(
        RotateKeyParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Account);
        var account = await arm.GetAsync(target, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Replace {parameters.Key} of {target.DisplayName}: "
                + "whoever uses it is cut off until they take the new one from Azure.",
            Identity = (string?)account.Json["id"] ?? target.Id,
            Refusal = JsonAnswer.Flag(account.Properties["disableLocalAuth"]) == true
                ? $"{target.DisplayName} does not let keys in at all, so there is none to replace."
                : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        RotateKeyParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target(parameters.Account), "Microsoft.CognitiveServices/accounts/regenerateKey/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RotateKeyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Account);
        var body = new JsonObject { ["keyName"] = parameters.Key.ToString() };
        // The answer contains both keys, so it is not read.
        var answer = await arm.SendAsync(
            arm.Call(target, RequestMethod.Post, "replace its key", body, "/regenerateKey"), context.Time, cancellationToken);
        return new ActionResult(answer.Describe(
            $"Replaced {parameters.Key} of {target.DisplayName}. Take the new one from Azure.",
            $"replace {parameters.Key} of {target.DisplayName}"));
    }

    private ArmTarget Target(string account) => new(account, "2024-10-01", Role);
}
