using System.Text;
using System.Text.Json;
using CsCheck;

namespace TestKit.Alerts;

/// <summary>Posts as senders make them, damaged in every way.</summary>
public static class DamagedPosts
{
    private static readonly byte[][] s_odd = [.. new[]
    {
        "null", "0", "-1.5e308", "17", "true", "\"\"", "\" \"", "\"\\ud800\"", "\"a\\u0000b\"", "\"\\uDBFF\\uDFFF\"", "\"[{\\\"ServiceName\\\":[]}]\"",
        "[]", "{}", "[null]", "[[[[1]]]]", "{\"name\":\"x\",\"value\":\"y\"}", "{\"a\":{\"a\":[]}}", "{\"a\":1,\"a\":2,\"A\":3}", "\"Resolved\"",
        "\"javascript:alert(1)\"", "\"https://user:secret@example.org\"", "\"2026-13-45T99:99:99Z\"", "\"/subscriptions//resourceGroups/providers/a\"",
        $"\"{new string('x', 9000)}\"", $"[{string.Join(',', Enumerable.Repeat("\"y\"", 300))}]", new string('[', 70) + new string(']', 70),
    }.Select(Encoding.UTF8.GetBytes)];

    /// <summary>One value of a post replaced by something odd.</summary>
    public static Gen<(string Source, byte[] Body)> OneValueReplaced(IReadOnlyList<(string Source, byte[] Body)> posts)
    {
        var values = posts.SelectMany(post => ValuesOf(post.Body).Select(value => (post.Source, post.Body, value.Start, value.End))).ToArray();
        return Gen.Select(OneOf(values), OneOf(s_odd), (value, odd) => (value.Source, Replace(value.Body, value.Start, value.End, odd)));
    }

    /// <summary>Some bytes of a post removed or overwritten.</summary>
    public static Gen<(string Source, byte[] Body)> BytesDamaged(IReadOnlyList<(string Source, byte[] Body)> posts) => Gen.Select(
        OneOf([.. posts]),
        Gen.Select(Gen.Int[0, 100_000], Gen.Int[0, 12], Gen.Byte.Array[0, 6]).Array[1, 8],
        (post, damages) => (post.Source, damages.Aggregate(post.Body, Damage)));

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(index => items[index]);

    private static byte[] Damage(byte[] body, (int At, int Length, byte[] With) damage)
    {
        var start = damage.At % (body.Length + 1);
        return Replace(body, start, start + damage.Length, damage.With);
    }

    private static byte[] Replace(byte[] body, int start, int end, byte[] with) => [.. body[..start], .. with, .. body[Math.Min(end, body.Length)..]];

    private static List<(int Start, int End)> ValuesOf(byte[] body)
    {
        var found = new List<(int, int)>();
        var open = new Stack<int>();
        var reader = new Utf8JsonReader(body);
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                open.Push((int)reader.TokenStartIndex);
            }
            else if (reader.TokenType is not JsonTokenType.PropertyName)
            {
                found.Add((reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray ? open.Pop() : (int)reader.TokenStartIndex, (int)reader.BytesConsumed));
            }
        }

        return found;
    }
}
