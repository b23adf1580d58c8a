namespace Runbooks.Web.Slack;

public sealed class SlackInteractionOptions
{
    public const string SectionName = "Slack";

    /// <summary>The app's signing secret: proves that a click came from Slack. Without it every click is refused.</summary>
    public string? SigningSecret { get; set; }
}
