using Runbooks.Catalog.Matching;

namespace Runbooks.Catalog.Reading;

/// <summary>Whose runbooks lie in a folder.</summary>
/// <param name="Owner">A contact, for runbooks that name no owner.</param>
/// <param name="Contacts">The names that the team has for itself.</param>
/// <param name="Actions">What its runbooks may do, as patterns; empty for everything.</param>
public sealed record Team(string Name, string Owner, IReadOnlyList<string> Contacts, IReadOnlyList<string> Actions)
{
    /// <summary>A contact is named with its team, and messages show it.</summary>
    public const int LongestName = 40;

    /// <summary>Where it stands what is not allowed.</summary>
    public required string File { get; init; }

    /// <summary>The contact that a runbook of this team means: the team's own if it has one of that name.</summary>
    public string Meant(string contact) => Contacts.FirstOrDefault(own => string.Equals(own, contact, StringComparison.OrdinalIgnoreCase)) is { } own ? Qualified(Name, own) : contact;

    /// <summary>As everybody outside the team names a contact of it.</summary>
    public static string Qualified(string team, string contact) => $"{team}.{contact}";

    public bool MayUse(string action) => Actions.Count == 0 || Actions.Any(pattern => Glob.IsMatch(pattern, action));
}
