using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Yaml;

namespace Runbooks.Notifications;

/// <summary>Reads <c>contacts.yaml</c>: people and rooms, how they are reached, and the names that runbooks use for them.</summary>
public sealed class ContactsFile(IEnumerable<INotifier> channels, IEnumerable<IOnCallSource> schedules, AddressSecrets secrets)
{
    public const string FileName = "contacts.yaml";

    private readonly List<INotifier> _channels = [.. channels];

    /// <param name="file">How errors name the file.</param>
    /// <param name="withSettings">Whether this is the host that sends; elsewhere, what only its settings can tell is not asked.</param>
    public ContactsResult Read(string file, string text, bool withSettings = true)
    {
        text = text.TrimStart('\uFEFF');
        var errors = new FileErrors(file, text);
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
        List<Contact> contacts = [.. ReadContacts(root, recipients, new([.. schedules], recipients, withSettings)), .. recipients.Where(recipient => recipient.GroupId is not null).Select(group => new Contact(group.Name, [group]))];
        root.RejectOthers();
        return new(errors.Count > 0 ? null : new ContactBook(contacts, recipients.Where(recipient => !recipient.IsRoom)), errors.Sorted) { Warnings = errors.Warnings };
    }

    private static List<Contact> ReadContacts(YamlSection root, IReadOnlyList<Recipient> recipients, OnCallReader schedules)
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
        foreach (var (name, value) in mapping.Entries.Select(entry => (entry.Key, entry.Value)))
        {
            CheckName(section, name);
            if (value is YamlMapping)
            {
                contacts.Add(schedules.Read(name, section.Sub(name)!));
                continue;
            }

            var behind = RecipientReader.Known(section, name, known, "person, room or group");
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
