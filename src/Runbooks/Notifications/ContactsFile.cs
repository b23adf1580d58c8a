using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Runbooks.Catalog.Yaml;

namespace Runbooks.Notifications;

/// <summary>
/// Reads <c>contacts.yaml</c>. A team's file may name people of the common file; no other file may name people of the team's.
/// </summary>
public sealed class ContactsFile(IEnumerable<INotifier> channels, IEnumerable<IOnCallSource> schedules, AddressSecrets secrets)
{
    public const string FileName = "contacts.yaml";

    private readonly List<INotifier> _channels = [.. channels];
    private readonly List<IOnCallSource> _schedules = [.. schedules];

    public ContactsResult Read(string file, string text, bool withSettings = true) => Read(new ContactFiles(new(file, text), []), withSettings);

    /// <param name="withSettings">Whether this is the host that sends. Elsewhere its settings are not checked.</param>
    /// <param name="findProblem">Why a schedule cannot be read, for a warning; left out where none is looked at.</param>
    public ContactsResult Read(ContactFiles files, bool withSettings = true, Func<IOnCallSource, OnCallSchedule, string?>? findProblem = null)
    {
        var common = files.Common is { } file ? ReadOne(file, null, null, withSettings, findProblem) : null;
        List<FileContacts> teams = [.. files.Teams
            .Where(team => team.Contacts is not null && TeamFile.IsName(team.Folder))
            .Select(team => ReadOne(team.Contacts!, team.Folder, common, withSettings, findProblem))];
        var read = OwnSlackUsers.AsIdentities(common is null ? teams : [common, .. teams]);
        common = read.Find(file => file.Team is null);
        teams = read.FindAll(file => file.Team is not null);
        List<string> rings = [.. _channels.Where(channel => channel.Rings).Select(channel => channel.Channel)];
        var people = new TeamPeople();
        read.ForEach(people.Add);
        read.ForEach(file => ContactWarnings.WarnOfUnproven(file, read));
        read.ForEach(file => ContactWarnings.WarnOfSharedPlaces(file, common, rings));
        if (common is null && withSettings)
        {
            teams.ForEach(team => team.Errors.Add(
                new(1, 1),
                "",
                $"There is no {FileName} of all, so nobody can be asked by these.",
                $"Add {FileName} above the folders of teams; it has 'fallback'."));
        }

        var book = common is null || read.Exists(file => file.Errors.Count > 0) ? null : Book(files, common, teams);
        return new(book, [.. read.SelectMany(file => file.Errors.Sorted)]) { Warnings = [.. read.SelectMany(file => file.Errors.Warnings)] };
    }

    private static ContactBook Book(ContactFiles files, FileContacts common, List<FileContacts> teams)
    {
        var contacts = common.Contacts
            .Concat(teams.SelectMany(team => team.Contacts))
            .DistinctBy(contact => contact.Name, StringComparer.OrdinalIgnoreCase);
        return new(contacts, common.People, teams.ToDictionary(team => team.Team!, team => team.People)) { Files = files };
    }

    /// <summary>
    /// What can be in force where some files have errors: the common file first, then each team's file by itself. So a broken file of one
    /// team does not keep people in force whom another file has removed.
    /// </summary>
    public ContactBook? ReadGood(ContactFiles now, ContactFiles inForce)
    {
        if ((WithoutBroken(inForce with { Common = now.Common }) ?? WithoutBroken(inForce)) is not { } good)
        {
            return null;
        }

        good = good with { Teams = [.. good.Teams.Where(team => now.Teams.Any(other => other.Folder == team.Folder))] };
        List<TeamFiles> changed = [.. now.Teams.Where(team => team.Contacts?.Text != good.TextOf(team.Folder))];
        while (changed.Find(team => Read(good.With(team)).Errors.Count == 0) is { } next)
        {
            good = good.With(next);
            changed.Remove(next);
        }

        return Read(good).Book;
    }

