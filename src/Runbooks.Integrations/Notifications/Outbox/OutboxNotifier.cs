using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Notifications.Outbox;

/// <summary>Every message is one JSON file, with the link that its recipient would receive.</summary>
internal sealed class OutboxNotifier(IOptions<OutboxOptions> options, TimeProvider time) : INotifier
{
    public const string Name = "outbox";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private int _written;

    public string Channel => Name;

    public async Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var number = Interlocked.Increment(ref _written).ToString("000000", CultureInfo.InvariantCulture);
        var stamp = now.ToString("yyyyMMdd'T'HHmmssfff", CultureInfo.InvariantCulture);
        var folder = Directory.CreateDirectory(options.Value.Folder).FullName;
        var file = Path.Combine(folder, $"{stamp}-{number}-{Safe(card.IncidentId)}-{Safe(to.Recipient)}.json");
        var message = new OutboxMessage(
            now, to.Recipient, card.Kind, card.IncidentId, card.GateId, card.DryRun, card.Title, card.Severity,
            card.Asks ? card.Links[0].Url : null, card.Sections, card.Links);

        // Whoever watches the folder sees whole files only.
        var unfinished = $"{file}.tmp";
        await File.WriteAllBytesAsync(unfinished, JsonSerializer.SerializeToUtf8Bytes(message, s_json), cancellationToken);
        File.Move(unfinished, file, overwrite: true);
        return file;
    }

    private static string Safe(string name) =>
        string.Concat(name.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}
