using System.Text;
using System.Text.Unicode;

namespace Runbooks.Catalog.Yaml;

/// <summary>Letters of a text in UTF-8 that was read as Windows-1252 and written as UTF-8 again: <c>MÃ¼nchen</c>.</summary>
internal static class Misread
{
    /// <summary>What Windows-1252 has from 0x80 to 0x9F; above that it is Unicode's own order.</summary>
    private const string Windows1252 =
        "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    /// <returns>The first letters that are valid UTF-8 when they are written in Windows-1252; null where there are none. Accents of any language hardly ever are.</returns>
    public static (int At, string Written, string Meant)? Find(string line)
    {
        for (var start = 0; start < line.Length; start++)
        {
            if (ByteOf(line[start]) is null)
            {
                continue;
            }

            var bytes = line.Skip(start).Select(ByteOf).TakeWhile(one => one is not null).Select(one => one!.Value).ToArray();
            if (Utf8.IsValid(bytes) && Encoding.UTF8.GetString(bytes) is var meant && meant.All(IsUsual))
            {
                return (start, line.Substring(start, bytes.Length), meant);
            }

            start += bytes.Length;
        }

        return null;
    }

    /// <summary>Accented letters of Europe, dashes and quotation marks: 'É»' is the end of a French quotation, and no 'ɻ'.</summary>
    private static bool IsUsual(char letter) => letter is (>= '\u00A0' and <= '\u017F') or (>= '\u2010' and <= '\u20BF');

    private static byte? ByteOf(char letter) => letter switch
    {
        < '\u0080' => null,
        >= '\u00A0' and <= '\u00FF' => (byte)letter,
        _ => Windows1252.IndexOf(letter, StringComparison.Ordinal) is var at and >= 0 ? (byte)(0x80 + at) : null,
    };
}
