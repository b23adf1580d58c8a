using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Runbooks.Publishing;

/// <summary>
/// Puts a set of files in force at once. It writes the contents first, then the set, and last the record that hosts read, so a publisher
/// that is stopped has changed nothing. Of two at the same time, the second one learns of the first.
/// </summary>
public sealed class Publisher(IRuleSetPlace place, TimeProvider time)
{
    internal const int AtOnce = 8;

    /// <summary>Younger content is not removed, since another publisher may be about to use it.</summary>
    private static readonly TimeSpan s_spared = TimeSpan.FromDays(1);

    /// <summary>What is in force now. A publication replaces exactly this state.</summary>
    public async Task<PublishedState> LookAsync(CancellationToken cancellationToken)
    {
        if (await place.FindAsync(PublicationLog.Name, PublicationLog.MostBytes, cancellationToken) is not { } found)
        {
            return new(null, null);
        }

        try
        {
            return new(PublicationLog.Read(found.Content), found.Tag);
        }
        catch (InvalidDataException broken)
        {
            return new(null, found.Tag, broken.Message);
        }
    }

    /// <summary>Refuses sets that hosts would not read.</summary>
    /// <exception cref="InvalidDataException">A file is too large, or there are too many.</exception>
    public static void CheckSize(IReadOnlyList<RunbookFile> files)
    {
        if (files.FirstOrDefault(file => Encoding.UTF8.GetByteCount(file.Text) > RuleSet.MostFileBytes) is { } large)
        {
            throw new InvalidDataException(
                $"{large.Name} is larger than {RuleSet.MostFileBytes / 1024} KB, and hosts would refuse it. "
                + "Make it smaller, or take it out of the folder.");
        }

        if (files.Count > SetManifest.MostFiles)
        {
            throw new InvalidDataException(
                $"There are {files.Count} files, and hosts take at most {SetManifest.MostFiles}. "
                + "Take out of the folder what does not belong to the runbooks.");
        }
    }

    /// <param name="files">By their path from the root of the set.</param>
    /// <param name="origin">Its number, set and time are ignored.</param>
    /// <inheritdoc cref="CheckSize"/>
    public async Task<PublishResult> PublishAsync(
        PublishedState state, IReadOnlyList<RunbookFile> files, Publication origin, CancellationToken cancellationToken)
    {
        CheckSize(files);
        var contents = files
            .Select(file => (file.Name, Content: Encoding.UTF8.GetBytes(file.Text)))
            .Select(file => (file.Name, file.Content, Hash: SetManifest.HashOf(file.Content)))
            .ToList();
        var entries = contents.OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new SetEntry(file.Name, file.Hash));
        var manifest = new SetManifest([.. entries]).Write();
        if (manifest.Length > SetManifest.MostBytes)
        {
            throw new InvalidDataException(
                $"The list of the files is larger than {SetManifest.MostBytes / 1024} KB, and hosts would refuse it. "
                + "Give the files shorter names, or keep fewer of them in the folder.");
        }

        var set = SetManifest.HashOf(manifest);
        var inForce = await FindWholeAsync(state, cancellationToken);
        if (inForce?.Set == set)
        {
            return new(inForce, PublishOutcome.Unchanged);
        }

