using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Monitor;

namespace Runbooks.Integrations.Azure.Prompts;

/// <summary>Which prompt is blocked, wherever that is.</summary>
public abstract record SignatureParameters
{
    // The longest item that a blocklist takes.
    [Required, MaxLength(1000)]
    [Description("The words that make the prompt recognisable. Taken literally, ignoring case; at least five different words that are not everyday ones; refused when ordinary requests hold them as well.")]
    public required string Signature { get; init; }

    [MaxLength(10_000)]
    [Description("Ordinary requests, one a line, kept with the runbook: a signature that is found in one of them is refused.")]
    public string? Ordinary { get; init; }

    [SampleFile, MaxLength(200)]
    [Description("A text file beside the runbook with more of them, such as samples/ordinary.txt: at most 500 lines. It is part of the runbook's version.")]
    public string? OrdinaryFrom { get; init; }

    [TextPattern("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$", "a GUID such as 11111111-2222-3333-4444-555555555555")]
    [Description("The Log Analytics workspace that holds recent requests; goes with 'recent'. Reading it takes the role Log Analytics Reader.")]
    public string? Workspace { get; init; }

    [QueryText, MaxLength(8000)]
    [Description("KQL that yields the bodies of the last hour's requests, one a row, in its first column of text. How many of them the signature would have blocked stands on the card.")]
    public string? Recent { get; init; }

    internal (PromptSignature? Signature, string? Refusal) Read(StepContext context)
    {
        var kept = OrdinaryFrom is null ? "" : context.Samples.GetValueOrDefault(OrdinaryFrom);
        return kept is null
            ? (null, $"This version of the runbook does not hold {OrdinaryFrom}.")
            : PromptSignature.Of(Signature, [.. OrdinaryText.Samples(Ordinary), .. OrdinaryText.Samples(kept)]);
    }

    protected IEnumerable<ValidationResult> Trial() => Workspace is null == Recent is null
        ? []
        : [new ValidationResult("goes with 'workspace': give both, or neither.", [nameof(Recent)])];
}

/// <summary>What a signature would have done to the requests of the last hour, for whoever decides.</summary>
internal sealed class SignatureTrial(LogsClient logs)
{
    /// <returns>A sentence that begins with a blank.</returns>
    public async Task<string> TryAsync(PromptSignature signature, SignatureParameters parameters, CancellationToken cancellationToken)
    {
        if (parameters is not { Workspace: { } workspace, Recent: { } query })
        {
            return " It was not tried on recent requests.";
        }

        IReadOnlyList<string>? requests;
        try
        {
            requests = (await logs.QueryAsync(workspace, query, TimeSpan.FromHours(1), cancellationToken)).Texts();
        }
        catch (Exception failure) when (failure is AzureRequestException or StepRefusedException)
        {
            return $" It could not be tried on recent requests: {failure.Message}";
        }

        return requests is null ? " It could not be tried on recent requests: the query has no column of text."
            : requests.Count == 0 ? " There were no recent requests to try it on."
            : string.Create(CultureInfo.InvariantCulture, $" It would have blocked {OrdinaryText.Blocked(signature.Pattern, requests):N0} of {requests.Count:N0} requests of the last hour.");
    }
}

/// <summary>What a step calls that which it adds: letters and digits, beginning with a letter, the same on every attempt and unique for the step of the incident.</summary>
internal static class StepName
{
    public static string Of(StepContext context) =>
        "Runbook" + string.Concat($"{context.IncidentId}{context.IdempotencyKey.Split(':') switch { [_, _, var step, ..] => step, _ => "" }}".Where(char.IsAsciiLetterOrDigit).Take(100));
}
