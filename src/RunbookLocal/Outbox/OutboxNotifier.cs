using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Messages;

namespace RunbookLocal.Outbox;

/// <summary>Practice's mail: every message is one JSON file, with the link that its recipient would receive.</summary>
internal sealed class OutboxNotifier(OutboxFolder folder, TimeProvider time) : INotifier
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private int _written;

    public string Channel => "outbox";

    public async Task<string?> SendAsync(Card card, Address to, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var name = $"{now:yyyyMMdd'T'HHmmssfff}-{Interlocked.Increment(ref _written):000000}-{card.IncidentId}-{SafeName(to.Recipient)}.json";
        var file = Path.Combine(folder.Path, name);
        var message = new OutboxMessage(
            now, to.Recipient, card.Kind, card.IncidentId, card.GateId, card.DryRun, card.Title, card.Severity,
            ApprovalLink: card.GateId is null ? null : card.Links[0].Url, card.Sections, card.Links);

        // Whoever watches the folder sees whole files only.
        var temporary = $"{file}.tmp";
        await File.WriteAllBytesAsync(temporary, JsonSerializer.SerializeToUtf8Bytes(message, s_json), cancellationToken);
        File.Move(temporary, file, overwrite: true);
        return file;
    }

    private static string SafeName(string name) => string.Concat(name.Take(40).Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '_'));
}

/// <summary>Where messages are put: <c>{data}/outbox</c>.</summary>
internal sealed record OutboxFolder(string Path);
