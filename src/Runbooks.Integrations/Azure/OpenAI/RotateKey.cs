namespace Runbooks.Integrations.Azure.OpenAI;

public sealed record RotateKeyParameters
{
    [Required, ArmResourceId("Microsoft.CognitiveServices/accounts")]
    [Description("The Azure OpenAI account.")]
    public required string Account { get; init; }

    [Description("Which of its two keys.")]
    public AccountKey Key { get; init; } = AccountKey.Key1;
}

public enum AccountKey { Key1, Key2 }

/// <summary>Replaces a leaked key. The new one is never read: whoever needs it takes it from Azure.</summary>
internal sealed class RotateKey(ArmResources arm)
    : RunbookAction<RotateKeyParameters>("azureOpenAI.rotateKey", "Replaces a key of an Azure OpenAI account; the old one stops working at once.")
{
    public override string Role => "Cognitive Services Contributor";

    /// <summary>A second time would cut off those who already took the new key.</summary>
    public override bool Repeatable => false;

    protected override async Task<Preparation> PrepareAsync(RotateKeyParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Account);
        var account = await arm.GetAsync(target, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Replace {parameters.Key} of {target.DisplayName}: whoever uses it is cut off until they take the new one from Azure.",
            Identity = (string?)account.Json["id"] ?? target.Id,
            Refusal = account.Properties["disableLocalAuth"] is JsonValue off && off.TryGetValue<bool>(out var disabled) && disabled
                ? $"{target.DisplayName} does not let keys in at all, so there is none to replace."
                : null,
        };
    }

    protected override Task<string?> CheckPermissionsAsync(RotateKeyParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(Target(parameters.Account), "Microsoft.CognitiveServices/accounts/regenerateKey/action", cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        RotateKeyParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var target = Target(parameters.Account);
        var body = new JsonObject { ["keyName"] = parameters.Key.ToString() };
        // The answer holds both keys, and is not looked at.
        var answer = await arm.SendAsync(arm.Call(target, RequestMethod.Post, "replace its key", body, "/regenerateKey"), context.Time, cancellationToken);
        return new ActionResult(answer.Describe($"Replaced {parameters.Key} of {target.DisplayName}. Take the new one from Azure.", $"replace {parameters.Key} of {target.DisplayName}"));
    }

    private ArmTarget Target(string account) => new(account, "2024-10-01", Role);
}
