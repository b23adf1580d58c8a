using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Yaml;

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
        if (YamlTree.Read(text, errors.Refuse) is not { } tree)
        {
            return new(null, errors.Sorted);
        }

        if (tree is not YamlMapping mapping)
        {
            errors.Add(tree.At, "", $"The file is {tree.Words} and must be a mapping.", "Begin with 'people:'.");
            return new(null, errors.Sorted);
        }

        errors.Locate(mapping);
        var root = new Section(mapping, "", errors);
        var recipients = new RecipientReader(_channels, withSettings ? secrets : null).Read(root);
        var contacts = ReadContacts(root, recipients);
        root.RejectOthers();
        return errors.Count > 0
            ? new(null, errors.Sorted)
            : new(new ContactBook(contacts, recipients.Where(recipient => !recipient.IsRoom)), []);
    }

    private static List<Contact> ReadContacts(Section root, IReadOnlyList<Recipient> recipients)
    {
        if (root.Free("contacts") is not { } mapping)
        {
            if (!root.Has("contacts"))
            {
                root.Errors.AtKey("contacts", "is missing.", "Add 'contacts:' with the names that your runbooks use, and 'fallback'.");
            }

            return [];
        }

        var section = new Section(mapping, "contacts", root.Errors);
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

    private static void CheckName(Section section, string name)
    {
        if (!Names.IsName(name))
        {
            section.Errors.AtKey(section.PathOf(name), "is not a name.", $"Use {Names.Words}.");
        }
    }
}

/// <summary>A contact book, or everything that is wrong with its file, in the file's order.</summary>
public sealed record ContactsResult(ContactBook? Book, IReadOnlyList<CatalogError> Errors);
