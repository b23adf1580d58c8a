using System.Text;

namespace TestKit.Fuzz;

/// <summary>Damages inputs in the ways that have broken parsers before. The same seed damages in the same way.</summary>
public sealed class Mutator(int seed, IReadOnlyList<byte[]> corpus)
{
    private const int Largest = 70_000;

    private static readonly byte[][] s_odd = [.. new[]
    {
        "", "null", "true", "0", "-0", "-1", "1e999", "-1.5e308", "2147483648", "9223372036854775808", "0x1F", "NaN", "\"\"", "[]", "{}", "[null]", "{\"a\":1,\"a\":2}",
        "\"\\ud800\"", "\"a\\u0000b\"", "\uFEFF", "\u202E", "e\u0301", "\u00A0", "🙂", "\0", "\r", "\n", "\t", "\\", "'", "\"", "`", "<script>", "&lt;", "%00", "%2F..%2F", "../../etc/passwd",
        "{{ labels.pod }}", "{{", "}}", "${HOME}", "- ", ": ", "#", "&a", "*a", "!!binary", "|", ">", "---", "<<: *a", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999+14:00",
        "javascript:alert(1)", "https://user:secret@example.org", "http://169.254.169.254/", "/subscriptions//resourceGroups/providers/a", "PT0S", "99999d", "-5m", "resolved", "firing", "[[[[[[[[", "{\"a\":{\"a\":{\"a\":",
    }.Select(Encoding.UTF8.GetBytes)];

    private readonly Random _random = new(seed);

    /// <summary>One of the corpus, damaged one to six times; now and then as it is.</summary>
    public byte[] Next()
    {
        var input = Pick(corpus);
        for (var times = _random.Next(7); times > 0; times--)
        {
            input = Damage(input);
        }

        return input.Length > Largest ? input[..Largest] : input;
    }

    private byte[] Damage(byte[] input)
    {
        var (start, end) = Range(input.Length);
        switch (_random.Next(9))
        {
            case 0 when input.Length > 0:
                input = [.. input];
                input[_random.Next(input.Length)] ^= (byte)(1 << _random.Next(8));
                return input;
            case 1:
                return Put(input, start, start, Pick(s_odd));
            case 2:
                return Put(input, start, end, []);
            case 3:
                return Put(input, start, start, input[start..end]);
            case 4:
                return Put(input, start, start, Repeat(Pick(s_odd), _random.Next(1, 400)));
            case 5:
                var other = Pick(corpus);
                var (from, to) = Range(other.Length);
                return Put(input, start, end, other[from..to]);
            case 6:
                return input[..end];
            default:
                // What stands between two signs of the grammar: a name, a value, a line.
                (start, end) = Token(input);
                return Put(input, start, end, Pick(s_odd));
        }
    }

    private (int Start, int End) Token(byte[] input)
    {
        bool Separates(int at) => input[at] is (byte)'"' or (byte)',' or (byte)':' or (byte)'{' or (byte)'}' or (byte)'[' or (byte)']' or (byte)'\n' or (byte)'&' or (byte)'=' or (byte)'.' or (byte)' ';
        var start = _random.Next(input.Length + 1);
        while (start < input.Length && Separates(start))
        {
            start++;
        }

        var end = start;
        while (end < input.Length && !Separates(end))
        {
            end++;
        }

        while (start > 0 && !Separates(start - 1))
        {
            start--;
        }

        return (start, end);
    }

    private (int Start, int End) Range(int length)
    {
        var start = _random.Next(length + 1);
        return (start, Math.Min(length, start + _random.Next(_random.Next(4) == 0 ? 2_000 : 12)));
    }

    private T Pick<T>(IReadOnlyList<T> items) => items[_random.Next(items.Count)];

    private static byte[] Repeat(byte[] piece, int times) => [.. Enumerable.Repeat(piece, times).SelectMany(each => each)];

    private static byte[] Put(byte[] input, int start, int end, byte[] with) => [.. input.AsSpan(0, start), .. with, .. input.AsSpan(end)];
}
