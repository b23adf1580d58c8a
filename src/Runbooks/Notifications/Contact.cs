namespace Runbooks.Notifications;

/// <summary>A name that runbooks use (<c>oncall</c>, <c>platform-lead</c>) and the people or rooms behind it.</summary>
public sealed record Contact(string Name, IReadOnlyList<Recipient> Recipients);

/// <summary>One person or room.</summary>
/// <param name="Name">Goes into the link, and so into the record of who decided.</param>
/// <param name="Addresses">Tried in this order until one takes the message.</param>
public sealed record Recipient(string Name, IReadOnlyList<Address> Addresses)
{
    /// <summary>Several people read it: what comes from its link proves none of them.</summary>
    public bool IsRoom { get; init; }

    /// <summary>Of a room: the people who may decide for it; everybody in the book when empty.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>Of a person: the names that outside systems prove, as <see cref="Identity"/> writes them.</summary>
    public IReadOnlyList<string> Identities { get; init; } = [];
}
