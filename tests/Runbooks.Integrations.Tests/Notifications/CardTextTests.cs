using System.Text;
using System.Text.Json.Nodes;
using Runbooks.Integrations.Notifications;
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
        CardText.Sections(Of(1, lines: [.. Enumerable.Range(0, 17).Select(at => $"{at}")]))[0].Lines[^1].ShouldBe("… and 2 more lines; see the page.");
    }

    [Fact]
    public void MoreThanSlackTakes_IsSaidAndTheLinksStay()
    {
        var blocks = SlackBlocks.Render(Of(40, lines: ["one"]), buttons: true);

        blocks.Count.ShouldBeLessThanOrEqualTo(50);
        blocks[^1]!["type"]!.ToString().ShouldBe("actions");
        blocks[^2]!["text"]!["text"]!.ToString().ShouldBe("This is not all: the rest is on the page.");
    }

    /// <summary>Slack refuses what is longer for ever, and a Teams flow after it has taken it.</summary>
    [Theory]
    [InlineData(1, 300, 48, 'x')]
    [InlineData(2, 150, 48, 'x')]
    [InlineData(6, 60, 48, 'x')]
    [InlineData(40, 5, 48, 'x')]
    [InlineData(3, 300, 500, '語')]
    [InlineData(3, 300, 500, '"')]
    public void CardOfTheWorstOutage_IsTakenAndHoldsWhatSomebodyNeedsToAnswer(int runbooks, int targets, int length, char letter)
    {
        string[] lines = [.. Enumerable.Repeat(new string(letter, length), targets)];
        var card = new Card
        {
            Kind = CardKind.ApprovalRequest,
            IncidentId = "261123-0312-k7m2p9wd",
            GateId = "mitigation-1",
            PlanHash = new string('f', 64),
            Title = "65 incidents ask you at once",
            Sections =
            [
                .. Enumerable.Range(0, runbooks).SelectMany(at => (CardSection[])[new($"Targets: {at}", lines), new($"What will be done on each: {at}", lines)]),
                new("Warning", ["The last fix did not hold."]) { IsNeeded = true },
                new("Who has to approve", ["2 people, one of them of ml."]) { IsNeeded = true },
                new("If nobody answers", ["Nothing is done."]) { IsNeeded = true },
            ],
            Links = [new("Look at all and decide", $"https://runbooks.example.com/decide/{new string('t', 600)}"), new("Incident", "https://runbooks.example.com/")],
        };

        var slack = SlackBlocks.Render(card, buttons: true);
        slack.Count.ShouldBeLessThanOrEqualTo(50);
        Texts(slack).Sum(text => text.Length).ShouldBeLessThan(10_000);
        var teams = Encoding.UTF8.GetByteCount(TeamsNotifier.Message(card).ToJsonString(MessageJson.Options));
        teams.ShouldBeLessThan(20_000);
        foreach (var needed in new[] { "The last fix did not hold.", "2 people, one of them of ml.", "Nothing is done." })
        {
            Texts(slack).ShouldContain(text => text.Contains(needed));
        }

        CardText.Sections(card).ShouldContain(section => section.Lines.Any(line => line.Contains("the page.")));
    }

    [Fact]
    public void LongestSections_AreShortenedAndTheOthersAreNot()
    {
        string[] many = [.. Enumerable.Repeat(new string('x', 900), 15)];
        var card = Of(1, ["one", "two"]) with { Sections = [new("Targets", many), new("What was found", ["one", "two"])] };

        var sections = CardText.Sections(card);

        sections[0].Lines.Count.ShouldBeInRange(6, 12);
        sections[0].Lines[^1].ShouldBe($"… and {15 - (sections[0].Lines.Count - 1)} more lines; see the page.");
        sections[1].Lines.ShouldBe(["one", "two"]);
    }

    /// <summary>What was shown is what runs: a plan or a warning that is cut is decided on the page.</summary>
    [Theory]
    [InlineData(15, 100, 'x', true)]
    [InlineData(16, 100, 'x', false)]
    [InlineData(1, 1_000, 'x', true)]
    [InlineData(1, 1_001, 'x', false)]
    [InlineData(8, 450, 'x', true)]
    [InlineData(8, 450, 'ж', false)]
    public void PlanThatIsCut_HasNoButtonsAndTheLink(int lines, int length, char letter, bool buttons)
    {
        var card = Of(1, ["one"]) with
        {
            GateId = "mitigation-1",
            PlanHash = new string('f', 64),
            Sections = [new("What will be done", [.. Enumerable.Repeat(new string(letter, length), lines)]) { IsNeeded = true }, new("What was found", ["one"])],
        };

        var blocks = SlackBlocks.Render(card, buttons: true).Select(block => block!["block_id"]?.ToString()).ToList();
        var webhook = WebhookNotifier.Body(card, "sent", "1")["card"]!;

        blocks.Contains("decision").ShouldBe(buttons);
        blocks.ShouldContain("links");
        (webhook["gateId"] is not null).ShouldBe(buttons);
        (webhook["planHash"] is not null).ShouldBe(buttons);
    }

    /// <summary>Whoever receives it may make a subject of it.</summary>
    [Fact]
    public void TitleOfAnAlert_StaysOnOneLineInAWebhook() =>
        WebhookNotifier.Body(Of(1, ["one"]) with { Title = "Ok\nBcc: evil@x.example" }, "sent", "1")["card"]!["title"]!.ToString().ShouldBe("Ok Bcc: evil@x.example");

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        JsonArray items => items.SelectMany(Texts),
        JsonObject parts => parts.SelectMany(part => Texts(part.Value)),
        JsonValue value => [value.ToString()],
        _ => [],
    };

    private static Card Of(int sections, IReadOnlyList<string> lines) => new()
    {
        Kind = CardKind.ApprovalRequest,
        IncidentId = "261123-0312-k7m2p9wd",
        Title = "Recycle it?",
        Sections = [.. Enumerable.Range(0, sections).Select(at => new CardSection($"Section {at}", lines))],
        Links = [new("Look and decide", "https://runbooks.example.com/decide?token=x")],
    };
}
