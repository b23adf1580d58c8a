namespace Runbooks.Notifications;

public sealed class ContactBook
{
    /// <summary>The contact that hears of everything that reached nobody else.</summary>
    public const string Fallback = Approval.FallbackContact;

    private const string PersonPrefix = "person:";

    private readonly Dictionary<string, Contact> _contacts;
    private readonly Dictionary<string, Recipient> _people = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How schedules call people, by the team of the contacts; "" is the common file. Null where two people have the same name.</summary>
    private readonly Dictionary<string, Dictionary<string, Recipient?>> _onCallNames = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names of the people whom a team's contacts may know; "" is the common file.</summary>
    private readonly Dictionary<string, HashSet<string>> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly IReadOnlyList<string> _everyoneOn = [];

    /// <param name="people">Also those whom no contact names: they may be members of a room.</param>
    /// <param name="teams">The people of each team's own file. Its contacts are named <c>team.contact</c>.</param>
    public ContactBook(IEnumerable<Contact> contacts, IEnumerable<Recipient>? people = null, IReadOnlyDictionary<string, IReadOnlyList<Recipient>>? teams = null)
    {
        _contacts = contacts.ToDictionary(contact => contact.Name, StringComparer.OrdinalIgnoreCase);
        var named = teams is null ? _contacts.Values.SelectMany(contact => contact.Recipients).Where(recipient => !recipient.IsRoom) : [];
        List<Recipient> common = [.. people ?? [], .. named];
        foreach (var person in common.Concat(teams?.Values.SelectMany(own => own) ?? []))
        {
            foreach (var name in person.Identities.Append(person.Name))
            {
                _people.TryAdd(name, person);
            }
        }

        AddNames("", common);
        foreach (var (team, own) in teams ?? new Dictionary<string, IReadOnlyList<Recipient>>())
        {
            AddNames(team, common.Concat(own));
        }
    }