    /// <returns>Without the teams whose contacts do not fit the common file; null where the common file has errors.</returns>
    private ContactFiles? WithoutBroken(ContactFiles files)
    {
        var broken = Read(files).Errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
        if (files.Common is not { } common || broken.Contains(common.Name))
        {
            return null;
        }

        return files with { Teams = [.. files.Teams.Where(team => team.Contacts is not { } own || !broken.Contains(own.Name))] };
    }

    /// <param name="common">What a team's file may name; null where that is not known here.</param>
    private FileContacts ReadOne(
        RunbookFile file, string? team, FileContacts? common, bool withSettings, Func<IOnCallSource, OnCallSchedule, string?>? findProblem)
    {
        var errors = new FileErrors(file.Name, file.Text, "docs/contacts.md");
        if (YamlSection.Open(errors, "people") is not { } root)
        {
            return new(team, file.Name, errors, [], []);
        }

        var others = team is null ? [] : common?.Recipients;
        var recipients = new RecipientReader(_channels, withSettings ? secrets : null, others).Read(root, isWhole: team is null);
        List<Recipient> known = [.. recipients.Concat(others ?? []).DistinctBy(recipient => recipient.Name, StringComparer.OrdinalIgnoreCase)];
        var onCall = new OnCallReader(_schedules, known, withSettings)
        {
            Team = team,
            KnowsOthers = others is not null,
            FindProblem = findProblem,
        };
        var contacts = ReadContacts(root, team, known, others is not null, onCall);
        root.RejectOthers();
        contacts.AddRange(recipients.Where(recipient => recipient.GroupId is not null).Select(group => new Contact(Named(team, group.Name), [group])));
        var read = new FileContacts(team, file.Name, errors, [.. recipients.Select(Own)], [.. contacts.Select(contact => contact.With(Own))]);
        WarnOfShadows(read, common);
        return read;

        // Another team may have a group of the same name, whose link must not count here.
        Recipient Own(Recipient recipient) =>
            recipient.GroupId is not null && recipients.Contains(recipient) ? recipient with { Name = Named(team, recipient.Name) } : recipient;
    }

    private static List<Contact> ReadContacts(YamlSection root, string? team, IReadOnlyList<Recipient> recipients, bool isAllKnown, OnCallReader schedules)
    {
        if (root.Free("contacts") is not { } mapping)
        {
            if (!root.Has("contacts"))
            {
                root.Errors.AtKey(
                    "contacts",
                    "is missing.",
                    team is null
                        ? "Add 'contacts:' with the names that your runbooks use, and 'fallback'."
                        : "Add 'contacts:' with the names that the runbooks of the team use.");
            }

            return [];
        }

        var section = new YamlSection(mapping, "contacts", root.Errors);
        var known = isAllKnown ? recipients.Select(recipient => recipient.Name).ToList() : null;
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

        if (team is null && !contacts.Exists(contact => contact.Name == ContactBook.Fallback))
        {
            root.Errors.AtKey("contacts", "has no 'fallback'.", "Add 'fallback:', who hears of everything that reached nobody else.");
        }

        foreach (var same in contacts.GroupBy(contact => contact.Name, StringComparer.OrdinalIgnoreCase).Where(group => group.Count() > 1))
        {
            root.Errors.AtKey($"contacts.{same.Last().Name}", "differs from another contact only in case.", "Remove one of them.");
        }

        return [.. contacts
            .DistinctBy(contact => contact.Name, StringComparer.OrdinalIgnoreCase)
            .Select(contact => contact with { Name = Named(team, contact.Name) })];
    }

    private static string Named(string? team, string contact) => team is null ? contact : Team.Qualified(team, contact);

