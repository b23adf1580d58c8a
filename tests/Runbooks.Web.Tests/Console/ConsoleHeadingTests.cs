using Runbooks.Web.Pages;
using TestKit;

namespace Runbooks.Web.Tests.Console;

public sealed class ConsoleHeadingTests
{
    /// <summary>What was not read may ask too, and has waited longest.</summary>
    [Theory]
    [InlineData(false, "3 questions waiting for an answer")]
    [InlineData(true, "At least 3 questions waiting for an answer")]
    public void MoreAreOpenThanWereRead_QuestionsAreNotCountedAsIfThatWereAll(bool cut, string words) =>
        ConsoleHeading.Of(new([], [], new(null, null, null, null), [], null, null, Some.Time) { Asked = 3, OpenIsCut = cut }).ShouldBe(words);

    /// <summary>No alert gets in, so nothing new can be seen here.</summary>
    [Fact]
    public void NothingCanBeRecorded_IsNotQuiet() =>
        ConsoleHeading.Of(new([], [], new(null, null, null, null), [], null, null, Some.Time) { Trouble = "The store cannot be written." })
            .ShouldBe("The runbook service did not work when it was last looked at");
}
