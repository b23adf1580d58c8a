using System.Diagnostics.CodeAnalysis;
using Runbooks.Model.Definition;

namespace Runbooks.Notifications;

/// <summary>Who is behind each contact name, and who is who.</summary>
public sealed class ContactBook
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string Fallback = Approval.FallbackContact;

    private readonly Dictionary<string, Contact> _contacts;
    private readonly Dictionary<string, Recipient> _people = new(StringComparer.OrdinalIgnoreCase);
    private readonly IReadOnlyList<string> _everyoneOn = [];

    /// <param name="people">Everybody who is known, also those whom no contact names: they may be members of a room.</param>
    public ContactBook(IEnumerable<Contact> contacts, IEnumerable<Recipient>? people = null)
    {
        _contacts = contacts.ToDictionary(contact => contact.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var person in (people ?? []).Concat(_contacts.Values.SelectMany(contact => contact.Recipients)).Where(recipient => !recipient.IsRoom))
        {
            foreach (var name in person.Identities.Append(person.Name))
            {
                _people.TryAdd(name, person);
            }
        }
    }

    private ContactBook(IReadOnlyList<string> channels)
        : this(Enumerable.Empty<Contact>()) => _everyoneOn = channels;

    /// <summary>A book in which every name exists and is reached on each of these channels: practice and tests.</summary>
    public static ContactBook EveryoneOn(params IReadOnlyList<string> channels) => new(channels);

    /// <summary>Practice: whoever says a name is believed.</summary>
    public bool KnowsEveryone => _everyoneOn.Count > 0;

    public IReadOnlyCollection<string> Names => _contacts.Keys;

    public bool TryFind(string name, [NotNullWhen(true)] out Contact? contact)
    {
        contact = KnowsEveryone
            ? new Contact(name, [.. _everyoneOn.Select(channel => new Recipient(name, [new Address(channel, name, name)]))])
            : _contacts.GetValueOrDefault(name);
        return contact is not null;
    }

    /// <summary>Everybody behind these contacts. A name that nobody is behind counts as the fallback: silence is never success.</summary>
    public IEnumerable<Recipient> Behind(IEnumerable<string> contacts) =>
        contacts.SelectMany(name => TryFind(name, out var contact) || TryFind(Fallback, out contact) ? contact.Recipients : []);

    /// <param name="name">A person's name in the book, or an identity of theirs.</param>
    public Recipient? FindPerson(string name) => _people.GetValueOrDefault(name);

    public Recipient? FindRoom(string name) => _contacts.Values
        .SelectMany(contact => contact.Recipients)
        .FirstOrDefault(recipient => recipient.IsRoom && Same(recipient.Name, name));

    /// <summary>Whether this person is behind one of the contacts: by name, or as a member of a room.</summary>
    public bool Includes(IEnumerable<string> contacts, string person) =>
        KnowsEveryone || Behind(contacts).Any(recipient => Same(recipient.Name, person) || IsMember(recipient, person));

    public bool IsMember(Recipient room, string person) =>
        room.IsRoom && (room.Members.Count == 0 ? _people.ContainsKey(person) : room.Members.Contains(person, StringComparer.OrdinalIgnoreCase));

    /// <summary>The names among these that nobody is behind.</summary>
    public IReadOnlyList<string> Missing(IEnumerable<string> contacts) =>
        [.. contacts.Distinct(StringComparer.OrdinalIgnoreCase).Where(name => !TryFind(name, out _))];

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