    /// <summary>A reader of <c>from: [oncall]</c> has to know which contact it is. Only a team's fallback is meant to replace the common one.</summary>
    private static void WarnOfShadows(FileContacts own, FileContacts? common)
    {
        foreach (var contact in own.Team is null ? [] : own.Contacts)
        {
            var name = contact.Name[(own.Team!.Length + 1)..];
            var shadowed = name == ContactBook.Fallback ? null : common?.Contacts.FirstOrDefault(other => ContactBook.IsSameName(other.Name, name));
            if (shadowed is null || (shadowed.Schedule is null && contact.Schedule is null && Names(shadowed).SetEquals(Names(contact))))
            {
                continue;
            }

            own.Errors.Warn(
                WarningCodes.ContactShadowed,
                name.Split(':') is [_, var group] ? $"groups.{group}" : $"contacts.{name}",
                $"is also a contact in {common!.File}, with other people behind it. Runbooks of {own.Team} ask those of this file.",
                "Give one of them another name, or say that it is meant.");
        }

        static HashSet<string> Names(Contact contact) =>
            contact.Recipients.Select(recipient => recipient.GroupId ?? recipient.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    private static void CheckName(YamlSection section, string name)
    {
        if (!NameRules.IsName(name))
        {
            section.Errors.AtKey(section.PathOf(name), "is not a name.", $"Use {NameRules.Expected}.");
        }
    }
}

/// <param name="Common">Null where there is none: then nobody is known.</param>
public sealed record ContactFiles(RunbookFile? Common, IReadOnlyList<TeamFiles> Teams)
{
    internal string? Packed => Common is null ? null : FilePack.Pack(Common.Text, OfTeams);

    /// <summary>Whether the common file comes from another place than the teams' files.</summary>
    public bool IsCommonApart { get; init; }

    private IEnumerable<KeyValuePair<string, string>> OfTeams => Teams
        .Where(team => team.Contacts is not null)
        .Select(team => KeyValuePair.Create($"{team.Folder}/{ContactsFile.FileName}", team.Contacts!.Text));

    public string? TextOf(string team) => Teams.FirstOrDefault(own => own.Folder == team)?.Contacts?.Text;

    internal ContactFiles With(TeamFiles team) => this with { Teams = [.. Teams.Where(other => other.Folder != team.Folder), team] };

    public bool HasTextsOf(ContactFiles other) => Common?.Text == other.Common?.Text && OfTeams.ToHashSet().SetEquals(other.OfTeams);

    internal static ContactFiles Unpack(string name, string packed)
    {
        var (text, beside) = FilePack.Unpack(packed);
        return new(new(name, text), [.. beside.Select(file => ContactsOf(file.Key.Split('/')[0], file.Key, file.Value))]);

        static TeamFiles ContactsOf(string folder, string file, string text) =>
            new(folder, new($"{folder}/{TeamFile.FileName}", ""), new(file, text));
    }
}

public sealed record ContactsResult(ContactBook? Book, IReadOnlyList<CatalogError> Errors)
{
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];
}

/// <summary>Looks up the value of <c>${NAME}</c> only when a message is sent: no contact, record or log has the value.</summary>
public sealed partial class AddressSecrets(IConfiguration settings)
{
    /// <exception cref="DeliveryException">The setting has no value.</exception>
    public string Resolve(string to) =>
        !IsReference(to, out var name) ? to
        : Find(name) ?? throw new DeliveryException($"The setting {name} has no value.");

    /// <summary>The settings that a contacts file names, also where the file has errors.</summary>
    public static IEnumerable<string> NamedIn(string text) => Reference().Matches(text).Select(match => match.Groups[1].Value);

    public string? Find(string name) => settings[name] is { Length: > 0 } value ? value : null;

    public static bool IsReference(string to, [NotNullWhen(true)] out string? name)
    {
        var framed = to.Length > 3 && to.StartsWith("${", StringComparison.Ordinal) && to[^1] == '}';
        name = framed && to[2..^1].All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '_' or ':' or '-' or '.') ? to[2..^1] : null;
        return name is not null;
    }

    [GeneratedRegex(@"\$\{([A-Za-z0-9_:.\-]+)\}", RegexOptions.NonBacktracking)]
    private static partial Regex Reference();
}
