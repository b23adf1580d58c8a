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
        if (string.Equals(recipient.Name, other.Name, StringComparison.OrdinalIgnoreCase))
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
