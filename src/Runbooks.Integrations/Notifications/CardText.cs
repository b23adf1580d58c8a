using Runbooks.Model.Text;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications;

/// <summary>What every channel says in the same words, and how much of it: a card has to be read on a phone.</summary>
internal static class CardText
{
    public const string DryRun = "DRY RUN: nothing outside is touched.";
    private const int MaxLines = 15;

    /// <summary>The sections with as many lines, and as much of each, as a phone shows, each line on one line and without what cannot be seen.</summary>
    public static IReadOnlyList<CardSection> Sections(Card card) => [.. card.Sections.Where(section => section.Lines.Count > 0).Take(10).Select(section =>
        new CardSection(section.Heading, [.. section.Lines.Where(line => line.Length > 0).Take(MaxLines).Select(line => Clip.To(Plain(line), 600)), .. More(section)]))];

    public static string Title(Card card, int length = 200) => Clip.To(Plain(card.Title), length);

    /// <summary>For channels that show a text beside the card: notifications, screen readers.</summary>
    public static string Summary(Card card) => card.DryRun ? $"{DryRun} {Title(card)}" : Title(card);

    private static string Plain(string text) => CleanText.Clean(text, int.MaxValue, oneLine: true);

    private static string[] More(CardSection section) => section.Lines.Count > MaxLines ? [$"… and {section.Lines.Count - MaxLines} more; see the incident."] : [];
}
