namespace Runbooks.Notifications;

/// <param name="Team">Null for the common file.</param>
internal sealed record FileContacts(string? Team, string File, FileErrors Errors, IReadOnlyList<Recipient> Recipients, IReadOnlyList<Contact> Contacts)
{
    public IReadOnlyList<Recipient> People => [.. Recipients.Where(recipient => !recipient.IsRoom)];
}

/// <summary>A quorum counts people, so a name has to mean the same person in all files, and an identity has to have one name.</summary>
internal sealed class TeamPeople
{
    private readonly List<(Recipient Recipient, FileContacts File)> _known = [];

    public void Add(FileContacts file)
    {
        foreach (var recipient in file.Recipients)
        {
            var path = recipient.PathInFile;
            foreach (var (other, where) in _known.Where(known => known.File != file))
            {
                Compare(file.Errors, path, recipient, other, where.File);
            }
        }

        _known.AddRange(file.Recipients.Select(recipient => (recipient, file)));
    }

    private static void Compare(FileErrors errors, string path, Recipient recipient, Recipient other, string where)
    {
        if (ContactBook.IsSameName(recipient.Name, other.Name))
        {
            if (!IsSame(recipient, other))
            {
                errors.AtKey(
                    path,
                    $"is also in {where}, and not the same there.",
                    "Keep it in one of the files: contacts of a team may name whoever stands in the common one. "
                    + "Or give one of the two another name.");
            }

            return;
        }

        if (Shared(recipient.Identities, other.Identities) is { } identity)
        {
            errors.AtKey(
                path,
                $"has the identity {Clip.To(identity, 80)}, which {other.Name} in {where} has too.",
                "An identity proves one person: use one name in both files.");
        }
        else if (!recipient.IsRoom && !other.IsRoom && Shared(recipient.MailAddresses, other.MailAddresses) is { } mail)
        {
            errors.Warn(
                WarningCodes.PersonTwice,
                path,
                $"is reached at {Clip.To(mail, 80)}, as {other.Name} in {where} is. Two names count as two people.",
                "If it is one person, use one name in both files.");
        }

        static string? Shared(IEnumerable<string> texts, IEnumerable<string> others) =>
            texts.Intersect(others, StringComparer.OrdinalIgnoreCase).FirstOrDefault();
    }

    private static bool IsSame(Recipient recipient, Recipient other) =>
        (recipient.IsRoom, recipient.GroupId?.ToUpperInvariant()) == (other.IsRoom, other.GroupId?.ToUpperInvariant())
        && recipient.Name == other.Name
        && recipient.Addresses.SequenceEqual(other.Addresses)
        && new HashSet<string>(recipient.Members, StringComparer.OrdinalIgnoreCase).SetEquals(other.Members)
        && new HashSet<string>(recipient.Identities, StringComparer.OrdinalIgnoreCase).SetEquals(other.Identities)
        && new HashSet<string>(recipient.OnCallNames, StringComparer.OrdinalIgnoreCase).SetEquals(other.OnCallNames)
        && new HashSet<string>(recipient.MailAddresses, StringComparer.OrdinalIgnoreCase).SetEquals(other.MailAddresses);
}

internal static class ContactWarnings
{
    /// <summary>Somebody with only a Slack id may also be in a group, so the two do not count as two people.</summary>
    public static void WarnOfUnproven(FileContacts own, IEnumerable<FileContacts> all)
    {
        var hasGroups = all.Any(file =>
            (file == own || file.Team is null || own.Team is null)
            && file.Recipients.Any(recipient => recipient.GroupId is not null));
        if (!hasGroups)
        {
            return;
        }

        foreach (var person in own.People.Where(person => person.Identities.Count > 0 && person.Identities.All(Identity.IsSlack)))
        {
            own.Errors.Warn(
                WarningCodes.PersonUnproven,
                $"people.{person.Name}",
                "has a Slack user and no object id, and there are groups. Whoever signs in as a member of one may be the same person, "
                + "so where two people have to approve, those two do not count as two.",
                "Add 'signIn' with the person's object id in Entra.");
        }
    }

