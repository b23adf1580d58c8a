using System.Text;
using System.Text.Json;
using CsCheck;
using Runbooks.Alerts;

namespace Runbooks.Tests.Alerts;

/// <summary>The case folders' posts, damaged in every way: whatever comes, the answer is alerts or errors, within the limits.</summary>
public class AlertFuzzTests
{
    private static readonly (string Source, byte[] Body)[] Posts = [.. AlertCases.Names.Select(name => (AlertCases.SourceOf(name), AlertCases.Body(name)))];

    private static readonly byte[][] Odd = [.. new[]
    {
        "null", "0", "-1.5e308", "17", "true", "\"\"", "\" \"", "\"\\ud800\"", "\"a\\u0000b\"", "\"\\uDBFF\\uDFFF\"", "\"[{\\\"ServiceName\\\":[]}]\"",
        "[]", "{}", "[null]", "[[[[1]]]]", "{\"name\":\"x\",\"value\":\"y\"}", "{\"a\":{\"a\":[]}}", "{\"a\":1,\"a\":2,\"A\":3}", "\"Resolved\"",
        "\"javascript:alert(1)\"", "\"https://user:secret@example.org\"", "\"2026-13-45T99:99:99Z\"", "\"/subscriptions//resourceGroups/providers/a\"",
        $"\"{new string('x', 9000)}\"", $"[{string.Join(',', Enumerable.Repeat("\"y\"", 300))}]", new string('[', 70) + new string(']', 70),
    }.Select(Encoding.UTF8.GetBytes)];

    private static readonly (string Source, byte[] Body, int Start, int End)[] Values =
        [.. Posts.SelectMany(post => ValuesOf(post.Body).Select(value => (post.Source, post.Body, value.Start, value.End)))];

    private static readonly Gen<(string, byte[])> OneValueReplaced = Gen.Select(
        OneOf(Values),
        OneOf(Odd),
        (value, odd) => (value.Source, Replace(value.Body, value.Start, value.End, odd)));

    private static readonly Gen<(string, byte[])> BytesDamaged = Gen.Select(
        OneOf(Posts),
        Gen.Select(Gen.Int[0, 100_000], Gen.Int[0, 12], Gen.Byte.Array[0, 6]).Array[1, 8],
        (post, damages) => (post.Source, damages.Aggregate(post.Body, Damage)));

    [Fact]
    public void OneValueOfAPostReplaced_AnswersWithinTheLimits() => OneValueReplaced.Sample(Check, iter: 10_000);

    [Fact]
    public void BytesOfAPostDamaged_AnswersWithinTheLimits() => BytesDamaged.Sample(Check, iter: 10_000);

    private static Gen<T> OneOf<T>(T[] items) => Gen.Int[0, items.Length - 1].Select(index => items[index]);

    private static byte[] Damage(byte[] body, (int At, int Length, byte[] With) damage)
    {
        var start = damage.At % (body.Length + 1);
        return Replace(body, start, start + damage.Length, damage.With);
    }

    /// <summary>Read as what it was, and as what anybody may post.</summary>
    private static void Check((string Source, byte[] Body) post)
    {
        foreach (var source in (string[])[post.Source, "generic"])
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var parsed = Readers.BuiltIn.Read(source, post.Body);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000, "a post of a few KB costs less than 1 MB");
            Assert.True(parsed.Alerts.Count + parsed.Errors.Count > 0, "never neither");
            foreach (var alert in parsed.Alerts)
            {
                CheckBounds(alert);
            }

            foreach (var error in parsed.Errors)
            {
                CheckText(error.ToString(), 500);
                Assert.StartsWith("$", error.Path, StringComparison.Ordinal);
            }
        }
    }

    private static void CheckBounds(Alert alert)
    {
        CheckText(alert.Name, AlertLimits.Name);
        CheckText(alert.Fingerprint, AlertLimits.Fingerprint);
        CheckText(alert.Severity ?? "-", AlertLimits.Severity);
        CheckText(alert.Summary ?? "-", AlertLimits.Summary);
        CheckText(alert.Runbook ?? "-", AlertLimits.Runbook);
        CheckText(alert.Link ?? "-", AlertLimits.Link);
        Assert.True(alert.Link is null || alert.Link.StartsWith("http://", StringComparison.Ordinal) || alert.Link.StartsWith("https://", StringComparison.Ordinal), alert.Link);
        Assert.True(alert.Labels.Count <= AlertLimits.Labels && alert.Annotations.Count <= AlertLimits.Annotations && alert.Resources.Count <= AlertLimits.Resources, "at most so many");
        foreach (var (name, value) in alert.Labels.Concat(alert.Annotations))
        {
            CheckText(name, AlertLimits.LabelName + "value.".Length);
            CheckText(value, AlertLimits.AnnotationValue);
        }
    }

    private static void CheckText(string text, int max)
    {
        // Plain conditions: this runs millions of times.
        if (text.Length == 0 || text.Length > max)
        {
            Assert.Fail($"{text.Length} characters, of at most {max}: {text}");
        }

        for (var at = 0; at < text.Length; at++)
        {
            if (char.IsSurrogatePair(text, at))
            {
                at++;
            }
            else if (char.IsSurrogate(text[at]) || (char.IsControl(text[at]) && text[at] is not ('\n' or '\t')))
            {
                Assert.Fail($"U+{(int)text[at]:X4} at {at}: {text}");
            }
        }
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
