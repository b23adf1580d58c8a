namespace Runbooks.Notifications;

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
