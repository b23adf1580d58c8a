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
