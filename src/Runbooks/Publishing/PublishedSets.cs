using System.Security.Cryptography;
using System.Text.Json.Serialization;

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

/// <summary>
/// The one record that decides what is in force: the publications that are kept, the newest first. It is replaced as a whole
/// and only by whoever has seen the one before.
/// </summary>
public sealed record PublicationLog(IReadOnlyList<Publication> Publications)
{
    /// <summary>How many one can go back to; what only older ones need is removed.</summary>
    public const int Kept = 20;

    public const string Name = "published/current.json";

    internal const int MostBytes = 256 * 1024;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true };

    [JsonIgnore]
    public Publication Current => Publications[0];

    /// <param name="named">A number, or the beginning of a set's hash.</param>
    /// <returns>Null when none is kept that is called so.</returns>
    public Publication? Find(string named) => Publications.FirstOrDefault(publication => $"{publication.Number}" == named)
        ?? (named.Length >= 6 ? Publications.FirstOrDefault(publication => publication.Set.StartsWith(named, StringComparison.OrdinalIgnoreCase)) : null);

    internal PublicationLog With(Publication next) => new([.. Publications.Prepend(next).Take(Kept)]);

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);

    /// <exception cref="InvalidDataException">It is not what a publisher writes.</exception>
    internal static PublicationLog Read(byte[] content)
    {
        try
        {
            var log = content.Length <= MostBytes ? JsonSerializer.Deserialize<PublicationLog>(content, s_json) : null;
            if (log?.Publications is { Count: > 0 } all && all.All(one => one is { Set: { } set, By: not null } && SetManifest.IsHash(set)))
            {
                return new([.. all.Take(Kept).Select(publication => publication.Cleaned())]);
            }
        }
        catch (JsonException)
        {
        }

        throw new InvalidDataException($"{Name} is damaged. Publish the runbooks again, or remove it to go back to the plain files.");
    }
}

/// <summary>The files of one set, by their path and the hash under which their content is kept. It never changes.</summary>
internal sealed record SetManifest(IReadOnlyList<SetEntry> Files)
{
    public const string FilesFolder = "published/files/";
    public const string SetsFolder = "published/sets/";
    public const int MostBytes = 1024 * 1024;
    public const int MostFiles = 2_000;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static string NameOf(string set) => $"{SetsFolder}{set}.json";

    public static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public static bool IsHash(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigitLower);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);

    /// <exception cref="InvalidDataException">It is not what was published.</exception>
    public static SetManifest Read(string set, byte[] content)
    {
        try
        {
            if (HashOf(content) == set && JsonSerializer.Deserialize<SetManifest>(content, s_json) is { Files: { } files } manifest
                && files.Count <= MostFiles && files.All(file => file is { Name.Length: > 0, Hash: { } hash } && IsHash(hash)))
            {
                return manifest;
            }
        }
        catch (JsonException)
        {
        }

        throw new InvalidDataException($"{NameOf(set)} is not what was published.");
    }
}

internal sealed record SetEntry(string Name, string Hash);
