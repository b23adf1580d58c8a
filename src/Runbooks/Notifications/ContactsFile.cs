using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Yaml;
using Runbooks.Model.Text;

namespace Runbooks.Notifications;

/// <summary>Reads <c>contacts.yaml</c>: people and rooms, how they are reached, and the names that runbooks use for them.</summary>
public sealed class ContactsFile(IEnumerable<INotifier> channels, AddressSecrets secrets)
{
    public const string FileName = "contacts.yaml";

    private readonly List<INotifier> _channels = [.. channels];

    /// <param name="file">How errors name the file.</param>
    /// <param name="withSettings">Whether this is the host that sends; elsewhere, what only its settings can tell is not asked.</param>
    public ContactsResult Read(string file, string text, bool withSettings = true)
    {
        text = text.TrimStart('\uFEFF');
        var errors = new FileErrors(file);
        if (YamlTree.Read(text, errors.Refuse, errors.Warn) is not { } tree)
        {
            return new(null, errors.Sorted) { Warnings = errors.Warnings };
        }

        if (tree is not YamlMapping mapping)
        {
            errors.Add(tree.At, "", $"The file is {tree.Words} and must be a mapping.", "Begin with 'people:'.");
            return new(null, errors.Sorted) { Warnings = errors.Warnings };
        }

        errors.Locate(mapping);
        var root = new YamlSection(mapping, "", errors);
        var recipients = new RecipientReader(_channels, withSettings ? secrets : null).Read(root);
        var contacts = ReadContacts(root, recipients);
        root.RejectOthers();
        return new(errors.Count > 0 ? null : new ContactBook(contacts, recipients.Where(recipient => !recipient.IsRoom)), errors.Sorted) { Warnings = errors.Warnings };
    }

    private static List<Contact> ReadContacts(YamlSection root, IReadOnlyList<Recipient> recipients)
    {
        if (root.Free("contacts") is not { } mapping)
        {
            if (!root.Has("contacts"))
            {
                root.Errors.AtKey("contacts", "is missing.", "Add 'contacts:' with the names that your runbooks use, and 'fallback'.");
            }

            return [];
        }

        var section = new YamlSection(mapping, "contacts", root.Errors);
        var known = recipients.Select(recipient => recipient.Name).ToList();
        var contacts = new List<Contact>();
        foreach (var name in mapping.Entries.Select(entry => entry.Key))
        {
            CheckName(section, name);
            var behind = RecipientReader.Known(section, name, known, "person or room");
            contacts.Add(new(name, [.. recipients.Where(recipient => behind.Contains(recipient.Name, StringComparer.OrdinalIgnoreCase))]));
        }

        if (!contacts.Exists(contact => contact.Name == ContactBook.Fallback))
        {
            root.Errors.AtKey("contacts", "has no 'fallback'.", "Add 'fallback:', who hears of everything that reached nobody else.");
        }

        foreach (var same in contacts.GroupBy(contact => contact.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            root.Errors.AtKey($"contacts.{same.Last().Name}", "differs from another contact only in case.", "Remove one of them.");
        }

        return [.. contacts.DistinctBy(contact => contact.Name, StringComparer.OrdinalIgnoreCase)];
    }

    private static void CheckName(YamlSection section, string name)
    {
        if (!NameRules.IsName(name))
        {
            section.Errors.AtKey(section.PathOf(name), "is not a name.", $"Use {NameRules.Words}.");
        }
    }
}

/// <summary>A contact book, or everything that is wrong with its file, in the file's order.</summary>
public sealed record ContactsResult(ContactBook? Book, IReadOnlyList<CatalogError> Errors)
{
    /// <summary>What is probably not meant.</summary>
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];
}

/// <summary>Reads the people and rooms of a contacts file, and checks every address with its channel.</summary>
/// <param name="secrets">Null where the settings of the host are not known: they are not asked for then.</param>
internal sealed class RecipientReader(IReadOnlyList<INotifier> channels, AddressSecrets? secrets)
{
    public IReadOnlyList<Recipient> Read(YamlSection root)
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
    public static IReadOnlyList<string> Known(YamlSection section, string key, IReadOnlyCollection<string> known, string what)
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

    private Recipient Person(string name, YamlSection section)
    {
        NameRules.Check(section, name);
        var slack = section.Words("slackUser").Select(Identity.Slack);
        var signIn = section.Words("signIn").Select(Identity.SignIn);
        return Reached(name, section) with { Identities = [.. slack, .. signIn] };
    }

    private Recipient Room(string name, YamlSection section, IReadOnlyCollection<string> people)
    {
        NameRules.Check(section, name);
        var members = Known(section, "members", people, "person");
        return Reached(name, section) with { IsRoom = true, Members = members };
    }

    private Recipient Reached(string name, YamlSection section)
    {
        var addresses = section.Items("reach", required: true).SelectMany(item => Addresses(name, item)).ToList();
        section.RejectOthers();
        return new(name, addresses);
    }

    /// <summary>One entry of <c>reach</c>: the channel's name as key, the address as value.</summary>
    private List<Address> Addresses(string recipient, YamlSection item)
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

/// <summary>
/// Looks up what <c>${NAME}</c> stands for, at the moment of sending: the value is in no contact, no record and no log, and
/// a rotated one is used at once.
/// </summary>
public sealed partial class AddressSecrets(IConfiguration settings)
{
    /// <exception cref="DeliveryException">The setting has no value.</exception>
    public string Resolve(string to) =>
        !IsReference(to, out var name) ? to
        : Find(name) ?? throw new DeliveryException($"The setting {name} has no value.");

    /// <summary>The settings that a contacts file names, whether or not it can be read otherwise.</summary>
    public static IEnumerable<string> NamedIn(string text) => Reference().Matches(text).Select(match => match.Groups[1].Value);

    public string? Find(string name) => settings[name] is { Length: > 0 } value ? value : null;

    public static bool IsReference(string to, [NotNullWhen(true)] out string? name)
    {
        var framed = to.Length > 3 && to.StartsWith("${", StringComparison.Ordinal) && to[^1] == '}';
        name = framed && to[2..^1].All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or ':' or '-' or '.') ? to[2..^1] : null;
        return name is not null;
    }

    [GeneratedRegex(@"\$\{([A-Za-z0-9_:.\-]+)\}")]
    private static partial Regex Reference();
}
