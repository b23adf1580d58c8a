using System.ComponentModel.DataAnnotations;

namespace Runbooks.SignedLinks;

/// <summary>Where people reach the pages that messages link to.</summary>
public sealed class PublicAddressOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>The address of this system as people's browsers see it, without a trailing slash: <c>https://runbooks.example.com</c>.</summary>
    [Required, Url]
    public string PublicUrl { get; set; } = "http://localhost:7071";
}
