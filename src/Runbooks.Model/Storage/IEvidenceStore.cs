using System.Buffers;

namespace Runbooks.Model.Storage;

/// <summary>Keeps what is too large or too delicate for an incident's record: logs, forensic bundles.</summary>
public interface IEvidenceStore
{
    /// <summary>Keeps the content under a name made of both parts; the same name again replaces it.</summary>
    /// <param name="name">Letters, digits, dot, dash and underscore; at most 100 characters.</param>
    /// <returns>The reference by which <see cref="OpenAsync"/> finds it: <c>{incident}/{name}</c>.</returns>
    Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken);

    /// <returns>Null when there is no such evidence.</returns>
    Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken);

    /// <summary>Removes all evidence of an incident.</summary>
    Task DeleteAsync(string incidentId, CancellationToken cancellationToken);
}

/// <summary>
/// The two parts of an evidence reference. A reference may come from a link and ends as a path, so what is not
/// plainly a name is none.
/// </summary>
public sealed record EvidenceName
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    private EvidenceName(string incident, string name) => (Incident, Name) = (incident, name);

    public string Incident { get; }

    public string Name { get; }

    public override string ToString() => $"{Incident}/{Name}";

    /// <exception cref="ArgumentException">One of the two is not a name.</exception>
    public static EvidenceName Of(string incident, string name) =>
        IsName(incident) && IsName(name)
            ? new(incident, name)
            : throw new ArgumentException(
                "The name of evidence, and of its incident, is made of 1 to 100 letters, digits, dots, dashes and underscores and does not begin with a dot.");

    /// <returns>Null when the text is no reference.</returns>
    public static EvidenceName? Parse(string reference) =>
        reference.Split('/') is [var incident, var name] && IsName(incident) && IsName(name) ? new(incident, name) : null;

    public static bool IsName(string text) =>
        text.Length is >= 1 and <= 100 && text[0] != '.' && !text.AsSpan().ContainsAnyExcept(s_allowed);
}
