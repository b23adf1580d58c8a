using Runbooks.Model.Definition;

namespace Runbooks.Integrations.Notifications;

/// <summary>Every message is one JSON file, with the link that its recipient would receive.</summary>
internal sealed class OutboxNotifier(IOptions<OutboxOptions> options, TimeProvider time) : INotifier
{
    public const string Name = "outbox";

    private int _written;

    public string Channel => Name;

    public async Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var number = Interlocked.Increment(ref _written).ToString("000000", CultureInfo.InvariantCulture);
        var stamp = Stamp(now);
        var folder = Directory.CreateDirectory(options.Value.Folder).FullName;
        var file = Path.Combine(folder, $"{stamp}-{number}-{Safe(card.IncidentId)}-{Safe(to.Recipient)}.json");
        var message = new OutboxMessage(
            now, to.Recipient, card.Kind, card.IncidentId, card.GateId, card.DryRun, CleanText.Line(card.Title), card.Severity,
            card.Asks ? card.Links[0].Url : null, card.Sections, card.Links);

        // A program that watches the folder sees only whole files.
        var unfinished = $"{file}.tmp";
        try
        {
            await File.WriteAllBytesAsync(
                unfinished, JsonSerializer.SerializeToUtf8Bytes(message, MessageJson.Indented), cancellationToken);
            File.Move(unfinished, file, overwrite: true);
            return file;
        }
        catch
        {
            // The disk may be full, and the next attempt has another name.
            File.Delete(unfinished);
            throw;
        }
    }

    /// <summary>The name of a file begins with its time, also of one that a process left half-written.</summary>
    public Task ForgetAsync(DateTimeOffset before, CancellationToken cancellationToken)
    {
        if (Directory.Exists(options.Value.Folder))
        {
            var first = Stamp(before);
            var files = Directory.EnumerateFiles(options.Value.Folder, "*.json*").Select(file => (Path: file, Name: Path.GetFileName(file)));
            var old = files.Where(file => IsStamped(file.Name) && string.CompareOrdinal(file.Name, first) < 0).ToList();
            foreach (var (file, _) in old)
            {
                cancellationToken.ThrowIfCancellationRequested();
                File.Delete(file);
            }
        }

        return Task.CompletedTask;
    }

    private static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture);

    private static bool IsStamped(string name) => name.Length > 18 && name[8] == 'T' && name[18] == '-' && name[..8].All(char.IsAsciiDigit);

    private static string Safe(string name) =>
        string.Concat(name.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}

/// <param name="ApprovalLink">The recipient's own signed link; null on messages that ask nothing.</param>
public sealed record OutboxMessage(
    DateTimeOffset At,
    string To,
    CardKind Kind,
    string Incident,
    string? Gate,
    bool DryRun,
    string Title,
    ImpactSeverity Severity,
    string? ApprovalLink,
    IReadOnlyList<CardSection> Sections,
    IReadOnlyList<CardLink> Links);

/// <summary>Section <c>Outbox</c>: messages as files, for development and practice.</summary>
public sealed class OutboxOptions
{
    public const string SectionName = "Outbox";

    /// <summary>Made when it is not there. Whoever can read it holds the approval links.</summary>
    [Required]
    public string Folder { get; set; } = "outbox";
}
