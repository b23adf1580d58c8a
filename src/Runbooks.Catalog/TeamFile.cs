using Runbooks.Catalog.Reading;

namespace Runbooks.Catalog;

/// <summary>Reads <c>team.yaml</c>, which makes a subfolder a team's folder.</summary>
public static class TeamFile
{
    public const string FileName = "team.yaml";

    private const string ContactsKey = "contacts";

    /// <summary>Subfolders with another meaning.</summary>
    private static readonly string[] s_taken = ["samples", "tests", "published"];

    public static bool IsTaken(string folder) => s_taken.Contains(folder);

    /// <summary>Whether a team may have this name, which is part of its contacts' names.</summary>
    public static bool IsName(string name) => name.Length <= Team.LongestName && NameRules.IsId(name) && !IsTaken(name);

    /// <summary>The people behind the contacts are read elsewhere.</summary>
    /// <param name="known">The names of the common contacts. Null if they are not checked.</param>
    public static TeamResult Read(TeamFiles files, IReadOnlyCollection<string>? known = null)
    {
        var (file, errors) = (files.File, new FileErrors(files.File.Name, files.File.Text));
        if (Path.GetFileName(file.Name) != FileName)
        {
            errors.Add(new(1, 1), "", $"The file is called '{Clip.To(Path.GetFileName(file.Name), 80)}'.", $"Call it {FileName}.");
        }

        if (YamlSection.Open(errors, "name") is not { } root)
        {
            return new(null, errors.Sorted) { Warnings = errors.Warnings };
        }

        var name = root.Text("name", required: true, longest: 200);
        if (name.Length > 0 && !IsName(name))
        {
            errors.AtValue(
                "name",
                $"is '{Clip.To(name, 80)}'.",
                $"Use at most {Team.LongestName} lower-case letters, digits and dashes, beginning with a letter, but not "
                + $"{string.Join(", ", s_taken)}, and call the folder so too.");
        }
        else if (name.Length > 0 && name != files.Folder)
        {
            errors.AtValue("name", $"is '{name}', and the folder is called '{Clip.To(files.Folder, 80)}'.", "Give both the same name.");
        }

        var owner = root.Text("owner", required: true, longest: 100);
        var actions = root.TextList("actions");
        root.RejectOthers();
        var contacts = Contacts(files.Contacts, errors, out var unreadable);
        var team = errors.Count > 0 || unreadable.Count > 0 || files.Waits is not null
            ? null
            : new Team(name, owner, contacts, actions) { File = file.Name };
        if (known is not null && team?.Meant(owner) is { } meant && !known.Contains(meant, StringComparer.OrdinalIgnoreCase))
        {
            errors.AtValue(
                "owner",
                $"names '{Clip.To(owner, 80)}', and the contacts have nobody of that name.",
                $"{Suggestion.For(owner, [.. contacts, .. known])}Add it under 'contacts' in the team's contacts file or in that of all.");
        }

        return new(team, [.. errors.Sorted, .. unreadable, .. files.Waits is { } waits ? [waits] : Array.Empty<CatalogError>()]) { Warnings = errors.Warnings };
    }

    private static List<string> Contacts(RunbookFile? file, FileErrors errors, out IReadOnlyList<CatalogError> unreadable)
    {
        unreadable = [];
        if (file is null)
        {
            return [];
        }

        var own = new FileErrors(file.Name, file.Text);
        var root = YamlSection.Open(own, "people");
        unreadable = own.Sorted;
        return root is null ? [] :
        [
            .. root.Node(ContactsKey) is YamlMapping contacts ? contacts.Entries.Select(entry => entry.Key) : [],
            .. root.Node("groups") is YamlMapping groups ? groups.Entries.Select(entry => $"group:{entry.Key}") : [],
        ];
    }
}

/// <summary>Errors are in the file's order.</summary>
public sealed record TeamResult(Team? Team, IReadOnlyList<CatalogError> Errors)
{
    public IReadOnlyList<CatalogError> Warnings { get; init; } = [];
}
