namespace Runbooks.Messages;

/// <summary>A name that runbooks use (<c>oncall</c>, <c>platform-lead</c>) and the people or rooms behind it.</summary>
public sealed record Contact(string Name, IReadOnlyList<Recipient> Recipients);

/// <summary>One person or room.</summary>
/// <param name="Name">Goes into the link, and so into the record of who decided.</param>
/// <param name="Addresses">Tried in this order until one takes the message.</param>
public sealed record Recipient(string Name, IReadOnlyList<Address> Addresses);
