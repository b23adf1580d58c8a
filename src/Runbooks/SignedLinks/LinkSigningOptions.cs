using System.ComponentModel.DataAnnotations;

namespace Runbooks.SignedLinks;

/// <summary>The keys that sign approval links.</summary>
public sealed class LinkSigningOptions
{
    public const string SectionName = "LinkSigning";

    /// <summary>Shortest key that is accepted, in bytes: as long as the hash, RFC 2104 section 3.</summary>
    public const int MinKeyBytes = 32;

    /// <summary>The first key signs; every key verifies. To rotate, put the new key first and drop the old one when its links have expired.</summary>
    [MinLength(1)]
    public IList<LinkSigningKey> Keys { get; } = [];
}

public sealed class LinkSigningKey
{
    /// <summary>Goes into the link in the clear: letters and digits, at most 16.</summary>
    [Required, RegularExpression("^[A-Za-z0-9]{1,16}$")]
    public string Id { get; set; } = "";

    /// <summary>Base64, at least 32 bytes of randomness.</summary>
    [Required]
    public string Secret { get; set; } = "";
}
