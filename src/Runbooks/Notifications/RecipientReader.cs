using Runbooks.Catalog.Reading;
using Runbooks.Model.Text;

namespace Runbooks.Notifications;

/// <summary>Reads the people and rooms of a contacts file, and checks every address with its channel.</summary>
/// <param name="secrets">Null where the settings of the host are not known: they are not asked for then.</param>
internal sealed class RecipientReader(IReadOnlyList<INotifier> channels, AddressSecrets? secrets)
{
    public IReadOnlyList<Recipient> Read(Section root)
    {
        var people = root.Named("people", required: true).Select(entry => Person(entry.Name, entry.Section)).ToList();
        var names = people.Select(person => person.Name).ToList();
        var rooms = root.Named("rooms").Select(entry => Room(entry.Name, entry.Section, names)).ToList();
        List<Recipient> all = [.. people, .. rooms];
        foreach (var same in all.GroupBy(recipient => recipient.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            var last = same.Last();
            root.Errors.AtKey($"{(last.IsRoom ? "rooms" : "people")}.{last.Name}", "is there twice.", "A person or room needs a name of its own.");
        }

        foreach (var identity in people.SelectMany(person => person.Identities, (person, identity) => (person, identity))
            .GroupBy(pair => pair.identity, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            root.Errors.AtValue($"people.{identity.Last().person.Name}", $"has the identity {Clip.To(identity.Key, 80)}, which {identity.First().person.Name} has too.", "An identity proves one person.");
        }

        return all;
    }

    /// <summary>Reads names and reports those that are not known.</summary>
    public static IReadOnlyList<string> Known(Section section, string key, IReadOnlyCollection<string> known, string what)
    {
        var names = section.Words(key);
        foreach (var (name, index) in names.Select((name, index) => (name, index)).Where(pair => !known.Contains(pair.name, StringComparer.OrdinalIgnoreCase)))
        {
            section.Errors.AtValue(
                section.PathOf(key) + (names.Count > 1 ? $"[{index}]" : ""), $"names '{Clip.To(name, 80)}', and there is no such {what}.",
                $"{Suggestion.For(name, known)}Add it under 'people' or 'rooms'.");
        }

        return names;
    }

    private Recipient Person(string name, Section section)
    {
        Names.Check(section, name);
        var slack = section.Words("slackUser").Select(Identity.Slack);
        var signIn = section.Words("signIn").Select(Identity.SignIn);
        return Reached(name, section) with { Identities = [.. slack, .. signIn] };
    }

    private Recipient Room(string name, Section section, IReadOnlyCollection<string> people)
    {
        Names.Check(section, name);
        var members = Known(section, "members", people, "person");
        return Reached(name, section) with { IsRoom = true, Members = members };
    }

    private Recipient Reached(string name, Section section)
    {
        var addresses = section.Items("reach", required: true).SelectMany(item => Addresses(name, item)).ToList();
        section.RejectOthers();
        return new(name, addresses);
    }

    /// <summary>One entry of <c>reach</c>: the channel's name as key, the address as value.</summary>
    private List<Address> Addresses(string recipient, Section item)
    {
        var found = new List<Address>();
        foreach (var channel in channels.OrderBy(channel => channel.Channel, StringComparer.Ordinal))
        {
            if (item.Text(channel.Channel, longest: 500).Trim() is { Length: > 0 } to)
            {
                Check(item, channel, to);
                found.Add(new(channel.Channel, to, recipient));
            }
        }

        item.RejectOthers();
        if (found.Count > 1)
        {
            item.Errors.AtValue(item.Path, "names several channels.", "Write each as an item of its own: they are tried in that order.");
        }

        return found;
    }

    private void Check(Section item, INotifier channel, string to)
    {
        var path = item.PathOf(channel.Channel);
        if (secrets is not null && channel.Lack is { } lack)
        {
            item.Errors.AtValue(path, $"cannot be used: {lack}", "");
        }
        else if (!AddressSecrets.IsReference(to, out var name))
        {
            if (channel.AddressIsSecret)
            {
                item.Errors.AtValue(path, "is a secret written out, or not the name of a setting.", "Write ${NAME} and put the value into the setting NAME.");
            }
            else if (channel.Objection(to) is { } objection)
            {
                item.Errors.AtValue(path, $"cannot be used: {objection}", "");
            }
        }
        else if (secrets is not null)
        {
            CheckSetting(item, path, channel, name, secrets.Find(name));
        }
    }

    private static void CheckSetting(Section item, string path, INotifier channel, string name, string? value)
    {
        if (value is null)
        {
            item.Errors.AtValue(path, $"refers to the setting {name}, which has no value.", $"Set {name} in the settings of the host.");
        }
        else if (channel.Objection(value) is { } objection)
        {
            item.Errors.AtValue(path, $"cannot be used: {objection}", $"Look at the setting {name}.");
        }
    }
}
