using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Parameters;

namespace Runbooks.Integrations.Azure.Banner;

/// <summary>Section <c>Banner</c>.</summary>
public sealed class BannerOptions : IValidatableObject
{
    public const string SectionName = "Banner";

    /// <summary>The blob container from which static web pages read the banner: <c>https://{account}.blob.core.windows.net/{container}</c>. No blob is written when null.</summary>
    public string? Container { get; set; }

    /// <summary>The blob of steps that name none.</summary>
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    public string Blob { get; set; } = "banner.json";

    /// <summary>For development: of the container's account, in place of the app's identity.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Container is not null
            && (!Uri.TryCreate(Container, UriKind.Absolute, out var url) || url.Query.Length > 0 || !IsSafe(url)))
        {
            yield return new ValidationResult($"{SectionName}:Container must be the https URL of a blob container, without a signature: https://{{account}}.blob.core.windows.net/banner.");
        }
    }

    // An identity's token goes over TLS only; a key signs each request and stays here.
    private bool IsSafe(Uri url) => url.Scheme == "https" || (ConnectionString is not null && url is { Scheme: "http", IsLoopback: true });
}
