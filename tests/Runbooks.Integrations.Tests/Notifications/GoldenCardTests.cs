using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Runbooks.Integrations.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

/// <summary>What each channel sends, word for word: <c>cases/{channel}/{card}</c>. To write them anew: <c>UPDATE_CARDS=1 dotnet test …</c>.</summary>
public sealed class GoldenCardTests
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All) };

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void Teams(string card) => Same("teams", $"{card}.json", Json(TeamsNotifier.Message(Cards.All[card])));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void Slack(string card) => Same("slack", $"{card}.json", Json(SlackBlocks.Render(Cards.All[card], buttons: true)));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void SlackWebhook(string card) => Same("slack-webhook", $"{card}.json", Json(SlackWebhookNotifier.Message(Cards.All[card])));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void PagerDuty(string card) => Same("pagerduty", $"{card}.json", Json(PagerDutyEvent.Trigger(Cards.All[card], "the-routing-key", PagerDutyEvent.KeyOf(Cards.All[card], "ada"))));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void Webhook(string card) => Same("webhook", $"{card}.json", Json(WebhookNotifier.Body(Cards.All[card], "sent", Cards.All[card].Key)));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void EmailHtml(string card) => Same("email", $"{card}.html", EmailBody.Html(Cards.All[card]));

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void EmailText(string card) => Same("email", $"{card}.txt", $"Subject: {EmailBody.Subject(Cards.All[card])}\n\n{EmailBody.Text(Cards.All[card])}");

    [Fact]
    public void HostileText_IsMarkupNowhere()
    {
        EmailBody.Html(Cards.Hostile).ShouldNotContain("<script");
        EmailBody.Html(Cards.Hostile).ShouldNotContain("<img");
        EmailBody.Subject(Cards.Hostile).ShouldNotContain('\n');
        var slack = SlackBlocks.Render(Cards.Hostile, buttons: true).ToJsonString();
        foreach (var text in Texts(JsonNode.Parse(slack)!).Where(text => text["type"]!.ToString() == "mrkdwn"))
        {
            text["text"]!.ToString().ShouldNotContain('<');
            text["verbatim"]!.GetValue<bool>().ShouldBeTrue();
        }

        Json(TeamsNotifier.Message(Cards.Hostile)).ShouldNotContain("\"TextBlock\"", Case.Sensitive);
    }

    [Theory]
    [MemberData(nameof(Cards.Names), MemberType = typeof(Cards))]
    public void EveryCard_IsSmallerThanItsChannelTakes(string card)
    {
        Json(TeamsNotifier.Message(Cards.All[card])).Length.ShouldBeLessThan(28_000);
        var blocks = SlackBlocks.Render(Cards.All[card], buttons: true);
        blocks.Count.ShouldBeLessThan(50);
        Texts(blocks).ShouldAllBe(text => text["text"]!.ToString().Length <= 3_000);
    }

    private static IEnumerable<JsonObject> Texts(JsonNode node) => node switch
    {
        JsonObject text when text["type"]?.ToString() is "mrkdwn" or "plain_text" => [text],
        JsonObject other => other.SelectMany(property => property.Value is { } value ? Texts(value) : []),
        JsonArray list => list.SelectMany(item => item is null ? [] : Texts(item)),
        _ => [],
    };

    private static string Json(JsonNode node) => node.ToJsonString(s_json) + "\n";

    private static void Same(string channel, string file, string actual)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_CARDS") == "1")
        {
            var folder = Path.Combine(SourceFolder(), "cases", channel);
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, file), actual);
            return;
        }

        actual.ShouldBe(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Notifications", "cases", channel, file)), $"{channel}/{file}");
    }

    private static string SourceFolder([System.Runtime.CompilerServices.CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
