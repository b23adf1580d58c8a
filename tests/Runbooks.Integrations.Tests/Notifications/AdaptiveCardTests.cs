using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Integrations.Notifications;
using TestKit.People;

namespace Runbooks.Integrations.Tests.Notifications;

/// <summary>The publisher's own reader takes every card as version 1.4 without a single remark.</summary>
public sealed class AdaptiveCardTests
{
    private const string Script = """
        const AC = require('adaptivecards/dist/adaptivecards.js');
        const cards = JSON.parse(require('fs').readFileSync(0, 'utf8'));
        const remarks = {};
        for (const [name, json] of Object.entries(cards)) {
          const context = new AC.SerializationContext(AC.Versions.v1_4);
          const card = new AC.AdaptiveCard();
          card.parse(json, context);
          remarks[name] = card.validateProperties().validationEvents.map(e => e.message);
          for (let i = 0; i < context.eventCount; i++) remarks[name].push(context.getEventAt(i).message);
        }
        console.log(JSON.stringify(remarks));
        """;

    [Fact]
    public async Task EveryCard_IsValid()
    {
        var remarks = await ReadAsync(Cards.All.ToDictionary(card => card.Key, card => AdaptiveCard.Render(card.Value)));

        remarks.Keys.ShouldBe(Cards.All.Keys, ignoreOrder: true);
        remarks.ShouldAllBe(card => card.Value.Length == 0);
    }

    [Fact]
    public async Task BrokenCard_IsFound()
    {
        var card = AdaptiveCard.Render(Cards.Approval);
        card["body"]![0]!["items"]![0]!["inlines"]![0]!["size"] = "Huge";

        (await ReadAsync(new() { ["broken"] = card }))["broken"].ShouldHaveSingleItem().ShouldContain("Huge");
    }

    /// <summary>Keys that the published schema 1.4 has for what we use. It allows no unknown ones, which the reader passes over.</summary>
    private static readonly Dictionary<string, string[]> s_schema = new()
    {
        ["AdaptiveCard"] = ["$schema", "type", "version", "fallbackText", "body", "actions"],
        ["Container"] = ["type", "style", "items"],
        ["RichTextBlock"] = ["type", "spacing", "inlines"],
        ["TextRun"] = ["type", "text", "weight", "size"],
        ["Action.OpenUrl"] = ["type", "title", "url", "style"],
    };

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void EveryElement_HasOnlyKeysOfTheSchema(string card)
    {
        var elements = Elements(AdaptiveCard.Render(Cards.All[card])).ToList();

        elements.Count.ShouldBeGreaterThan(5);
        elements.ShouldAllBe(element => element.All(pair => s_schema[element["type"]!.ToString()].Contains(pair.Key)));
    }

    private static IEnumerable<JsonObject> Elements(JsonNode? node) => node switch
    {
        JsonObject element => element.SelectMany(pair => Elements(pair.Value)).Prepend(element),
        JsonArray list => list.SelectMany(Elements),
        _ => [],
    };

    private static async Task<Dictionary<string, string[]>> ReadAsync(Dictionary<string, JsonObject> cards)
    {
        var folder = await NodePackage.InstallAsync("adaptivecards", "3.0.6");
        var (code, output) = await NodePackage.RunAsync(folder, Script, JsonSerializer.Serialize(cards));
        code.ShouldBe(0, output);
        return JsonSerializer.Deserialize<Dictionary<string, string[]>>(output)!;
    }
}
