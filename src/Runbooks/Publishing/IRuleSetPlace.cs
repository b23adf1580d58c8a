namespace Runbooks.Publishing;

/// <summary>
/// A blob container or a folder that holds a rule set: as plain files, or as publications. What is written under a name
/// appears whole or not at all. Throws <see cref="Model.Storage.StoreUnavailableException"/> when the place does not answer.
/// </summary>
public interface IRuleSetPlace
{
    /// <summary>Where it is, for people.</summary>
    string Address { get; }

    /// <returns>Null when there is nothing of that name. Not more than <paramref name="most"/> bytes and one.</returns>
    Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken);

    /// <summary>Writes it, whether or not there is one.</summary>
    Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken);

    /// <param name="tag">Of the content that it takes the place of; null when there was none.</param>
    /// <returns>False when somebody else has written it in the meantime: then nothing was written.</returns>
    Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken);

    Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <param name="one">As it was listed.</param>
    /// <returns>False when it was written again since, or is gone: then nothing was removed.</returns>
    Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken);

    /// <summary>The plain files, as a place has them that nothing was published to; by their path from there.</summary>
    Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken);
}

/// <param name="Tag">Changes with the content.</param>
public sealed record StoredContent(byte[] Content, string Tag);

/// <param name="WrittenAt">When it was written last.</param>
/// <param name="Tag">Another one each time that it is written.</param>
public sealed record StoredName(string Name, DateTimeOffset WrittenAt, string Tag);
