using CsCheck;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Alerts;
using TestKit;
using TestKit.Alerts;

namespace Runbooks.Tests.Intake.Parsing;

/// <summary>The case folders' posts, damaged in every way: whatever comes, the answer is alerts or errors, within the limits.</summary>
public class AlertFuzzTests
{
    private static readonly (string Source, byte[] Body)[] Posts = [.. AlertCases.Names.Select(name => (AlertCases.SourceOf(name), AlertCases.Body(name)))];

    [Fact]
    public void OneValueOfAPostReplaced_AnswersWithinTheLimits() => DamagedPosts.OneValueReplaced(Posts).Sample(Check, iter: Rounds.Of(10_000));

    [Fact]
    public void BytesOfAPostDamaged_AnswersWithinTheLimits() => DamagedPosts.BytesDamaged(Posts).Sample(Check, iter: Rounds.Of(10_000));

    /// <summary>Read as what it was, and as what anybody may post.</summary>
    private static void Check((string Source, byte[] Body) post)
    {
        foreach (var source in (string[])[post.Source, "generic"])
        {
            // What the first post of a process builds for all others is not the post's: it is read again before it counts.
            var parsed = Readers.BuiltIn.Read(source, post.Body);
            Assert.True(CostOf(source, post.Body) < 1_000_000, "a post of a few KB costs less than 1 MB");
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

    private static long CostOf(string source, byte[] body)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Readers.BuiltIn.Read(source, body);
        return GC.GetAllocatedBytesForCurrentThread() - before;
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
}
