using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Runbooks.Publishing;

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
