using CsCheck;
using Runbooks.Catalog.Matching;

namespace Runbooks.Catalog.Tests.Matching;

public class GlobTests
{
    [Theory]
    [InlineData("HighLatency_*", "HighLatency_Cluster_B", true)]
    [InlineData("highlatency_cluster_b", "HighLatency_Cluster_B", true)]
    [InlineData("HighLatency", "HighLatency_Cluster_B", false)]
    [InlineData("*", "", true)]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("?", "", false)]
    [InlineData("llm-?-0", "llm-b-0", true)]
    [InlineData("a*a", "a", false)]
    [InlineData("*.b", "a.b", true)]
    [InlineData("a.c", "abc", false)]
    [InlineData("[a-z]*", "b", false)]
    [InlineData(@"C:\temp\*", @"c:\TEMP\x", true)]
    [InlineData(@"\*", "*", false)]
    public void Pattern_Matches(string pattern, string text, bool expected) => Glob.IsMatch(pattern, text).ShouldBe(expected);

    [Fact]
    public void EveryPattern_MatchesWhatTheTextbookSays()
    {
        var few = Gen.String[Gen.Char[@"abA*?\"], 0, 7];
        Gen.Select(few, Gen.String[Gen.Char[@"abA\"], 0, 9]).Sample(
            (pattern, text) => Glob.IsMatch(pattern, text) == Textbook(pattern, text),
            iter: 50_000);
    }

    [Fact]
    public void PatternThatExplodesElsewhere_IsAnsweredAtOnce()
    {
        // A backtracking matcher needs longer than the age of the universe for this.
        var pattern = string.Concat(Enumerable.Repeat("*a", 200)) + "*b";

        Glob.IsMatch(pattern, new string('a', 100_000)).ShouldBeFalse();
        Glob.IsMatch(pattern, new string('a', 100_000) + "b").ShouldBeTrue();
    }

    private static bool Textbook(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text) =>
        pattern.Length == 0 ? text.Length == 0
        : pattern[0] == '*' ? Textbook(pattern[1..], text) || (text.Length > 0 && Textbook(pattern, text[1..]))
        : text.Length > 0 && (pattern[0] == '?' || char.ToLowerInvariant(pattern[0]) == char.ToLowerInvariant(text[0])) && Textbook(pattern[1..], text[1..]);
}
