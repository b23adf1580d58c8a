using System.Diagnostics.CodeAnalysis;

namespace Runbooks.Messages;

/// <summary>Who is behind each contact name.</summary>
public sealed class ContactBook
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string Fallback = "fallback";

    private readonly IReadOnlyDictionary<string, Contact> _contacts;
    private readonly IReadOnlyList<string> _everyoneOn = [];

    public ContactBook(IEnumerable<Contact> contacts) =>
        _contacts = contacts.ToDictionary(contact => contact.Name, StringComparer.OrdinalIgnoreCase);

    private ContactBook(IReadOnlyList<string> channels)
        : this(Enumerable.Empty<Contact>()) => _everyoneOn = channels;

    /// <summary>A book in which every name exists and is reached on each of these channels: practice and tests.</summary>
    public static ContactBook EveryoneOn(params IReadOnlyList<string> channels) => new(channels);

    public bool TryFind(string name, [NotNullWhen(true)] out Contact? contact)
    {
        contact = _everyoneOn.Count > 0
            ? new Contact(name, [.. _everyoneOn.Select(channel => new Recipient(name, [new Address(channel, name, name)]))])
            : _contacts.GetValueOrDefault(name);
        return contact is not null;
    }
}
