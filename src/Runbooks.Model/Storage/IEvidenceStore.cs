using System.Buffers;

namespace Runbooks.Model.Storage;

/// <summary>Keeps what is too large or too sensitive for an incident's record: logs, forensic bundles.</summary>
public interface IEvidenceStore
{
    /// <summary>The same name again replaces the content.</summary>
    /// <param name="name">1 to 100 letters, digits, dots, dashes and underscores.</param>
    /// <returns>The reference for <see cref="OpenAsync"/>: <c>{incident}/{name}</c>.</returns>
    Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken);

    /// <returns>Null if there is no such evidence.</returns>
    Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken);

    Task DeleteAsync(string incidentId, CancellationToken cancellationToken);
}

/// <summary>A reference may come from a link and becomes a path, so only plain names are accepted.</summary>
public sealed record EvidenceName
{
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_");

    private EvidenceName(string incident, string name) => (Incident, Name) = (incident, name);

    public string Incident { get; }

    public string Name { get; }

    public override string ToString() => $"{Incident}/{Name}";

    /// <exception cref="ArgumentException">One of the two is not a valid name.</exception>
    public static EvidenceName Of(string incident, string name) =>
        IsName(incident) && IsName(name)
            ? new(incident, name)
            : throw new ArgumentException(
                "The name of evidence, and of its incident, is made of 1 to 100 letters, digits, dots, dashes and underscores and does "
                + "not begin with a dot.");

    /// <returns>Null if the text is not a reference.</returns>
    public static EvidenceName? Parse(string reference) =>
        reference.Split('/') is [var incident, var name] && IsName(incident) && IsName(name) ? new(incident, name) : null;

    public static bool IsName(string text) =>
        text.Length is >= 1 and <= 100 && text[0] != '.' && !text.AsSpan().ContainsAnyExcept(s_allowed);
}
