using System.ComponentModel.DataAnnotations;

namespace Runbooks.Integrations.Notifications.Slack;

public sealed class SlackOptions
{
    public const string SectionName = "Slack";

    /// <summary>The app's bot token, <c>xoxb-…</c>, with the scope chat:write. Without it the channel cannot be used.</summary>
    public string? BotToken { get; set; }

    /// <summary>A channel id that contacts may refer to as <c>${Slack:Channel}</c>.</summary>
    public string? Channel { get; set; }

    /// <summary>Whether messages carry buttons that decide; needs the signing secret and the address of the interactions in Slack.</summary>
    public bool Buttons { get; set; } = true;

    /// <summary>Slack's API.</summary>
    [Required, Url]
    public string ApiUrl { get; set; } = "https://slack.com/api";
}