    /// <summary>
    /// Two people with one key of a pager get one alert, with the card of one of them, and it calls the person on call there. At another
    /// shared place both read the message, links included. A shared mail address has a warning of its own.
    /// </summary>
    /// <param name="common">The common file, whose people may be asked together with a team's; null where there is none.</param>
    public static void WarnOfSharedPlaces(FileContacts own, FileContacts? common, IReadOnlyCollection<string> rings)
    {
        List<Recipient> before = own == common || common is null ? [] : [.. common.People];
        foreach (var person in own.People)
        {
            var places = person.Addresses.Where(address => !address.To.Contains('@', StringComparison.Ordinal)).Select(Place).ToHashSet();
            var shared = before
                .Where(earlier => !ContactBook.IsSameName(earlier.Name, person.Name))
                .SelectMany(earlier => earlier.Addresses, (earlier, address) => (earlier.Name, At: Place(address)))
                .Where(earlier => places.Contains(earlier.At))
                .OrderByDescending(earlier => rings.Contains(earlier.At.Channel));
            if (shared.FirstOrDefault() is { Name: { } other, At.Channel: var channel })
            {
                var trouble = rings.Contains(channel)
                    ? "an alert for one may call the other. On a question to both there is no link to decide by, and on a question to one it is that one's."
                    : "whoever reads there can answer as either. A question to both that has to count people has no link to decide by there.";
                own.Errors.Warn(
                    WarningCodes.PagerShared,
                    $"people.{person.Name}.reach",
                    $"has the same {channel} address as {other}: {trouble}",
                    "Give each an address of their own, or leave it to a room with both as members.");
            }

            before.Add(person);
        }

        static (string Channel, string To) Place(Address address) => (address.Channel, address.To);
    }
}

/// <summary>
/// A message to somebody's own user in Slack comes with buttons, and what Slack signs is that this user pressed. So the user proves who
/// they are, but only where nobody else has it: one that two people share proves neither.
/// </summary>
internal static class OwnSlackUsers
{
    /// <returns>The files in the same order, their people with the identities that their addresses prove.</returns>
    public static List<FileContacts> AsIdentities(IReadOnlyList<FileContacts> files)
    {
        // The names that have an identity, as 'slackUser' or in 'reach'. Somebody may stand in several files.
        var holders = files.SelectMany(file => file.People)
            .SelectMany(person => person.Identities.Concat(Of(person)), (person, identity) => (identity, person.Name))
            .ToLookup(pair => pair.identity, pair => pair.Name, StringComparer.OrdinalIgnoreCase);
        // One that is behind several contacts stays one and the same.
        var proven = new Dictionary<Recipient, Recipient>();
        return [.. files.Select(file => file with
        {
            Recipients = [.. file.Recipients.Select(Proven)],
            Contacts = [.. file.Contacts.Select(contact => contact.With(Proven))],
        })];

        Recipient Proven(Recipient recipient)
        {
            if (!proven.TryGetValue(recipient, out var known))
            {
                var own = Of(recipient).Except(recipient.Identities, StringComparer.OrdinalIgnoreCase)
                    .Where(identity => holders[identity].All(name => ContactBook.IsSameName(name, recipient.Name)))
                    .ToList();
                known = own.Count == 0 ? recipient : recipient with { Identities = [.. own, .. recipient.Identities] };
                proven.Add(recipient, known);
            }

            return known;
        }
    }

    private static IEnumerable<string> Of(Recipient recipient) => recipient.IsRoom ? [] : recipient.Addresses
        .Where(address => address.Channel == DecisionVia.Slack && Identity.IsSlackId(address.To, "UW"))
        .Select(address => Identity.Slack(address.To));
}
