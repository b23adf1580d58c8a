using Spectre.Console;

namespace RunbookServer.Terminal;

/// <summary>Says on the terminal what was sent, so that the newcomer sees the message without opening a file.</summary>
internal sealed class TerminalNotifier(IAnsiConsole console, TimeProvider time) : INotifier
{
    public string Channel => "terminal";

    public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var colour = card.Kind is CardKind.Page ? "red" : card.Asks ? "yellow" : "green";
        var dryRun = card.DryRun ? "[bold](dry run)[/] " : "";
        console.MarkupLine($"[grey]{time.GetUtcNow():HH:mm:ss}[/] [{colour}]→ {Plain(to.Recipient)}[/] {dryRun}{Plain(card.Title)} [grey]{Plain(card.IncidentId)}[/]");
        if (card.Links.Count > 0)
        {
            // Not wrapped: a link that is broken over two lines cannot be clicked.
            console.Profile.Out.Writer.WriteLine($"         {card.Links[0].Url}");
        }

        return Task.FromResult<Receipt>(null);
    }

    /// <summary>Titles hold text from alerts: neither Spectre's markup nor the terminal's own escapes may come through.</summary>
    private static string Plain(string text) => Markup.Escape(string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)));
}
