namespace Runbooks.Notifications;

/// <param name="secrets">Null where the host's settings are not known; they are not checked then.</param>
/// <param name="others">The other people whom this file may name; null where they are not known here.</param>
internal sealed class RecipientReader(IReadOnlyList<INotifier> channels, AddressSecrets? secrets, IReadOnlyList<Recipient>? others)
{
    /// <param name="isWhole">Whether the file has to have people. A team's file may name those of the common file.</param>
    public IReadOnlyList<Recipient> Read(YamlSection root, bool isWhole)
    {
        var tenant = Tenant(root);
        var people = root.Named("people", required: isWhole).Select(entry => Person(entry.Name, entry.Section, tenant)).ToList();
        var names = people.Select(person => person.Name).ToList();
        var rooms = root.Named("rooms").Select(entry => Room(entry.Name, entry.Section, names)).ToList();
        var groups = root.Named("groups").Select(entry => Group(entry.Name, entry.Section)).ToList();
        List<Recipient> recipients = [.. people, .. rooms, .. groups];
        foreach (var same in recipients.GroupBy(recipient => recipient.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            root.Errors.AtKey(same.Last().PathInFile, "is there twice.", "A person or room needs a name of its own.");
        }

        foreach (var (identity, first, last) in Shared(people, person => person.Identities))
        {
            root.Errors.AtValue(
                $"people.{last}", $"has the identity {Clip.To(identity, 80)}, which {first} has too.", "An identity proves one person.");
        }

        foreach (var (called, first, last) in Shared(people, person => person.OnCallNames.Distinct(StringComparer.OrdinalIgnoreCase)))
        {
            root.Errors.AtValue(
                $"people.{last}.onCallAs",
                $"names '{Clip.To(called, 80)}', which {first} is called too.",
                "A schedule has to mean one person.");
        }

        foreach (var (mail, first, last) in Shared(people, person => person.MailAddresses.Distinct(StringComparer.OrdinalIgnoreCase)))
        {
            root.Errors.Warn(
                WarningCodes.PersonTwice,
                $"people.{last}",
                $"has the mail address {Clip.To(mail, 80)}, as {first} has. "
                + "Two names count as two people, and a schedule that gives this address means neither of them.",
                "If it is one person, use one name. Else say with 'onCallAs' whom schedules mean.");
        }

        return recipients;
    }

    private static IEnumerable<(string Text, string First, string Last)> Shared(
        IEnumerable<Recipient> people, Func<Recipient, IEnumerable<string>> textsOf) => people
        .SelectMany(textsOf, (person, text) => (person.Name, Text: text))
        .GroupBy(pair => pair.Text, pair => pair.Name, StringComparer.OrdinalIgnoreCase)
        .Where(names => names.Count() > 1)
        .Select(names => (names.Key, names.First(), names.Last()));

    /// <param name="known">Null where not everybody is known here.</param>
    public static IReadOnlyList<string> Known(YamlSection section, string key, IReadOnlyCollection<string>? known, string what)
    {
        var names = section.TextList(key);
        foreach (var (name, index) in names.Select((name, index) => (name, index)))
        {
            if (known is null || known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            section.Errors.AtValue(
                section.PathOf(key) + (names.Count > 1 ? $"[{index}]" : ""),
                $"names '{Clip.To(name, 80)}', and there is no such {what}.",
                $"{Suggestion.For(name, known)}Add it under 'people', 'rooms' or 'groups'; a group is named group:NAME.");
        }

        return names;
    }

    private Recipient Person(string name, YamlSection section, string? tenant)
    {
        NameRules.Check(section, name);
        var slackUsers = section.TextList("slackUser");
        if (slackUsers.FirstOrDefault(user => !Identity.IsSlackId(user, "UW")) is { } other)
        {
            section.Errors.AtValue(
                section.PathOf("slackUser"),
                $"has '{Clip.To(other, 80)}', which is no user's id.",
                "Write the id (U012AB3CD; in Slack it is 'Copy member ID' of the profile): names can be changed by anybody.");
        }

        var signIn = SignIns(section, tenant);
        var onCall = section.TextList("onCallAs");
        var person = Reached(name, section);
        var shared = person.Addresses.FirstOrDefault(address =>
            channels.Any(channel => channel.Channel == address.Channel && channel.IsRoom(address.To)));
        if (shared is not null)
        {
            section.Errors.Warn(
                WarningCodes.PagerShared,
                section.PathOf("reach"),
                $"has {shared.To}, which is a {shared.Channel} channel: everybody there holds {name}'s link, and answers in that name.",
                "Write the id of the user, or make it a room with members.");
        }

        var texts = person.Addresses.Select(address => address.To).Concat(section.TextList("signIn"));
        return person with
        {
            Identities = [.. slackUsers.Select(Identity.Slack), .. signIn],
            OnCallNames = onCall,
            MailAddresses = [.. texts.Where(text => text.Contains('@', StringComparison.Ordinal))],
        };
    }

    /// <summary>
    /// Where people sign in, only an object id with its tenant proves who somebody is. A user name can be changed and given to others;
    /// the holder of an API key may name somebody by it.
    /// </summary>
    private static List<string> SignIns(YamlSection section, string? tenant)
    {
        var (path, found, proven) = (section.PathOf("signIn"), new List<string>(), false);
        var written = section.TextList("signIn");
        foreach (var (value, index) in written.Select((value, index) => (value, index)))
        {
            var parts = value.Split('/');
            if (parts.All(part => Guid.TryParseExact(part, "D", out _)) && parts.Length <= 2)
            {
                if (parts.Length == 1 && tenant is null)
                {
                    section.Errors.AtValue(
                        written.Count > 1 ? $"{path}[{index}]" : path,
                        "is an object id without its tenant.",
                        "Add 'tenant:' with the tenant's id at the top of the file, or write TENANT/OBJECT.");
                }

                found.Add(Identity.SignIn(parts.Length == 2 ? value : $"{tenant}/{value}"));
                proven = true;
            }
            else
            {
                found.Add(Identity.SignIn(value));
            }
        }

        if (found.Count > 0 && !proven)
        {
            section.Errors.Warn(
                WarningCodes.UserNameOnly,
                path,
                "has user names only. They can be changed and given to others, so they prove nobody where people sign in.",
                "Add the person's object id in Entra, as OBJECT with 'tenant:' at the top of the file, or as TENANT/OBJECT.");
        }

        return found;
    }

    private static string? Tenant(YamlSection root)
    {
        var tenant = root.Text("tenant", longest: 100);
        if (tenant.Length == 0 || Guid.TryParseExact(tenant, "D", out _))
        {
            return tenant.Length == 0 ? null : tenant;
        }

        root.Errors.AtValue("tenant", "is not a tenant's id.", "Write the id of your Entra tenant: az account show --query tenantId.");
        return null;
    }

    /// <summary>The platform knows the members, so the file lists none.</summary>
    private Recipient Group(string name, YamlSection section)
    {
        NameRules.Check(section, name);
        var id = section.Text("id", required: true, longest: 100);
        if (id.Length > 0 && !Guid.TryParseExact(id, "D", out _))
        {
            section.Errors.AtValue(section.PathOf("id"), "is not an object id.", "Write the group's object id in Entra, not its name: names can be given to others.");
        }

        return Reached($"group:{name}", section) with { IsRoom = true, GroupId = id };
    }

    private Recipient Room(string name, YamlSection section, List<string> people)
    {
        NameRules.Check(section, name);
        IReadOnlyList<string>? mayBeMembers = others is null ? null : [.. people, .. others.Where(other => !other.IsRoom).Select(other => other.Name)];
        var members = Known(section, "members", mayBeMembers, "person");
        if (members.Count == 0 && people.Count == 0)
        {
            section.Errors.AtKey(section.Path, "has no members, and there is nobody in this file.", "Add 'members:' with the people who may decide for it.");
        }

        // Without a list of members, everybody in this file, but nobody of another file.
        return Reached(name, section) with { IsRoom = true, Members = members.Count > 0 ? members : people };
    }

    private Recipient Reached(string name, YamlSection section)
    {
        var addresses = section.Items("reach", required: true).SelectMany(item => Addresses(name, item)).ToList();
        section.RejectOthers();
        var rings = channels.Where(channel => channel.Rings).Select(channel => channel.Channel).ToList();
        if (addresses.FindIndex(address => rings.Contains(address.Channel)) is > 0 and var at)
        {
            section.Errors.Warn(
                WarningCodes.RingsLast,
                section.PathOf("reach"),
                $"has {addresses[at].Channel} behind {addresses[0].Channel}: "
                + "it calls nobody up while that takes messages, also when nobody reads them.",
                $"Put {addresses[at].Channel} first; what only informs goes to the other channels all the same.");
        }

        return new(name, addresses);
    }

    private List<Address> Addresses(string recipient, YamlSection item)
    {
        var addresses = new List<Address>();
        foreach (var channel in channels.OrderBy(channel => channel.Channel, StringComparer.Ordinal))
        {
            if (item.Text(channel.Channel, longest: 500).Trim() is { Length: > 0 } to)
            {
                Check(item, channel, to);
                addresses.Add(new(channel.Channel, to, recipient));
            }
        }

        item.RejectOthers();
        if (addresses.Count > 1)
        {
            item.Errors.AtValue(item.Path, "names several channels.", "Write each as an item of its own: they are tried in that order.");
        }

        return addresses;
    }

    private void Check(YamlSection item, INotifier channel, string to)
    {
        var path = item.PathOf(channel.Channel);
        if (secrets is not null && channel.ConfigurationError is { } missing)
        {
            item.Errors.AtValue(path, $"cannot be used: {missing}", "");
        }
        else if (!AddressSecrets.IsReference(to, out var name))
        {
            if (channel.AddressIsSecret)
            {
                item.Errors.AtValue(path, "is a secret written out, or not the name of a setting.", "Write ${NAME} and put the value into the setting NAME.");
            }
            else if (channel.ValidateAddress(to) is { } objection)
            {
                item.Errors.AtValue(path, $"cannot be used: {objection}", "");
            }
        }
        else if (secrets is not null)
        {
            CheckSetting(item, path, channel, name, secrets.Find(name));
        }
    }

    private static void CheckSetting(YamlSection item, string path, INotifier channel, string name, string? value)
    {
        if (value is null)
        {
            item.Errors.AtValue(path, $"refers to the setting {name}, which has no value.", $"Set {name} in the settings of the host.");
        }
        else if (channel.ValidateAddress(value) is { } objection)
        {
            item.Errors.AtValue(path, $"cannot be used: {objection}", $"Look at the setting {name}.");
        }
    }
}
