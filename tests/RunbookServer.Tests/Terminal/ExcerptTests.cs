using RunbookServer.Commands;
using Runbooks.Catalog.Problems;

namespace RunbookServer.Tests.Terminal;

public sealed class ExcerptTests
{
    /// <summary>The mark stands under its place however many columns a terminal gives to what is before it.</summary>
    [Theory]
    [InlineData("title: x", 8, 7)]
    [InlineData("日本: x", 5, 6)]
    [InlineData("e\u0301e\u0301: x", 7, 4)]
    [InlineData("✅ 👍: x", 7, 7)]
    [InlineData("a\tb: x", 6, 5)]
    public void Mark_StandsUnderItsPlace(string line, int column, int blanks) =>
        Excerpt.Of(line, new CatalogError("a.yaml", 1, column, "", "is wrong.", "")).ShouldBe([$"  1 | {line}", $"    | {new string(' ', blanks)}^"]);
}
