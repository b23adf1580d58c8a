namespace Runbooks.Integrations.Azure.OpenAI;

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
        // That 'to' is there is enough; of 'off' it is the value.
        To is null != Off ? [new("Say either 'to' or 'off: true'.", [nameof(Off)])] : [];
}

/// <summary>
/// Lets Azure send what a provisioned deployment turns away to a standard one, or stops it. A deployment's PATCH takes tags
/// and the SKU only, so it is written whole. <c>spilloverDeploymentName</c> is in the stable API since 2025-09-01; in that
/// version a deployment would lose its service tier, its routing and that it is paused, and in those before 2026-09-01 its
/// cache of contexts. When a newer version adds a property, this has to follow.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/ai-foundry/openai/how-to/spillover-traffic-management"/>
/// <seealso href="https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/2026-09-01/accounts/deployments"/>
internal sealed class SpillOver(ArmResources arm, WholeResource whole, HeldValues held)
    : RunbookAction<SpillOverParameters>("azureOpenAI.spillOver", "Lets a standard deployment of Azure OpenAI take what one with provisioned throughput turns away, or stops it.")
{
    private const string Property = "spilloverDeploymentName";
    private static readonly string[] s_readOnly = ["provisioningState", "capabilities", "callRateLimit", "rateLimits", "dynamicThrottlingEnabled"];

    public override string Role => "Cognitive Services Contributor";

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(SpillOverParameters parameters, StepContext context, CancellationToken cancellationToken)
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

    protected override Task<string?> CheckPermissionsAsync(SpillOverParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Account, parameters.Deployment), "Microsoft.CognitiveServices/accounts/deployments/write", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        SpillOverParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = preparation.UndoState!.Value.Deserialize<Change>()!;
        var words = Target(change.Deployment).DisplayName;
        var written = await held.HoldAsync(Held(change), change.Before, change.After, () => SetAsync(change, change.Before, change.After, context, cancellationToken), context, cancellationToken);
        return new ActionResult((written, change.After) switch
        {
            (true, { } to) => $"{to} takes what {words} turns away.",
            (true, null) => $"Switched spill-over of {words} off.",
            (false, { } to) => $"{to} took what {words} turns away {context.Found}.",
            (false, null) => $"Spill-over of {words} was off {context.Found}.",
        });
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<Change>()!;
        return held.ReleaseAsync(
            Held(change), change.Before,
            async () => Of((await arm.GetAsync(Target(change.Deployment), cancellationToken)).Json),
            (to, now) => to == now,
            async (before, _) => await SetAsync(change, change.After, before, context, cancellationToken)
                ? $"Spill-over of {Target(change.Deployment).DisplayName} is {Now(before)} again, as before."
                : $"Spill-over of {Target(change.Deployment).DisplayName} is {Now(before)}, as it was before.",
            context, cancellationToken);
    }

    private HeldValue Held(Change change) => new($"{change.Deployment}/spillover", $"Spill-over of {Target(change.Deployment).DisplayNameWithin}");

    private static string Now(string? to) => to is null ? "off" : $"to {to}";

    private Task<bool> SetAsync(Change change, string? from, string? to, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(change.Deployment);
        return whole.ChangeAsync(
            target,
            new WholeChange(to is null ? "switch spill-over off" : $"let {to} take what it turns away", ToWrite, Make, (written, _) => Of(written) == to),
            context,
            cancellationToken);

        bool Make(JsonObject deployment)
        {
            var now = Of(deployment);
            if (now == to)
            {
                return false;
            }

            if (now != from)
            {
                throw new ChangedSinceException($"{target.DisplayName} was changed by somebody else in the meantime: spill-over is {Now(now)}. Nothing was overwritten.");
            }

            // What is not written is gone.
            deployment["properties"]!.AsObject().Remove(Property);
            if (to is not null)
            {
                deployment["properties"]![Property] = to;
            }

            return true;
        }
    }

    private static string? Of(JsonObject deployment) => deployment["properties"]?[Property] is JsonValue value && value.TryGetValue<string>(out var name) && name.Length > 0 ? name : null;

    private static JsonObject ToWrite(JsonObject deployment)
    {
        var written = WholeResource.Written(deployment, ["sku", "tags", "properties"], s_readOnly);
        (written["properties"]?["model"] as JsonObject)?.Remove("callRateLimit");
        return written;
    }

    /// <summary>What Azure asks of the two deployments, said before it is asked at all.</summary>
    private async Task<string?> UnfitAsync(SpillOverParameters parameters, ArmTarget target, ArmDocument primary, CancellationToken cancellationToken)
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

        var level = sku[..^Provisioned.Length];
        return ModelOf(spare) != ModelOf(primary) ? $"{other.DisplayName} serves {ModelOf(spare)}, and {target.DisplayName} {ModelOf(primary)}: both have to serve the same model and version."
            : !SkuOf(spare).Equals(level + Standard, StringComparison.OrdinalIgnoreCase) ? $"{other.DisplayName} has the SKU {SkuOf(spare)}. Beside {sku} it has to be {level}{Standard}, so that data is processed in the same places."
            : spare.Text("provisioningState") is var state and not "Succeeded" ? $"{other.DisplayName} is not ready: its state is {state ?? "unknown"}."
            : null;
    }

    private static string SkuOf(ArmDocument deployment) => (string?)deployment.Json["sku"]?["name"] ?? "unknown";

    private static string ModelOf(ArmDocument deployment) => $"{(string?)deployment.Properties["model"]?["name"] ?? "no model"} {(string?)deployment.Properties["model"]?["version"]}".TrimEnd();

    private ArmTarget Target(string account, string deployment) => Target($"{account}/deployments/{deployment}");

    private ArmTarget Target(string deployment) => new(deployment, "2026-09-01", Role);

    private sealed record Change(string Deployment, string? Before, string? After);
}
