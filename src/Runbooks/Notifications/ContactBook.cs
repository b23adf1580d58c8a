namespace Runbooks.Notifications;

/// <summary>Who is behind each contact name, and who is who.</summary>
public sealed class ContactBook
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string Fallback = Approval.FallbackContact;

    private const string PersonPrefix = "person:";

    private readonly Dictionary<string, Contact> _contacts;
    private readonly Dictionary<string, Recipient> _people = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>By whose contacts, empty for those of all: how schedules may call people there. Null for what two people have.</summary>
    private readonly Dictionary<string, Dictionary<string, Recipient?>> _onCallNames = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>By whose contacts, empty for those of all: the names of the people who are known there.</summary>
    private readonly Dictionary<string, HashSet<string>> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly IReadOnlyList<string> _everyoneOn = [];

    /// <param name="people">Everybody who is known, also those whom no contact names: they may be members of a room.</param>
    /// <param name="teams">The people of each team's own file. Its contacts are named <c>team.contact</c>.</param>
    public ContactBook(IEnumerable<Contact> contacts, IEnumerable<Recipient>? people = null, IReadOnlyDictionary<string, IReadOnlyList<Recipient>>? teams = null)
    {
        _contacts = contacts.ToDictionary(contact => contact.Name, StringComparer.OrdinalIgnoreCase);
        List<Recipient> common = [.. people ?? [], .. teams is null ? _contacts.Values.SelectMany(contact => contact.Recipients).Where(recipient => !recipient.IsRoom) : []];
        foreach (var person in common.Concat(teams?.Values.SelectMany(own => own) ?? []))
        {
            foreach (var name in person.Identities.Append(person.Name))
            {
                _people.TryAdd(name, person);
            }
        }

        // A team's people are meant by its own schedules and by no others.
        foreach (var (team, known) in (teams ?? new Dictionary<string, IReadOnlyList<Recipient>>()).Select(own => (own.Key, common.Concat(own.Value))).Prepend(("", common)))
        {
            List<Recipient> all = [.. known.DistinctBy(person => person.Name, StringComparer.OrdinalIgnoreCase)];
            (_known[team], _onCallNames[team]) = (all.Select(person => person.Name).ToHashSet(StringComparer.OrdinalIgnoreCase), OnCallNames(all));
        }
    }

    /// <summary>What somebody is said to be called counts before a mail address, which several may share.</summary>
    private static Dictionary<string, Recipient?> OnCallNames(IReadOnlyList<Recipient> people)
    {
        var found = new Dictionary<string, Recipient?>(StringComparer.OrdinalIgnoreCase);
        foreach (var names in new Func<Recipient, IEnumerable<string>>[] { person => person.OnCallNames, person => [person.Name], person => person.MailAddresses })
        {
            foreach (var name in people.SelectMany(person => names(person).Distinct(StringComparer.OrdinalIgnoreCase), (person, name) => (person, name)).ToLookup(pair => pair.name, pair => pair.person, StringComparer.OrdinalIgnoreCase))
            {
                found.TryAdd(name.Key, name.Count() == 1 ? name.First() : null);
            }
        }

        return found;
    }

    private ContactBook(ContactBook other, IEnumerable<Contact> instead)
    {
        (_people, _known, _onCallNames, _everyoneOn, KnowsEveryone, Files) = (other._people, other._known, other._onCallNames, other._everyoneOn, other.KnowsEveryone, other.Files);
        _contacts = new(other._contacts, StringComparer.OrdinalIgnoreCase);
        foreach (var contact in instead)
        {
            _contacts[contact.Name] = contact;
        }
    }

    private ContactBook(IReadOnlyList<string> channels, bool believed)
        : this(Enumerable.Empty<Contact>()) => (_everyoneOn, KnowsEveryone) = (channels, believed);

    /// <summary>A book in which every name exists and is reached on each of these channels: practice and tests.</summary>
    public static ContactBook EveryoneOn(params IReadOnlyList<string> channels) => new(channels, believed: true);

    /// <summary>Where there are no contacts yet: messages to any name go to these channels, and nobody is known who may decide.</summary>
    public static ContactBook NobodyBut(params IReadOnlyList<string> channels) => new(channels, believed: false);

    /// <summary>What it was read from; null where nobody's contacts were.</summary>
    public ContactFiles? Files { get; init; }

    /// <summary>Practice: whoever says a name is believed.</summary>
    public bool KnowsEveryone { get; }

    public IReadOnlyCollection<string> Names => _contacts.Keys;

    /// <summary>What runbooks have to know of them.</summary>
    /// <param name="handOver">The channels that never tell whether a message arrived. One that took it is followed by no other.</param>
    public KnownContacts Known(IReadOnlyCollection<string> handOver) => new(Names)
    {
        Unheard = [.. _contacts.Values.Where(contact => contact is { Schedule: null, Recipients.Count: > 0 }
            && contact.Recipients.All(recipient => recipient.Addresses.Count > 0 && handOver.Contains(recipient.Addresses[0].Channel, StringComparer.OrdinalIgnoreCase))).Select(contact => contact.Name)],
        People = _contacts.Values.Where(contact => contact.Schedule is null && contact.Recipients.All(recipient => recipient.GroupId is null && recipient is not { IsRoom: true, Members.Count: 0 }))
            .ToDictionary(contact => contact.Name, IReadOnlyList<string> (contact) => [.. contact.Recipients.SelectMany(recipient => recipient.IsRoom ? recipient.Members : [recipient.Name])], StringComparer.OrdinalIgnoreCase),
    };

    public IReadOnlyList<string> Schedules => [.. _contacts.Values.Where(contact => contact.Schedule is not null).Select(contact => contact.Name)];

    /// <summary>A message to this contact goes to this person and nobody else; to nobody where they are gone.</summary>
    public static string Person(string name) => $"{PersonPrefix}{name}";

    /// <summary>The same book, with other people behind these contacts.</summary>
    public ContactBook With(IEnumerable<Contact> contacts) => new(this, contacts);

    public bool TryFind(string name, [NotNullWhen(true)] out Contact? contact)
    {
        contact = _everyoneOn.Count > 0
            ? new Contact(name, [.. _everyoneOn.Select(channel => new Recipient(name, [new Address(channel, name, name)]))])
            : name.StartsWith(PersonPrefix, StringComparison.Ordinal)
                ? new Contact(name, FindPerson(name[PersonPrefix.Length..]) is { } person ? [person] : [])
                : _contacts.GetValueOrDefault(name);
        return contact is not null;
    }

    /// <summary>Those among these contacts that are schedules.</summary>
    public IReadOnlyList<Contact> SchedulesAmong(IEnumerable<string> names)
    {
        List<string> all = [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];

        // A name that nobody is behind counts as the fallback.
        return [.. all.Select(name => _contacts.GetValueOrDefault(name) ?? (TryFind(name, out _) ? null : _contacts.GetValueOrDefault(FallbackOf(name))))
            .OfType<Contact>().Where(contact => contact.Schedule is not null).DistinctBy(contact => contact.Name)];
    }

    /// <summary>Whom it goes to where nobody is behind a contact: the fallback of its team, else that of all.</summary>
    public string FallbackOf(string contact) =>
        TeamOf(contact) is { Length: > 0 } team && Team.Qualified(team, Fallback) is var own && _contacts.ContainsKey(own) && !IsSameName(own, contact) ? own : Fallback;

    /// <summary>Whether one of these contacts may know this person: a team's people are known to its own contacts only.</summary>
    public bool Knows(Recipient person, IEnumerable<string> contacts) => contacts.Select(TeamOf).Append("").Any(team => _known[team].Contains(person.Name));

    /// <summary>Whoever a schedule means: the first key that one person has, and only one.</summary>
    /// <param name="contact">The contact that the schedule is.</param>
    public Recipient? FindOnCall(IEnumerable<string> keys, string contact) => keys.Select(key => _onCallNames[TeamOf(contact)].GetValueOrDefault(key.Trim())).FirstOrDefault(person => person is not null);

    /// <summary>Whether somebody whom a schedule means is known by a key that several people have.</summary>
    /// <inheritdoc cref="FindOnCall"/>
    public bool IsSeveral(IEnumerable<string> keys, string contact) => keys.Any(key => _onCallNames[TeamOf(contact)].TryGetValue(key.Trim(), out var person) && person is null);

    /// <summary>Whom a contact meant by this name: a person whom its own contacts know, or a room or group that comes after its schedule. Somebody of another team who is called so now is another.</summary>
    public Recipient? FindRecipient(string name, string contact) =>
        FindPerson(name) is { } person && Knows(person, [contact]) ? person
        : new[] { contact, FallbackOf(contact), Fallback }.SelectMany(behind => _contacts.GetValueOrDefault(behind) is { } one ? one.Recipients.Concat(one.Schedule?.Fallback ?? []) : [])
            .FirstOrDefault(recipient => recipient.IsRoom && IsSameName(recipient.Name, name));

    /// <summary>Everybody behind these contacts. A name that nobody is behind counts as the fallback: silence is never success.</summary>
    public IEnumerable<Recipient> RecipientsOf(IEnumerable<string> contacts) =>
        contacts.SelectMany(name => TryFind(name, out var contact) || TryFind(FallbackOf(name), out contact) || TryFind(Fallback, out contact) ? contact.Recipients : []);

    /// <param name="name">A person's name in the book, or an identity of theirs.</param>
    public Recipient? FindPerson(string name) => _people.GetValueOrDefault(name);

    /// <summary>Whoever in the book this is: by what signing in proves, never by a name.</summary>
    public Recipient? FindSignedIn(SignedInPerson person) => FindPerson(Identity.SignIn(person.Id));

    /// <summary>Whether a group that they are in is behind one of the contacts.</summary>
    public bool IncludesGroupOf(IEnumerable<string> contacts, SignedInPerson person) => RecipientsOf(contacts).Any(recipient => IsInGroup(recipient, person));

    public static bool IsInGroup(Recipient group, SignedInPerson person) => group.GroupId is { } id && person.Groups.Contains(id, StringComparer.OrdinalIgnoreCase);

    /// <summary>A room of this name that is behind one of the contacts.</summary>
    public Recipient? FindRoom(IEnumerable<string> contacts, string name) =>
        RecipientsOf(contacts).FirstOrDefault(recipient => recipient.IsRoom && IsSameName(recipient.Name, name));

    /// <summary>Whether this person is behind one of the contacts: by name, or as a member of a room.</summary>
    public bool Includes(IEnumerable<string> contacts, string person) =>
        KnowsEveryone || RecipientsOf(contacts).Any(recipient =>
            (recipient is { IsRoom: false, IsStranger: false } && IsSameName(recipient.Name, person)) || IsMember(recipient, person));

    public bool IsMember(Recipient room, string person) =>
        room is { IsRoom: true, GroupId: null } && (room.Members.Count == 0 ? _people.ContainsKey(person) : room.Members.Contains(person, StringComparer.OrdinalIgnoreCase));

    /// <summary>The names among these that nobody is behind.</summary>
    public IReadOnlyList<string> Missing(IEnumerable<string> contacts) =>
        [.. contacts.Distinct(StringComparer.OrdinalIgnoreCase).Where(name => !TryFind(name, out _))];

    /// <summary>Empty for a contact of all.</summary>
    private string TeamOf(string contact) => contact.Split('.', 2) is [var team, _] && _known.ContainsKey(team) ? team : "";

    /// <summary>Names of contacts, people and rooms are written as one likes.</summary>
    internal static bool IsSameName(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A name that runbooks use (<c>oncall</c>, <c>platform-lead</c>) and the people or rooms behind it.</summary>
public sealed record Contact(string Name, IReadOnlyList<Recipient> Recipients)
{
    /// <summary>Null where it is always the same people. Of a schedule nobody is behind the contact until <see cref="OnCallDirectory"/> was asked.</summary>
    public OnCallSchedule? Schedule { get; init; }
}

/// <summary>One person or room.</summary>
/// <param name="Name">Goes into the link, and so into the record of who decided.</param>
/// <param name="Addresses">Tried in this order until one takes the message.</param>
public sealed record Recipient(string Name, IReadOnlyList<Address> Addresses)
{
    /// <summary>Several people read it: what comes from its link proves none of them.</summary>
    public bool IsRoom { get; init; }

    /// <summary>Of a room: the people who may decide for it; everybody in the book when empty.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>Of an Entra group: its object id. Who is in it is proven by signing in and by nothing else.</summary>
    public string? GroupId { get; init; }

    /// <summary>Of a person: the names that outside systems prove, as <see cref="Identity"/> writes them.</summary>
    public IReadOnlyList<string> Identities { get; init; } = [];

    /// <summary>Of a person: whether it shows when they sign in that it is they.</summary>
    public bool HasObjectId => Identities.Any(Identity.IsObjectId);

    /// <summary>Of a person: what schedules call them.</summary>
    public IReadOnlyList<string> OnCallNames { get; init; } = [];

    /// <summary>Of a person: the mail addresses that the file gives, by which a schedule may mean them.</summary>
    public IReadOnlyList<string> MailAddresses { get; init; } = [];

    /// <summary>Somebody whom a schedule names and the file does not: told, and never asked.</summary>
    public bool IsStranger { get; init; }

    /// <summary>What a stranger is told about why they hear of it.</summary>
    public string? Why { get; init; }
}

/// <summary>The contacts that are in force. Whoever asks takes the book of that moment; a new one replaces it all at once.</summary>
public sealed class CurrentContacts(ContactBook book)
{
    private volatile ContactBook _book = book;

    public ContactBook Book => _book;

    public void Replace(ContactBook book) => _book = book;
}

/// <summary>How one person is called by the systems that can prove who somebody is.</summary>
public static class Identity
{
    /// <param name="userId">Slack's own id of the user, <c>U012AB3CD</c>; display names can be changed by anybody.</param>
    public static string Slack(string userId) => $"slack:{userId}";

    /// <summary>Capital letters and digits. A short text without a digit is a name; a long one may be an id all the same.</summary>
    /// <param name="kinds">The letters that it may begin with: <c>U</c> and <c>W</c> for users.</param>
    public static bool IsSlackId(string text, string kinds) =>
        text.Length is >= 2 and <= 40 && kinds.Contains(text[0], StringComparison.Ordinal) && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter))
        && (text.Length >= 9 || text.Any(char.IsAsciiDigit));

    public static bool IsSlack(string identity) => identity.StartsWith(Slack(""), StringComparison.Ordinal);

    /// <param name="name"><c>tenant/object</c>, which a sign-in proves; or a user name, by which a key's holder may name somebody and which proves nothing.</param>
    public static string SignIn(string name) => $"signIn:{name}";

    /// <summary>Whether it is <c>tenant/object</c>.</summary>
    public static bool IsObjectId(string identity) => identity.Split(':', '/') is ["signIn", var tenant, _] && Guid.TryParse(tenant, out _);
}

/// <summary>Somebody whom a platform has signed in.</summary>
/// <param name="Id">Tenant and object id, as <c>tenant/object</c>: all that a sign-in proves. Names and mail addresses can be changed and given to others.</param>
/// <param name="Name">As people are shown it: the contacts' name where they know the id, else what the platform says, with the object id behind it.</param>
public sealed record SignedInPerson(string Id, string Name)
{
    /// <summary>Object ids of the groups that the platform says they are in.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}
