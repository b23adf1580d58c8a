using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Azure.Waf;

public sealed record BlockSignatureParameters : IValidatableObject
{
    [Required, ArmResourceId]
    [Description("The WAF policy, of Front Door or of Application Gateway.")]
    public required string Policy { get; init; }

    [Required, MaxLength(1000)]
    [Description("The words that make the prompt recognisable. Taken literally, ignoring case and what stands between the words; refused when ordinary sentences hold them as well.")]
    public required string Signature { get; init; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (BlockSignature.KindOf(Policy) is null)
        {
            yield return new ValidationResult($"is neither a {FrontDoorWafRules.ResourceType} nor a {ApplicationGatewayWafRules.ResourceType}.", [nameof(Policy)]);
        }
    }
}
