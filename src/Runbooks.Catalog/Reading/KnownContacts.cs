namespace Runbooks.Catalog.Reading;

/// <summary>What a runbook's rules have to know of the contacts.</summary>
/// <param name="Names">Whom they name.</param>
public sealed record KnownContacts(IReadOnlyCollection<string> Names)
{
    /// <summary>Those who are told by channels alone that never say whether a message arrived: no silence of theirs counts.</summary>
    public IReadOnlyCollection<string> Unheard { get; init; } = [];
}
