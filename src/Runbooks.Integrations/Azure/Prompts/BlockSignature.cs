namespace Runbooks.Integrations.Azure.Prompts;

internal sealed class BlockSignature(ArmResources arm, WholeResource whole, SignatureTrial trial)
    : RunbookAction<BlockSignatureParameters>(
        "waf.blockSignature", "Adds a rule to a WAF policy that blocks requests whose body holds a prompt's signature.")
{
    public override string Role => "Network Contributor";

    public override bool Reversible => true;

    // The author of the prompt chose the words, perhaps to lock others out, so silence must not count as a yes.
    public override bool AlwaysAsks(JsonElement with) => true;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("rule", "The name of the rule; nothing where `whenUnfit` skipped the step.", "Runbook1"),
        new("signatureHash", "The hash that stands for the signature; nothing where `whenUnfit` skipped the step.", "5f2b8c7d"),
    ];

    public static WafRules? KindOf(string policy) => policy.Split('/') is [.., var provider, var type, _]
        ? $"{provider}/{type}" switch
        {
            var known when known.Equals(FrontDoorWafRules.ResourceType, StringComparison.OrdinalIgnoreCase) => new FrontDoorWafRules(),
            var known when known.Equals(ApplicationGatewayWafRules.ResourceType, StringComparison.OrdinalIgnoreCase) => new ApplicationGatewayWafRules(),
            _ => null,
        }
        : null;

    protected override async Task<Preparation> PrepareAsync(
        BlockSignatureParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (signature, refusal) = parameters.Read(context);
        var kind = KindOf(parameters.Policy)!;
        var target = Target(parameters.Policy, kind);
        var policy = (await arm.GetAsync(target, cancellationToken)).Json;
        var rules = kind.In(policy);
        var name = StepName.Of(context);
        var undoState = JsonSerializer.SerializeToElement(
            new Added(parameters.Policy, name, signature is null ? null : PromptSignature.HashOf(signature.Pattern)));
        if (signature is not null && WafRules.Find(rules, name) is null && WhySkipped(parameters, signature, kind, policy) is { } skipped)
        {
            return new Preparation
            {
                PlannedEffect = $"Leave {target.DisplayName} as it is: {skipped}.",
                Identity = $"{target.Id}: skipped, {signature.Hash}",
                Undo = "Nothing to take back.",
                UndoState = undoState,
            };
        }

        var tried = signature is null ? "" : await trial.TryAsync(signature.Pattern, parameters, cancellationToken);
        var first = WafRules.PassBefore(rules, (int?)WafRules.Find(rules, name)?["priority"] ?? WafRules.FreePriority(rules));
        var searchedText = kind.SearchedKB(policy) is { } searched ? $" Of a longer body the first {searched} KB are searched." : "";
        var isFull = rules.Count >= WafRules.MaxRules && WafRules.Find(rules, name) is null;
        return new Preparation
        {
            PlannedEffect = $"Block requests whose body holds the signature {signature?.ToString() ?? "that the alert gave"} in "
                + $"{target.DisplayName}.{Passed(first)}{searchedText}{kind.Delay}{tried}",
            // The rule belongs to this step of this incident, so it is the same one on every attempt.
            Identity = $"{name}: {signature?.Hash}{string.Concat(first.Select(one => $", after {one}"))}",
            Undo = "Remove the rule again.",
            UndoState = undoState,
            Refusal = refusal
                ?? signature?.WafObjection
                ?? RefusalOf(parameters, kind, target, policy, name)
                ?? (isFull ? $"{target.DisplayName} has {rules.Count} rules already, and no more than {WafRules.MaxRules} fit." : null),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        BlockSignatureParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var kind = KindOf(parameters.Policy)!;
        return arm.CheckPermissionsAsync(Target(parameters.Policy, kind), $"{kind.Type}/write", cancellationToken);
    }

    protected override async Task<ActionResult> ApplyAsync(
        BlockSignatureParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var signature = parameters.Read(context).Signature ?? throw new StepRefusedException("The signature cannot be blocked.");
        var (kind, name) = (KindOf(parameters.Policy)!, StepName.Of(context));
        var target = Target(parameters.Policy, kind);
        var before = (await arm.GetAsync(target, cancellationToken)).Json;
        var skipped = WhySkipped(parameters, signature, kind, before);
        if (skipped is not null && WafRules.Find(kind.In(before), name) is null)
        {
            return new ActionResult($"Left {target.DisplayName} as it is: {skipped}.");
        }

        IReadOnlyList<string> first = [];
        var changed = await ChangeAsync(target, kind, $"add the rule {name} to it", context, policy =>
        {
            // The policy may have been changed since a person looked.
            if (RefusalOf(parameters, kind, target, policy, name) is { } useless)
            {
                throw new StepRefusedException(useless) { NothingDone = true };
            }

            var rules = kind.In(policy);
            if (WafRules.Find(rules, name) is { } known)
            {
                return WafRules.IsBlocking(known, signature)
                    ? false
                    : throw new StepRefusedException($"{target.DisplayName} has the rule {name}, and it does not block the signature: "
                        + "somebody changed it. Nothing was overwritten.") { NothingDone = true };
            }

            if (rules.Count >= WafRules.MaxRules)
            {
                throw new StepRefusedException($"{target.DisplayName} is full: it has {rules.Count} rules.") { NothingDone = true };
            }

            var priority = WafRules.FreePriority(rules);
            first = WafRules.PassBefore(rules, priority);
            rules.Add(kind.Block(name, priority, signature.Pattern));
            return true;
        }, rules => WafRules.Find(rules, name) is { } added && WafRules.IsBlocking(added, signature), cancellationToken);
        return new ActionResult(changed
            ? $"{target.DisplayName} blocks the signature {signature}, by the rule {name}.{Passed(first)}{kind.Delay}"
            : $"{target.DisplayName} had the rule {name} {context.Found}.{(skipped is null ? "" : $" But {skipped}.")}")
        {
            FoundSo = !changed && context.Interrupted is null,
            Outputs = new Dictionary<string, string> { ["rule"] = name, ["signatureHash"] = signature.Hash },
        };
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var added = undoState.Deserialize<Added>()!;
        var kind = KindOf(added.Policy)!;
        var target = Target(added.Policy, kind);
        var changed = await ChangeAsync(
            target,
            kind,
            $"remove the rule {added.Rule} from it",
            context,
            Remove,
            rules => WafRules.Find(rules, added.Rule) is null,
            cancellationToken);
        return new ActionResult(
            changed ? $"Removed the rule {added.Rule} from {target.DisplayName}." : $"{target.DisplayName} has no rule {added.Rule}.");

        bool Remove(JsonObject policy)
        {
            var rules = kind.In(policy);
            if (WafRules.Find(rules, added.Rule) is not { } rule)
            {
                return false;
            }

            return added.Pattern is null || kind.IsUnchanged(rule, added.Pattern)
                ? rules.Remove(rule)
                : throw new ChangedSinceException($"Somebody has changed the rule {added.Rule} of {target.DisplayName} since, "
                    + "so it was left alone. Remove it by hand when it is needed no longer.");
        }
    }

    // Where the step may be skipped, a body that the policy does not read is no reason to fail once an earlier attempt added the rule.
    private static string? RefusalOf(BlockSignatureParameters parameters, WafRules kind, ArmTarget target, JsonObject policy, string name)
    {
        if (kind.FindWhyUseless(policy) is { } why)
        {
            return $"{target.DisplayName} {why}: nothing would be turned away.";
        }

        var mayStay = parameters.WhenUnfit == UnfitSignature.Skip && WafRules.Find(kind.In(policy), name) is not null;
        return !mayStay && WhyUnread(parameters, kind, policy) is { } unread
            ? $"{target.DisplayName} {unread}: nothing would be turned away. Where yours are forms, say 'body: form'."
            : null;
    }

    private static string? WhySkipped(BlockSignatureParameters parameters, PromptSignature signature, WafRules kind, JsonObject policy) =>
        parameters.WhenUnfit != UnfitSignature.Skip ? null
        : signature.WafObjection is not null ? $"a WAF cannot look for the signature {signature}"
        : WhyUnread(parameters, kind, policy) is { } unread ? $"it {unread}"
        : null;

    private static string? WhyUnread(BlockSignatureParameters parameters, WafRules kind, JsonObject policy) =>
        parameters.Body == RequestBodies.Json && kind.FindWhyNoJson(policy) is { } why ? $"{why}, and prompts are sent as JSON" : null;

    private static string Passed(IReadOnlyList<string> first) =>
        first.Count == 0
            ? ""
            : $" What {(first.Count == 1 ? "the rule" : "the rules")} {CountText.Names(first, 5)} "
                + $"{(first.Count == 1 ? "lets pass is not looked at: it comes" : "let pass is not looked at: they come")} first.";

    private Task<bool> ChangeAsync(
        ArmTarget target,
        WafRules kind,
        string what,
        StepContext context,
        Func<JsonObject, bool> change,
        Func<JsonArray, bool> isSeen,
        CancellationToken cancellationToken) =>
        whole.ChangeAsync(
            target,
            new WholeChange(
                what,
                kind.ToWrite,
                change,
                (written, wanted) => isSeen(kind.In(written)) && Names(kind.In(written)).SetEquals(Names(kind.In(wanted)))),
            context,
            cancellationToken);

    private static HashSet<string?> Names(JsonArray rules) => [.. rules.Select(rule => (string?)rule?["name"])];

    private ArmTarget Target(string policy, WafRules kind) => new(policy, kind.ApiVersion, Role);

    /// <param name="Pattern">The hash of the rule's pattern; null where no rule could be made, and in older records.</param>
    private sealed record Added(string Policy, string Rule, string? Pattern = null);
}

