using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Core;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Waf;

/// <summary>Blocks a prompt at the edge while the lease lasts.</summary>
internal sealed class BlockSignature(ArmResources arm, ResourceLease lease, LogsClient logs)
    : RunbookAction<BlockSignatureParameters>("waf.blockSignature", "Adds a rule to a WAF policy that blocks requests whose body holds a prompt's signature.")
{
    public override string Role => "Network Contributor";

    public override bool Reversible => true;

    // Whoever wrote the prompt chose the words: silence is no yes to what an attacker may have picked to lock others out.
    public override bool AlwaysAsks => true;

    public static WafRules? KindOf(string policy) => policy.Split('/') is [.., var provider, var type, _]
        ? $"{provider}/{type}" switch
        {
            var known when known.Equals(FrontDoorWafRules.ResourceType, StringComparison.OrdinalIgnoreCase) => new FrontDoorWafRules(),
            var known when known.Equals(ApplicationGatewayWafRules.ResourceType, StringComparison.OrdinalIgnoreCase) => new ApplicationGatewayWafRules(),
            _ => null,
        }
        : null;

    protected override async Task<Preparation> PrepareAsync(BlockSignatureParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var (signature, refusal) = PromptSignature.Of(parameters.Signature, OrdinaryText.Samples(parameters.Ordinary));
        var kind = KindOf(parameters.Policy)!;
        var target = Target(parameters.Policy, kind);
        var rules = kind.In((await arm.GetAsync(target, cancellationToken)).Json);
        var name = NameOf(context);
        var tried = signature is null ? "" : await TriedAsync(parameters, signature, cancellationToken);
        return new Preparation
        {
            PlannedEffect = $"Block requests whose body holds the signature {signature?.ToString() ?? "that the alert gave"} in {target.Words}.{tried}",
            // The rule belongs to this step of this incident, so it is the same one on every attempt.
            Identity = $"{name}: {signature?.Hash}",
            Undo = "Remove the rule again.",
            UndoState = JsonSerializer.SerializeToElement(new Added(parameters.Policy, name)),
            Refusal = refusal ?? (rules.Count >= WafRules.MaxRules && WafRules.Find(rules, name) is null
                ? $"{target.Words} has {rules.Count} rules already, and no more than {WafRules.MaxRules} fit."
                : null),
        };
    }

    /// <summary>What it would have done to the requests of the last hour, for whoever decides.</summary>
    private async Task<string> TriedAsync(BlockSignatureParameters parameters, PromptSignature signature, CancellationToken cancellationToken)
    {
        if (parameters is not { Workspace: { } workspace, Recent: { } query })
        {
            return " It was not tried on recent requests.";
        }

        IReadOnlyList<string> requests;
        try
        {
            var rows = await logs.QueryAsync(workspace, query, TimeSpan.FromHours(1), cancellationToken);
            requests = [.. rows.Select(row => row.Select(cell => cell.Value).OfType<JsonValue>().FirstOrDefault(value => value.GetValueKind() == JsonValueKind.String)?.GetValue<string>()).OfType<string>()];
        }
        catch (Exception failure) when (failure is AzureRequestException or StepRefusedException)
        {
            return $" It could not be tried on recent requests: {failure.Message}";
        }

        return requests.Count == 0
            ? " There were no recent requests to try it on."
            : string.Create(CultureInfo.InvariantCulture, $" It would have blocked {OrdinaryText.Blocked(signature.Pattern, requests):N0} of {requests.Count:N0} requests of the last hour.");
    }

    protected override Task<string?> CheckPermissionsAsync(BlockSignatureParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var kind = KindOf(parameters.Policy)!;
        return arm.CheckPermissionsAsync(Target(parameters.Policy, kind), $"{kind.Type}/write", cancellationToken);
    }

    protected override async Task<ActionResult> ApplyAsync(
        BlockSignatureParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var signature = PromptSignature.Of(parameters.Signature, OrdinaryText.Samples(parameters.Ordinary)).Signature ?? throw new StepRefusedException("The signature cannot be blocked.");
        var (kind, name) = (KindOf(parameters.Policy)!, NameOf(context));
        var target = Target(parameters.Policy, kind);
        var changed = await ChangeAsync(target, kind, $"add the rule {name} to it", context, rules =>
        {
            if (WafRules.Find(rules, name) is { } known)
            {
                return WafRules.IsBlocking(known, signature)
                    ? false
                    : throw new StepRefusedException($"{target.Words} has the rule {name}, and it does not block the signature: somebody changed it. Nothing was overwritten.");
            }

            if (rules.Count >= WafRules.MaxRules)
            {
                throw new StepRefusedException($"{target.Words} is full: it has {rules.Count} rules.");
            }

            rules.Add(kind.Block(name, WafRules.FreePriority(rules), signature));
            return true;
        }, rules => WafRules.Find(rules, name) is { } added && WafRules.IsBlocking(added, signature), cancellationToken);
        return new ActionResult(changed
            ? $"{target.Words} blocks the signature {signature}, by the rule {name}."
            : $"{target.Words} had the rule {name} already.") { Outputs = new Dictionary<string, string> { ["rule"] = name, ["signatureHash"] = signature.Hash } };
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var added = undoState.Deserialize<Added>()!;
        var kind = KindOf(added.Policy)!;
        var target = Target(added.Policy, kind);
        var changed = await ChangeAsync(target, kind, $"remove the rule {added.Rule} from it", context,
            rules => WafRules.Find(rules, added.Rule) is { } rule && rules.Remove(rule), rules => WafRules.Find(rules, added.Rule) is null, cancellationToken);
        return new ActionResult(changed ? $"Removed the rule {added.Rule} from {target.Words}." : $"{target.Words} has no rule {added.Rule}.");
    }

    /// <summary>
    /// The API knows no precondition: a policy is written whole, and the last writer wins. So one of us writes at a time, it is
    /// read again just before, and after it to see that everything is there: done means seen.
    /// </summary>
    /// <param name="change">Changes the rules, or returns false when nothing has to be.</param>
    /// <param name="isSeen">Whether the rules, as they are read afterwards, show the change.</param>
    private Task<bool> ChangeAsync(
        ArmTarget target, WafRules kind, string what, StepContext context, Func<JsonArray, bool> change, Func<JsonArray, bool> isSeen, CancellationToken cancellationToken) =>
        lease.HoldAsync(target.Id, target.Words, context, () => ChangeAloneAsync(target, kind, what, context.Time, change, isSeen, cancellationToken), cancellationToken);

    private async Task<bool> ChangeAloneAsync(
        ArmTarget target, WafRules kind, string what, TimeProvider time, Func<JsonArray, bool> change, Func<JsonArray, bool> isSeen, CancellationToken cancellationToken)
    {
        var policy = (await arm.GetAsync(target, cancellationToken)).Json;
        var before = kind.ToWrite(policy).ToJsonString();
        if (!change(kind.In(policy)))
        {
            return false;
        }

        var wanted = kind.ToWrite(policy);
        if (kind.ToWrite((await arm.GetAsync(target, cancellationToken)).Json).ToJsonString() != before)
        {
            throw new AzureRequestException($"{target.Words} is being changed by somebody else at this moment. Nothing was written.");
        }

        await arm.SendAsync(arm.Call(target, RequestMethod.Put, what, wanted), time, cancellationToken);
        var written = kind.In((await arm.GetAsync(target, cancellationToken)).Json);
        return isSeen(written) && Names(written).SetEquals(Names(kind.In(wanted)))
            ? true
            : throw new AzureRequestException($"{target.Words} was changed by somebody else at the same moment: its rules are not the ones that were written. Look at them.");
    }

    private static HashSet<string?> Names(JsonArray rules) => [.. rules.Select(rule => (string?)rule?["name"])];

    private static ArmTarget Target(string policy, WafRules kind) => new(policy, kind.ApiVersion, kind.Role);

    // Letters and digits, beginning with a letter, unique for the step of the incident.
    private static string NameOf(StepContext context) =>
        "Runbook" + string.Concat($"{context.IncidentId}{context.IdempotencyKey.Split(':') switch { [_, _, var step, ..] => step, _ => "" }}".Where(char.IsAsciiLetterOrDigit).Take(100));

    private sealed record Added(string Policy, string Rule);
}

