using System.IO.Compression;
using System.Text.Json;
using Runbooks.Engine;

namespace Runbooks.AzureStorage;

/// <summary>
/// JSON in the binary properties of a row: compressed, in pieces of 64 KB, which is the most a property takes. Reading
/// is told the names of the pieces beforehand, so that a listing can fetch a summary without its document.
/// </summary>
internal static class PackedJson
{
    /// <summary>A row takes 1 MB with everything in it; what is left over is for the summary and the keys.</summary>
    public const int MaxPieces = 12;

    private const int Piece = 65_536;

    /// <summary>Pieces of a summary: its texts are bounded, so these always suffice.</summary>
    public static readonly string[] Summary = Names("Summary", 3);

    public static readonly string[] Document = Names("Document", MaxPieces);

    public static byte[] Pack<T>(T value)
    {
        using var packed = new MemoryStream();
        using (var brotli = new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            JsonSerializer.Serialize(brotli, value, DurableJson.Options);
        }

        return packed.ToArray();
    }

    /// <exception cref="JsonException">It is of another shape than this version knows.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static T Unpack<T>(Stream packed)
    {
        using var brotli = new BrotliStream(packed, CompressionMode.Decompress);
        try
        {
            return JsonSerializer.Deserialize<T>(brotli, DurableJson.Options)!;
        }
        catch (InvalidOperationException damaged)
        {
            throw new InvalidDataException("What is stored cannot be unpacked.", damaged);
        }
    }

    /// <returns>False when it does not fit into these pieces; then nothing was put.</returns>
    public static bool TryPut(TableEntity row, string[] pieces, byte[] packed)
    {
        if (packed.Length > pieces.Length * Piece)
        {
            return false;
        }

        for (var i = 0; i * Piece < packed.Length; i++)
        {
            row[pieces[i]] = packed[(i * Piece)..Math.Min(packed.Length, (i + 1) * Piece)];
        }

        return true;
    }

    public static T? Find<T>(TableEntity row, string[] pieces)
        where T : class
    {
        if (row.GetBinary(pieces[0]) is null)
        {
            return null;
        }

        using var packed = new MemoryStream();
        foreach (var piece in pieces.Select(row.GetBinary).TakeWhile(piece => piece is not null))
        {
            packed.Write(piece);
        }

        packed.Position = 0;
        return Unpack<T>(packed);
    }

    private static string[] Names(string name, int count) => [.. Enumerable.Range(0, count).Select(i => $"{name}{i}")];
}
