using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Model.Text;

namespace Runbooks.Notifications;

/// <summary>What one contacts file says.</summary>
/// <param name="Team">Whose it is; null for the common file.</param>
internal sealed record FileContacts(string? Team, string File, FileErrors Errors, IReadOnlyList<Recipient> Recipients, IReadOnlyList<Contact> Contacts)
{
    public IReadOnlyList<Recipient> People => [.. Recipients.Where(recipient => !recipient.IsRoom)];
}

/// <summary>
/// Somebody who stands in two files is one person, since a quorum counts people: under one name it has to be the same in both,
/// and what proves who somebody is stands under one name.
/// </summary>
internal sealed class TeamPeople
{
    private readonly List<(Recipient Recipient, FileContacts File)> _known = [];

    public void Add(FileContacts file)
    {
        foreach (var recipient in file.Recipients)
        {
            var path = $"{(recipient.GroupId is not null ? "groups" : recipient.IsRoom ? "rooms" : "people")}.{recipient.Name[(recipient.Name.IndexOf(':', StringComparison.Ordinal) + 1)..]}";
            foreach (var (other, where) in _known.Where(one => one.File != file))
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
                errors.AtKey(path, $"is also in {where}, and not the same there.", "Keep it in one of the files: contacts of a team may name whoever stands in the common one. Or give one of the two another name.");
            }

            return;
        }

        if (recipient.Identities.Intersect(other.Identities, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } identity)
        {
            errors.AtKey(path, $"has the identity {Clip.To(identity, 80)}, which {other.Name} in {where} has too.", "An identity proves one person: use one name in both files.");
        }
        else if (!recipient.IsRoom && !other.IsRoom && recipient.MailAddresses.Intersect(other.MailAddresses, StringComparer.OrdinalIgnoreCase).FirstOrDefault() is { } mail)
        {
            errors.Warn(WarningCodes.PersonTwice, path, $"is reached at {Clip.To(mail, 80)}, as {other.Name} in {where} is. Two names count as two people.", "If it is one person, use one name in both files.");
        }
    }

    private static bool IsSame(Recipient one, Recipient other) =>
        (one.IsRoom, one.GroupId?.ToUpperInvariant()) == (other.IsRoom, other.GroupId?.ToUpperInvariant())
        && one.Name == other.Name
        && one.Addresses.SequenceEqual(other.Addresses)
        && new HashSet<string>(one.Members, StringComparer.OrdinalIgnoreCase).SetEquals(other.Members)
        && new HashSet<string>(one.Identities, StringComparer.OrdinalIgnoreCase).SetEquals(other.Identities)
        && new HashSet<string>(one.OnCallNames, StringComparer.OrdinalIgnoreCase).SetEquals(other.OnCallNames)
        && new HashSet<string>(one.MailAddresses, StringComparer.OrdinalIgnoreCase).SetEquals(other.MailAddresses);
}
