using Runbooks.Model.Text;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications;

/// <summary>What every channel says in the same words, and how much of it: a card has to be read on a phone.</summary>
internal static class CardText
{
    public const string DryRun = "DRY RUN: nothing outside is touched.";
    private const int MaxLines = 15;

    /// <summary>As long as a note or an instruction may be: what ends it may matter most.</summary>
    private const int MaxLine = 1_000;

    /// <summary>The sections with as many lines, and as much of each, as a phone shows, each line on one line and without what cannot be seen.</summary>
    public static IReadOnlyList<CardSection> Sections(Card card) =>
        [.. card.Sections.Select(section => section with { Lines = Shown([.. section.Lines.Where(line => line.Length > 0)]) }).Where(section => section.Lines.Count > 0)];

    public static string Title(Card card, int length = 200) => Clip.To(Plain(card.Title), length);

    /// <summary>For channels that show a text beside the card: notifications, screen readers.</summary>
    public static string Summary(Card card) => card.DryRun ? $"{DryRun} {Title(card)}" : Title(card);

    private static string Plain(string text) => CleanText.Clean(text, int.MaxValue, oneLine: true);

    private static List<string> Shown(List<string> lines) =>
        [.. lines.Take(MaxLines).Select(line => Clip.To(Plain(line), MaxLine)), .. lines.Count > MaxLines ? (string[])[$"… and {lines.Count - MaxLines} more; see the page."] : []];
}
