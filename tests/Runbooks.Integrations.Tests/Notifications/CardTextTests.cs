using Runbooks.Integrations.Notifications;
using Runbooks.Integrations.Notifications.Slack;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

/// <summary>Nothing is left out of a message without a word.</summary>
public sealed class CardTextTests
{
    [Fact]
    public void EverySection_IsThereAndOnlyWhatIsLeftOutIsCounted()
    {
        var sections = CardText.Sections(Of(14, lines: ["one", "", "two"]));

        sections.Select(section => section.Heading).ShouldBe(Enumerable.Range(0, 14).Select(at => $"Section {at}"));
        sections[0].Lines.ShouldBe(["one", "two"]);
        CardText.Sections(Of(1, lines: [.. Enumerable.Range(0, 17).Select(at => $"{at}")]))[0].Lines[^1].ShouldBe("… and 2 more; see the page.");
    }

    [Fact]
    public void MoreThanSlackTakes_IsSaidAndTheLinksStay()
    {
        var blocks = SlackBlocks.Render(Of(40, lines: ["one"]), buttons: true);

        blocks.Count.ShouldBe(50);
        blocks[^1]!["type"]!.ToString().ShouldBe("actions");
        blocks[^2]!["text"]!["text"]!.ToString().ShouldBe("*This is not all: the rest is on the page.*");
    }

    private static Card Of(int sections, IReadOnlyList<string> lines) => new()
    {
        Kind = CardKind.ApprovalRequest,
        IncidentId = "261123-0312-k7m2p9wd",
        Title = "Recycle it?",
        Sections = [.. Enumerable.Range(0, sections).Select(at => new CardSection($"Section {at}", lines))],
        Links = [new("Look and decide", "https://runbooks.example.com/decide?token=x")],
    };
}