        // Content of the set in force cannot be removed now. All other content is written again, which also makes it young.
        var there = inForce is null ? [] : await HashesAsync(inForce.Set, cancellationToken) ?? [];
        var missing = contents.DistinctBy(file => file.Hash).Where(file => !there.Contains(file.Hash)).ToList();
        await BoundedConcurrency.ForEachAsync(
            missing, AtOnce, file => place.WriteAsync($"{SetManifest.FilesFolder}{file.Hash}", file.Content, cancellationToken));
        await place.WriteAsync(SetManifest.NameOf(set), manifest, cancellationToken);
        return await PutInForceAsync(state, origin with { Set = set }, cancellationToken);
    }

    public Task<PublishResult> RollBackAsync(
        PublishedState state, Publication earlier, Publication origin, CancellationToken cancellationToken) =>
        PutInForceAsync(
            state,
            origin with
            {
                Set = earlier.Set,
                Repository = earlier.Repository,
                Commit = earlier.Commit,
                Author = earlier.Author,
                RollsBackTo = earlier.RollsBackTo ?? earlier.Number,
            },
            cancellationToken);

    /// <exception cref="StoreUnavailableException">The place does not answer. The rest is removed the next time.</exception>
    public async Task<int> PruneAsync(CancellationToken cancellationToken)
    {
        if ((await LookAsync(cancellationToken)).Log is not { } log)
        {
            return 0;
        }

        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var set in log.Publications.Select(publication => publication.Set).Distinct(StringComparer.Ordinal))
        {
            // What an unreadable set needs is not known, so nothing is removed.
            if (await HashesAsync(set, cancellationToken) is not { } hashes)
            {
                return 0;
            }

            needed.Add(SetManifest.NameOf(set));
            needed.UnionWith(hashes.Select(hash => $"{SetManifest.FilesFolder}{hash}"));
        }

        var old = time.GetUtcNow() - s_spared;
        var contents = await place.ListAsync(SetManifest.FilesFolder, cancellationToken);
        var sets = await place.ListAsync(SetManifest.SetsFolder, cancellationToken);
        var unneeded = contents.Concat(sets).Where(stored => stored.WrittenAt < old && !needed.Contains(stored.Name)).ToList();
        var removed = 0;

        // RemoveAsync leaves a file that a publisher has written again since it was listed.
        await BoundedConcurrency.ForEachAsync(unneeded, AtOnce, async stored =>
        {
            if (await place.RemoveAsync(stored, cancellationToken))
            {
                Interlocked.Increment(ref removed);
            }
        });
        return removed;
    }

    /// <returns>What is in force; null where a part of it is missing or damaged, so that no host can use it.</returns>
    private async Task<Publication?> FindWholeAsync(PublishedState state, CancellationToken cancellationToken)
    {
        if (state.Log is not { } log)
        {
            return null;
        }

        try
        {
            await new PublishedSets(place).ReadAsync(log.Current, cancellationToken);
            return log.Current;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private async Task<PublishResult> PutInForceAsync(PublishedState state, Publication origin, CancellationToken cancellationToken)
    {
        var next = (origin with { Number = (state.Log?.Current.Number ?? 0) + 1, At = time.GetUtcNow() }).Cleaned();
        var log = state.Log?.With(next) ?? new PublicationLog([next]);
        if (await place.ReplaceAsync(PublicationLog.Name, log.Write(), state.Tag, cancellationToken))
        {
            return new(next, PublishOutcome.Published);
        }

        // The answer to our own write may have been lost.
        var now = (await LookAsync(cancellationToken)).Log?.Current;
        return now == next ? new(next, PublishOutcome.Published) : new(now, PublishOutcome.SomebodyWasFirst);
    }

    private async Task<HashSet<string>?> HashesAsync(string set, CancellationToken cancellationToken)
    {
        try
        {
            return await place.FindAsync(SetManifest.NameOf(set), SetManifest.MostBytes, cancellationToken) is { } found
                ? [.. SetManifest.Read(set, found.Content).Files.Select(file => file.Hash)]
                : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

/// <param name="Log">Null where nothing was published, or where the record is damaged.</param>
public sealed record PublishedState(PublicationLog? Log, string? Tag, string? Damage = null);

/// <param name="Publication">What is in force now; null where that is not known.</param>
public sealed record PublishResult(Publication? Publication, PublishOutcome Outcome);

public enum PublishOutcome
{
    Published,

    Unchanged,

    /// <summary>Somebody published in the meantime; nothing was changed.</summary>
    SomebodyWasFirst,
}

/// <summary>
/// The record that decides what is in force: the publications that are kept, the newest first. Only a publisher that has seen the
/// current record can replace it.
/// </summary>
public sealed record PublicationLog(IReadOnlyList<Publication> Publications)
{
    /// <summary>How many publications one can go back to. What only older ones need is removed.</summary>
    public const int Kept = 20;

    public const string Name = "published/current.json";

    internal const int MostBytes = 256 * 1024;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    [JsonIgnore]
    public Publication Current => Publications[0];

    /// <param name="named">A number, or the beginning of a set's hash.</param>
    public Publication? Find(string named) =>
        Publications.FirstOrDefault(publication => $"{publication.Number}" == named)
        ?? (named.Length >= 6
            ? Publications.FirstOrDefault(publication => publication.Set.StartsWith(named, StringComparison.OrdinalIgnoreCase))
            : null);

    internal PublicationLog With(Publication next) => new([.. Publications.Prepend(next).Take(Kept)]);

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, s_json);

    /// <exception cref="InvalidDataException">It is not what a publisher writes.</exception>
    internal static PublicationLog Read(byte[] content)
    {
        try
        {
            var log = content.Length <= MostBytes ? JsonSerializer.Deserialize<PublicationLog>(content, s_json) : null;
            if (log?.Publications is { Count: > 0 } publications
                && publications.All(publication => publication is { Set: { } set, By: not null } && SetManifest.IsHash(set)))
            {
                return new([.. publications.Take(Kept).Select(publication => publication.Cleaned())]);
            }
        }
        catch (JsonException)
        {
        }

        throw new InvalidDataException($"{Name} is damaged. Publish the runbooks again, or remove it to go back to the plain files.");
    }
}

/// <summary>The files of one set, by path, with the hash that each content is kept under. It never changes.</summary>
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
            var manifest = HashOf(content) == set ? JsonSerializer.Deserialize<SetManifest>(content, s_json) : null;
            if (manifest is { Files: { Count: <= MostFiles } files }
                && files.All(file => file is { Name.Length: > 0, Hash: { } hash } && IsHash(hash)))
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
