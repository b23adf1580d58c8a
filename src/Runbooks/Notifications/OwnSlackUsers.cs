namespace Runbooks.Notifications;

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