public sealed record BlockSignatureParameters : SignatureParameters, IValidatableObject
{
    [Required, ArmResourceId]
    [Description("The WAF policy, of Front Door or of Application Gateway. One that turns nothing away is refused: "
        + "switched off, in the mode Detection, attached to nothing, without a look at bodies, or with none at those that hold "
        + "your prompts.")]
    public required string Policy { get; init; }

    [Description("What to do with words that a WAF cannot look for, those of another script than the Latin one above all, "
        + "and with a policy that does not read the bodies they come in: refuse, or skip the step where another one blocks them.")]
    public UnfitSignature WhenUnfit { get; init; } = UnfitSignature.Refuse;

    [Description("What prompts are sent as: json, which the APIs of models take, or form. Custom rules of Front Door read forms only; "
        + "those of Application Gateway read JSON as well, with Microsoft_DefaultRuleSet or with OWASP from 3.2 on.")]
    public RequestBodies Body { get; init; } = RequestBodies.Json;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
    [
        .. BlockSignature.KindOf(Policy) is null
            ? [new($"is neither a {FrontDoorWafRules.ResourceType} nor a {ApplicationGatewayWafRules.ResourceType}.", [nameof(Policy)])]
            : Array.Empty<ValidationResult>(),
        .. Trial(),
    ];
}

public enum UnfitSignature { Refuse, Skip }

public enum RequestBodies { Json, Form }
