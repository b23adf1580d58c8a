using System.Globalization;
using Runbooks.Model.Text;

namespace Runbooks.Model.Tests.Text;

public sealed class CleanTextTests
{
    [Theory]
    [InlineData("zero\u200Bwidth", "zero\uFFFDwidth")]
    [InlineData("so\u00ADft", "so\uFFFDft")]
    [InlineData("jo\u200Din", "jo\uFFFDin")]
    [InlineData("\u200Cfirst", "\uFFFDfirst")]
    [InlineData("word\u2060joiner", "word\uFFFDjoiner")]
    [InlineData("in\u2066side\u2069", "in\uFFFDside\uFFFD")]
    [InlineData("fill\u3164er", "fill\uFFFDer")]
    [InlineData("tag \U000E0041\U000E007F", "tag \uFFFD\uFFFD")]
    [InlineData("variant \U000E0101", "variant \uFFFD")]
    [InlineData("bell\u0007", "bell\uFFFD")]
    [InlineData("csi\u009B31m", "csi\uFFFD31m")]
    public void WhatCannotBeSeen_LeavesAMark(string text, string clean) => CleanText.Clean(text, 100, oneLine: true).ShouldBe(clean);

    [Theory]
    [InlineData("\U0001F469\u200D\U0001F692 on call")]
    [InlineData("می\u200Cخواهم")]
    [InlineData("❤\uFE0F größer 東京")]
    public void WhatCanBeSeen_Stays(string text) => CleanText.Clean(text, 100, oneLine: true).ShouldBe(text);

    [Fact]
    public void HalfOfASurrogatePair_LeavesAMark() => CleanText.Clean("a\uD800b\uDC00", 100, oneLine: true).ShouldBe("a\uFFFDb\uFFFD");
}

public sealed class ClipTests
{
    [Theory]
    [InlineData("short", 5, "short")]
    [InlineData("longer", 5, "long…")]
    [InlineData("abc😀def", 5, "abc…")] // a surrogate pair
    [InlineData("abce\u0301def", 5, "abc…")] // a letter and its accent
    [InlineData("abce\u0301def", 6, "abce\u0301…")]
    [InlineData("a👩\u200D👩\u200D👧b", 6, "a…")] // a family, joined of three people
    [InlineData("😀😀", 2, "…")]
    [InlineData("ab", 1, "…")]
    public void Text_IsCutBetweenTwoCharactersThatAReaderSees(string text, int length, string expected) => Clip.To(text, length).ShouldBe(expected);

    [Theory]
    [InlineData("/a/b", 4, "/a/b")]
    [InlineData("/0123456789/stop", 10, "/012…/stop")]
    [InlineData("/0123456789😀stop", 12, "/0123…😀stop")]
    [InlineData("/0123456789😀stop", 10, "/012…stop")]
    public void Middle_KeepsBothEnds(string text, int length, string expected) => Clip.Middle(text, length).ShouldBe(expected);

    [Theory]
    [InlineData("plain text without anything special in it")]
    [InlineData("ünï e\u0301 日本語 😀 👩\u200D👩\u200D👧 🇩🇪🇫🇷 \r\n \ud800 end")]
    public void WhateverTheLength_TheResultFitsAndEndsWithAWholeCharacter(string text)
    {
        var whole = Enumerable.Range(0, StringInfo.ParseCombiningCharacters(text).Length + 1).Select(count => new StringInfo(text).SubstringByTextElements(0, count)).ToList();
        for (var length = 1; length < text.Length; length++)
        {
            var clipped = Clip.To(text, length);
            clipped.Length.ShouldBeLessThanOrEqualTo(length);
            whole.ShouldContain(clipped[..^1]);
        }
    }
}