public sealed record BlockSignatureParameters : IValidatableObject
{
    [Required, ArmResourceId]
    [Description("The WAF policy, of Front Door or of Application Gateway.")]
    public required string Policy { get; init; }

    [Required, MaxLength(1000)]
    [Description("The words that make the prompt recognisable. Taken literally, ignoring case and what stands between the words; at least five words in a row that are not everyday ones; refused when ordinary requests hold them as well.")]
    public required string Signature { get; init; }

    [MaxLength(10_000)]
    [Description("Ordinary requests, one a line, kept with the runbook: a signature that is found in one of them is refused.")]
    public string? Ordinary { get; init; }

    [RegularExpression("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    [Description("The Log Analytics workspace that holds recent requests; goes with 'recent'. Reading it takes the role Log Analytics Reader.")]
    public string? Workspace { get; init; }

    [QueryText, MaxLength(8000)]
    [Description("KQL that yields the bodies of the last hour's requests, one a row, in its first column of text. How many of them the signature would have blocked stands on the card.")]
    public string? Recent { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (BlockSignature.KindOf(Policy) is null)
        {
            yield return new ValidationResult($"is neither a {FrontDoorWafRules.ResourceType} nor a {ApplicationGatewayWafRules.ResourceType}.", [nameof(Policy)]);
        }

        if (Workspace is null != Recent is null)
        {
            yield return new ValidationResult("goes with 'workspace': give both, or neither.", [nameof(Recent)]);
        }
    }
}
