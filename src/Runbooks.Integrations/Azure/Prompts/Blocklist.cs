namespace Runbooks.Integrations.Azure.Prompts;

public sealed record BlocklistParameters : SignatureParameters, IValidatableObject
{
    [Required, ArmResourceId("Microsoft.CognitiveServices/accounts")]
    [Description("The Azure OpenAI account.")]
    public required string Account { get; init; }

    [Required, TextPattern("^[0-9A-Za-z._~-]{1,64}$", "a name of at most 64 letters, digits and . _ ~ -")]
    [Description("The blocklist in it (raiBlocklists) that takes the prompt. "
        + "It is looked through whenever an item is looked for, so keep one for incidents alone. "
        + "A lock on the account or above it (CanNotDelete) lets items be added, and none be removed when the lease ends.")]
    public required string List { get; init; }

    [Required, PlainName(64)]
    [Description("The deployment that is protected: its content filter has to block prompts by this list.")]
    public required string Deployment { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext) => Trial();
}

/// <summary>
/// Blocks a prompt in the content filter of Azure OpenAI while the lease lasts: in any script, and however the request came.
/// An item of the list is a resource of its own, named after the step of the incident, so nobody else's is overwritten.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/ai-services/openai/how-to/use-blocklists"/>
/// <seealso href="https://learn.microsoft.com/azure/templates/microsoft.cognitiveservices/2025-09-01/accounts/raiblocklists/raiblocklistitems"/>
internal sealed class Blocklist(ArmResources arm, SignatureTrial trial)
    : RunbookAction<BlocklistParameters>(
        "contentSafety.blocklist", "Adds a prompt's signature to a blocklist of Azure OpenAI, so that the content filter turns it away.")
{
    /// <summary>A list takes 10,000 items, and Azure does not say how many it puts on a page.</summary>
    private const int MostPages = 200;

    public override string Role => "Cognitive Services Contributor";

    public override bool Reversible => true;

    // The author of the prompt chose the words, perhaps to lock others out, so silence must not count as a yes.
    public override bool AlwaysAsks(JsonElement with) => true;

    public override IReadOnlyList<StepOutput> Outputs =>
    [
        new("item", "The name of the blocklist's item.", "Runbook1"),
        new("signatureHash", "The hash that stands for the signature.", "5f2b8c7d"),
    ];

    protected override async Task<Preparation> PrepareAsync(
        BlocklistParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (signature, refusal) = parameters.Read(context);
        var list = Target($"{parameters.Account}/raiBlocklists/{parameters.List}");
        var item = ItemOf(parameters, context);
        var tried = signature is null ? "" : await trial.TryAsync(signature.TextPattern, parameters, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Turn prompts away that hold the signature {signature?.ToString() ?? "that the alert gave"}, "
                + $"by the {list.DisplayName}.{tried}",
            // The item belongs to this step of this incident, so it is the same one on every attempt.
            Identity = $"{item.Name}: {signature?.Hash}",
            Undo = "Remove the item again.",
            UndoState = JsonSerializer.SerializeToElement(
                new Added(item.Id, signature is null ? null : PromptSignature.HashOf(signature.Text))),
            Refusal = refusal ?? await UselessAsync(parameters, list, cancellationToken),
        };
    }

    protected override Task<string?> CheckPermissionsAsync(
        BlocklistParameters parameters, StepContext context, CancellationToken cancellationToken) =>
        arm.CheckPermissionsAsync(
            Target($"{parameters.Account}/raiBlocklists/{parameters.List}"),
            "Microsoft.CognitiveServices/accounts/raiBlocklists/raiBlocklistItems/write",
            cancellationToken);

    protected override async Task<ActionResult> ApplyAsync(
        BlocklistParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var signature = parameters.Read(context).Signature ?? throw new StepRefusedException("The signature cannot be blocked.");
        var item = ItemOf(parameters, context);
        var outputs = new Dictionary<string, string> { ["item"] = item.Name, ["signatureHash"] = signature.Hash };
        if (await FindAsync(item, cancellationToken) is { } known)
        {
            return Holds(known, signature)
                ? context.FoundSo($"{item.DisplayName} was there") with { Outputs = outputs }
                : throw new StepRefusedException($"{item.DisplayName} is there, and it does not block the signature: "
                    + "somebody changed it. Nothing was overwritten.") { NothingDone = true };
        }

        var body = new JsonObject { ["properties"] = new JsonObject { ["pattern"] = signature.Text, ["isRegex"] = false } };
        var isSeen = await arm.WriteAsync(
            arm.Call(item, RequestMethod.Put, "add it", body),
            async () => await FindAsync(item, cancellationToken) is { } written && Holds(written, signature),
            context,
            cancellationToken);
        if (!isSeen)
        {
            throw new AzureRequestException($"{item.DisplayName} was changed by somebody else at the same moment: "
                + "it does not hold what was written. Look at it.");
        }

        return new ActionResult($"The blocklist {parameters.List} holds the signature {signature}, as the item {item.Name}. "
            + "The filter takes it up within about five minutes.") { Outputs = outputs };
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var added = undoState.Deserialize<Added>()!;
        var item = Target(added.Item);
        if (await FindAsync(item, cancellationToken) is not { } found)
        {
            return new ActionResult($"{item.DisplayName} is not there any more.");
        }

        if (added.Text is not null && (IsRegex(found) || PromptSignature.HashOf(found.Text("pattern") ?? "") != added.Text))
        {
            throw new ChangedSinceException($"Somebody has changed {item.DisplayName} since, so it was left alone. "
                + "Remove it by hand when it is needed no longer.");
        }

        var isGone = await arm.WriteAsync(
            arm.Call(item, RequestMethod.Delete, "remove it") with { Understood = [404] },
            async () => await FindAsync(item, cancellationToken) is null,
            context,
            cancellationToken);
        return isGone
            ? new ActionResult($"Removed {item.DisplayName}.")
            : throw new AzureRequestException($"{item.DisplayName} is still there after it was removed.");
    }

    /// <summary>Looks through the list, because Azure answers a GET of one item with 400, whether it is there or not.</summary>
    /// <seealso href="https://github.com/Azure/azure-rest-api-specs/issues/31986"/>
    private async Task<ArmDocument?> FindAsync(ArmTarget item, CancellationToken cancellationToken)
    {
        const string Items = "/raiBlocklistItems";
        var list = item with { Id = item.Id[..item.Id.LastIndexOf(Items, StringComparison.Ordinal)] };

        // A list that somebody removed took its items with it.
        return await arm.FindAsync(list, cancellationToken) is not null
            && (await arm.ListAsync(list, cancellationToken, Items, MostPages)).FirstOrDefault(one => Is(one["name"], item.Name)) is { } found
            ? new ArmDocument(found, ETag: null)
            : null;
    }

    /// <summary>A list that no filter uses would block nothing, and everybody would believe that it does.</summary>
    private async Task<string?> UselessAsync(BlocklistParameters parameters, ArmTarget list, CancellationToken cancellationToken)
    {
        try
        {
            await arm.GetAsync(list, cancellationToken);
            var deployment = await arm.GetAsync(Target($"{parameters.Account}/deployments/{parameters.Deployment}"), cancellationToken);
            var filter = Target($"{parameters.Account}/raiPolicies/{deployment.Text("raiPolicyName") ?? "Microsoft.Default"}");
            var lists = (await arm.GetAsync(filter, cancellationToken)).Properties["customBlocklists"] as JsonArray ?? [];
            var isUsed = lists.OfType<JsonObject>().Any(entry =>
                Is(entry["blocklistName"], parameters.List) && Is(entry["source"], "Prompt") && JsonAnswer.Flag(entry["blocking"]) == true);
            return isUsed
                ? null
                : $"The {filter.DisplayName} of deployment {parameters.Deployment} does not block prompts by the {list.DisplayName}, "
                    + "so nothing would be turned away. Add the list to the filter's blocklists for prompts.";
        }
        catch (StepRefusedException missing)
        {
            return missing.Message;
        }
    }

    private static bool Holds(ArmDocument item, PromptSignature signature) =>
        Is(item.Properties["pattern"], signature.Text, StringComparison.Ordinal) && !IsRegex(item);

    private static bool IsRegex(ArmDocument item) => JsonAnswer.Flag(item.Properties["isRegex"]) == true;

    private static bool Is(JsonNode? value, string word, StringComparison how = StringComparison.OrdinalIgnoreCase) =>
        JsonAnswer.Text(value)?.Equals(word, how) == true;

    private ArmTarget ItemOf(BlocklistParameters parameters, StepContext context) =>
        Target($"{parameters.Account}/raiBlocklists/{parameters.List}/raiBlocklistItems/{StepName.Of(context)}");

    private ArmTarget Target(string id) => new(id, "2025-09-01", Role);

    /// <param name="Text">The hash of what the item blocks; null where no item could be made, and in older records.</param>
    private sealed record Added(string Item, string? Text = null);
}