    /// <summary>A team's own schedules mean its people; other schedules do not.</summary>
    private void AddNames(string team, IEnumerable<Recipient> people)
    {
        List<Recipient> known = [.. people.DistinctBy(person => person.Name, StringComparer.OrdinalIgnoreCase)];
        _known[team] = known.Select(person => person.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        _onCallNames[team] = OnCallNames(known);
    }

    /// <summary>A name from 'onCallAs' counts before a mail address, which several people may share.</summary>
    private static Dictionary<string, Recipient?> OnCallNames(IReadOnlyList<Recipient> people)
    {
        var named = new Dictionary<string, Recipient?>(StringComparer.OrdinalIgnoreCase);
        Func<Recipient, IEnumerable<string>>[] surestFirst = [person => person.OnCallNames, person => [person.Name], person => person.MailAddresses];
        foreach (var namesOf in surestFirst)
        {
            var peopleByName = people
                .SelectMany(person => namesOf(person).Distinct(StringComparer.OrdinalIgnoreCase), (person, name) => (person, name))
                .ToLookup(pair => pair.name, pair => pair.person, StringComparer.OrdinalIgnoreCase);
            foreach (var same in peopleByName)
            {
                named.TryAdd(same.Key, same.Count() == 1 ? same.First() : null);
            }
        }

        return named;
    }

    private ContactBook(ContactBook other, IEnumerable<Contact> instead)
    {
        (_people, _known, _onCallNames, _everyoneOn, KnowsEveryone, Files) =
            (other._people, other._known, other._onCallNames, other._everyoneOn, other.KnowsEveryone, other.Files);
        _contacts = new(other._contacts, StringComparer.OrdinalIgnoreCase);
        foreach (var contact in instead)
        {
            _contacts[contact.Name] = contact;
        }
    }

    private ContactBook(IReadOnlyList<string> channels, bool believed)
        : this(Enumerable.Empty<Contact>()) => (_everyoneOn, KnowsEveryone) = (channels, believed);

    /// <summary>Every name exists and is reached on each of these channels. For practice, development and tests.</summary>
    public static ContactBook EveryoneOn(params IReadOnlyList<string> channels) => new(channels, believed: true);

    /// <summary>For a host without contacts: messages to any name go to these channels, and nobody may decide.</summary>
    public static ContactBook NobodyBut(params IReadOnlyList<string> channels) => new(channels, believed: false);

    public ContactFiles? Files { get; init; }

    /// <summary>Any name that somebody gives is believed. For practice, development and tests.</summary>
    public bool KnowsEveryone { get; }

    public IReadOnlyCollection<string> Names => _contacts.Keys;

    /// <param name="handOver">The channels that never say whether a message arrived. After one of them took it, no other is tried.</param>
    public KnownContacts Known(IReadOnlyCollection<string> handOver) => new(Names)
    {
        Unheard = [.. _contacts.Values.Where(contact => IsOnlyHandedOver(contact, handOver)).Select(contact => contact.Name)],
        People = _contacts.Values.Where(IsOfKnownPeople).ToDictionary(contact => contact.Name, PeopleBehind, StringComparer.OrdinalIgnoreCase),
    };

    private static bool IsOnlyHandedOver(Contact contact, IReadOnlyCollection<string> handOver) =>
        contact is { Schedule: null, Recipients.Count: > 0 }
        && contact.Recipients.All(recipient =>
            recipient.Addresses.Count > 0 && handOver.Contains(recipient.Addresses[0].Channel, StringComparer.OrdinalIgnoreCase));

    private static bool IsOfKnownPeople(Contact contact) =>
        contact.Schedule is null
        && contact.Recipients.All(recipient => recipient.GroupId is null && recipient is not { IsRoom: true, Members.Count: 0 });

    private static IReadOnlyList<string> PeopleBehind(Contact contact) =>
        [.. contact.Recipients.SelectMany(recipient => recipient.IsRoom ? recipient.Members : [recipient.Name])];

    public IReadOnlyList<string> Schedules => [.. _contacts.Values.Where(contact => contact.Schedule is not null).Select(contact => contact.Name)];

    /// <summary>A contact that is this one person, or nobody once the person is no longer in the book.</summary>
    public static string Person(string name) => $"{PersonPrefix}{name}";

    public ContactBook With(IEnumerable<Contact> contacts) => new(this, contacts);

    public bool TryFind(string name, [NotNullWhen(true)] out Contact? contact)
    {
        contact = FindContact(name);
        return contact is not null;
    }

    private Contact? FindContact(string name)
    {
        if (_everyoneOn.Count > 0)
        {
            return new Contact(name, [.. _everyoneOn.Select(channel => new Recipient(name, [new Address(channel, name, name)]))]);
        }

        if (name.StartsWith(PersonPrefix, StringComparison.Ordinal))
        {
            return new Contact(name, FindPerson(name[PersonPrefix.Length..]) is { } person ? [person] : []);
        }

        return _contacts.GetValueOrDefault(name);
    }

    /// <summary>A name that nobody is behind counts as its fallback.</summary>
    public IReadOnlyList<Contact> SchedulesAmong(IEnumerable<string> names)
    {
        return [.. names
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .Select(name => _contacts.GetValueOrDefault(name) ?? (TryFind(name, out _) ? null : _contacts.GetValueOrDefault(FallbackOf(name))))
            .OfType<Contact>()
            .Where(contact => contact.Schedule is not null)
            .DistinctBy(contact => contact.Name)];
    }

    /// <summary>Who gets a message to a contact that nobody is behind: the fallback of its team, else the common one.</summary>
    public string FallbackOf(string contact)
    {
        var team = TeamOf(contact);
        var own = Team.Qualified(team, Fallback);
        return team.Length > 0 && _contacts.ContainsKey(own) && !IsSameName(own, contact) ? own : Fallback;
    }

    /// <summary>A team's people are known to its own contacts only.</summary>
    public bool Knows(Recipient person, IEnumerable<string> contacts) => contacts.Select(TeamOf).Append("").Any(team => _known[team].Contains(person.Name));

    /// <summary>The person whom a schedule means: the first key that exactly one person has.</summary>
    /// <param name="contact">The contact that is this schedule.</param>
    public Recipient? FindOnCall(IEnumerable<string> keys, string contact) =>
        keys.Select(key => _onCallNames[TeamOf(contact)].GetValueOrDefault(key.Trim())).FirstOrDefault(person => person is not null);

    public bool IsSeveral(IEnumerable<string> keys, string contact) =>
        keys.Any(key => _onCallNames[TeamOf(contact)].TryGetValue(key.Trim(), out var person) && person is null);

    /// <summary>
    /// The recipient that a contact meant by this recorded name: a person whom it may know, or a room or group among its fallbacks.
    /// A person of another team who has this name now is somebody else.
    /// </summary>
    public Recipient? FindRecipient(string name, string contact)
    {
        if (FindPerson(name) is { } person && Knows(person, [contact]))
        {
            return person;
        }

        return new[] { contact, FallbackOf(contact), Fallback }
            .Select(behind => _contacts.GetValueOrDefault(behind))
            .OfType<Contact>()
            .SelectMany(behind => behind.Recipients.Concat(behind.Schedule?.Fallback ?? []))
            .FirstOrDefault(recipient => recipient.IsRoom && IsSameName(recipient.Name, name));
    }

    /// <summary>A name that nobody is behind counts as the fallback, so that no message is lost in silence.</summary>
    public IEnumerable<Recipient> RecipientsOf(IEnumerable<string> contacts) =>
        contacts.SelectMany(name => TryFind(name, out var contact) || TryFind(FallbackOf(name), out contact) || TryFind(Fallback, out contact) ? contact.Recipients : []);

    /// <param name="name">A person's name in the book, or an identity of theirs.</param>
    public Recipient? FindPerson(string name) => _people.GetValueOrDefault(name);

    /// <summary>The person whose signed-in id this is. The name proves nothing.</summary>
    public Recipient? FindSignedIn(SignedInPerson person) => FindPerson(Identity.SignIn(person.Id));

    public bool IncludesGroupOf(IEnumerable<string> contacts, SignedInPerson person) => RecipientsOf(contacts).Any(recipient => IsInGroup(recipient, person));

    public static bool IsInGroup(Recipient group, SignedInPerson person) => group.GroupId is { } id && person.Groups.Contains(id, StringComparer.OrdinalIgnoreCase);

    public Recipient? FindRoom(IEnumerable<string> contacts, string name) =>
        RecipientsOf(contacts).FirstOrDefault(recipient => recipient.IsRoom && IsSameName(recipient.Name, name));

    public bool Includes(IEnumerable<string> contacts, string person) =>
        KnowsEveryone || RecipientsOf(contacts).Any(recipient =>
            (recipient is { IsRoom: false, IsStranger: false } && IsSameName(recipient.Name, person)) || IsMember(recipient, person));

    public bool IsMember(Recipient room, string person)
    {
        if (room is not { IsRoom: true, GroupId: null })
        {
            return false;
        }

        return room.Members.Count == 0 ? _people.ContainsKey(person) : room.Members.Contains(person, StringComparer.OrdinalIgnoreCase);
    }

    public IReadOnlyList<string> Missing(IEnumerable<string> contacts) =>
        [.. contacts.Distinct(StringComparer.OrdinalIgnoreCase).Where(name => !TryFind(name, out _))];

    private string TeamOf(string contact) => contact.Split('.', 2) is [var team, _] && _known.ContainsKey(team) ? team : "";

    /// <summary>Names of contacts, people and rooms may be written in any case.</summary>
    internal static bool IsSameName(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}

/// <summary>The book in force. A new one replaces it as a whole.</summary>
public sealed class CurrentContacts(ContactBook book)
{
    private volatile ContactBook _book = book;

    public ContactBook Book => _book;

    public void Replace(ContactBook book) => _book = book;
}

public static class Identity
{
    /// <param name="userId">Slack's own id of the user, <c>U012AB3CD</c>; display names can be changed by anybody.</param>
    public static string Slack(string userId) => $"slack:{userId}";

    /// <summary>Capital letters and digits. A short text without a digit is taken for a name; a long one may be an id.</summary>
    /// <param name="kinds">The letters that it may begin with: <c>U</c> and <c>W</c> for users.</param>
    public static bool IsSlackId(string text, string kinds) =>
        text.Length is >= 2 and <= 40
        && kinds.Contains(text[0], StringComparison.Ordinal)
        && text.All(letter => char.IsAsciiLetterUpper(letter) || char.IsAsciiDigit(letter))
        && (text.Length >= 9 || text.Any(char.IsAsciiDigit));

    public static bool IsSlack(string identity) => identity.StartsWith(Slack(""), StringComparison.Ordinal);

    /// <param name="name">
    /// <c>tenant/object</c>, which a sign-in proves; or a user name, which proves nothing. The holder of an API key may name somebody by it.
    /// </param>
    public static string SignIn(string name) => $"signIn:{name}";

    public static bool IsObjectId(string identity) => identity.Split(':', '/') is ["signIn", var tenant, _] && Guid.TryParse(tenant, out _);
}

/// <param name="Id">Tenant and object id, as <c>tenant/object</c>. Names and mail addresses can change owner and prove nothing.</param>
/// <param name="Name">For display: the contacts' name where they know the id, else the platform's name with the object id behind it.</param>
public sealed record SignedInPerson(string Id, string Name)
{
    public IReadOnlyList<string> Groups { get; init; } = [];
}
