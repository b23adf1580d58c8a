using System.Collections.Concurrent;
using System.Text;
using Runbooks.Catalog;
using Runbooks.Model.Definition;
using Runbooks.Notifications;

namespace Runbooks.Publishing;

/// <summary>Reads what was published to a place. Content is checked against its hash, so half a set is never seen.</summary>
public sealed class PublishedSets(IRuleSetPlace place)
{
    /// <summary>The files of the sets that were read last; a new publication reads what has changed.</summary>
    private ConcurrentDictionary<string, string> _known = new(StringComparer.Ordinal);

    private volatile PlainSet? _plain;

    public string Address => place.Address;

    /// <returns>Null where nothing was published: the plain files count.</returns>
    /// <exception cref="InvalidDataException">The record of publications is damaged.</exception>
    public async Task<PublicationLog?> FindLogAsync(CancellationToken cancellationToken) =>
        await place.FindAsync(PublicationLog.Name, PublicationLog.MostBytes, cancellationToken) is { } found ? PublicationLog.Read(found.Content) : null;

    /// <returns>The same object while no file has changed.</returns>
    public async Task<RuleSet> ReadPlainAsync(CancellationToken cancellationToken)
    {
        var files = await place.ReadPlainAsync(cancellationToken);
        if (_plain is { } last && last.Files.SequenceEqual(files))
        {
            return last.Set;
        }

        var set = RuleSet.Of(files);
        _plain = new(files, set);
        return set;
    }

    /// <summary>The contacts of the newest set, unread; null where there are none, or where the set cannot be read.</summary>
    public async Task<ContactFiles?> FindContactsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await FindLogAsync(cancellationToken) is { } log ? await ReadAsync(log.Current, cancellationToken) : await ReadPlainAsync(cancellationToken)).People;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <exception cref="InvalidDataException">A part of the set is missing or is not what was published.</exception>
    public async Task<RuleSet> ReadAsync(Publication publication, CancellationToken cancellationToken)
    {
        var manifest = SetManifest.Read(publication.Set, await ReadAsync(SetManifest.NameOf(publication.Set), SetManifest.MostBytes, cancellationToken));
        var texts = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        await BoundedConcurrency.ForEachAsync(manifest.Files.Select(file => file.Hash).Distinct(StringComparer.Ordinal).ToList(), Publisher.AtOnce, async hash =>
            texts[hash] = _known.TryGetValue(hash, out var text) ? text : await ReadTextAsync(hash, cancellationToken));
        _known = texts;
        return RuleSet.Of([.. manifest.Files.Select(file => new RunbookFile(file.Name, texts[file.Hash]))]).As(publication);
    }

    private async Task<string> ReadTextAsync(string hash, CancellationToken cancellationToken)
    {
        var content = await ReadAsync($"{SetManifest.FilesFolder}{hash}", RuleSet.MostFileBytes, cancellationToken);
        return SetManifest.HashOf(content) == hash ? Encoding.UTF8.GetString(content) : throw new InvalidDataException($"{SetManifest.FilesFolder}{hash} is not what was published.");
    }

    private async Task<byte[]> ReadAsync(string name, int most, CancellationToken cancellationToken) =>
        (await place.FindAsync(name, most, cancellationToken))?.Content ?? throw new InvalidDataException($"{name} is missing.");

    private sealed record PlainSet(IReadOnlyList<RunbookFile> Files, RuleSet Set);
}
