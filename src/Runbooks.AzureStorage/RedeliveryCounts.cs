using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using Azure.Core;
using Azure.Core.Pipeline;
using DurableTask.Core;

namespace Runbooks.AzureStorage;

/// <summary>
/// Notes which messages were delivered again and again: earlier takers died, or gave them back. The queue counts that. Durable Task does not
/// pass the count on, so it is read from the queue's answers.
/// </summary>
internal sealed class RedeliveryCounts : HttpPipelineSynchronousPolicy
{
    /// <summary>Fewer deliveries are normal: a stop, a kill, a partition that moved.</summary>
    public const int Suspicious = 4;

    // Most are asked for right away. Those that never are, because their instance is gone, must not add up.
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, int> _messages = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _instances = new(StringComparer.OrdinalIgnoreCase);

    /// <returns>How often the message was delivered; 0 for few times.</returns>
    public int TakeMessage(string id) => _messages.TryRemove(id, out var count) ? count : 0;

    /// <returns>How often a message of the instance was delivered that is being worked on now; 0 for few times.</returns>
    public int TakeInstance(string id) => _instances.TryRemove(id, out var count) ? count : 0;

    public override void OnReceivedResponse(HttpMessage message)
    {
        if (message.Request.Method != RequestMethod.Get
            || message.Response is not { Status: 200, ContentStream: MemoryStream { Length: > 0 } content }
            || !message.Request.Uri.Path.EndsWith("/messages", StringComparison.Ordinal))
        {
            return;
        }

        var start = content.Position;
        var answer = XDocument.Load(content);
        content.Position = start;
        foreach (var taken in answer.Descendants("QueueMessage"))
        {
            if (int.TryParse(taken.Element("DequeueCount")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                && count >= Suspicious)
            {
                Note(_messages, taken.Element("MessageId")?.Value, count);
                Note(_instances, InstanceOf(taken.Element("MessageText")?.Value), count);
            }
        }
    }

    private static void Note(ConcurrentDictionary<string, int> counts, string? key, int count)
    {
        if (counts.Count > Most)
        {
            counts.Clear();
        }

        if (key is not null)
        {
            counts.AddOrUpdate(key, count, (_, known) => Math.Max(known, count));
        }
    }

    /// <summary>A large message is in a blob, whose name begins with the instance.</summary>
    internal static string? InstanceOf(string? text)
    {
        try
        {
            using var message = JsonDocument.Parse(text ?? "");
            if (message.RootElement.TryGetProperty("CompressedBlobName", out var blob) && blob.ValueKind == JsonValueKind.String)
            {
                return blob.GetString()!.Split('/')[0];
            }

            return message.RootElement.TryGetProperty("TaskMessage", out var task) && task.ValueKind == JsonValueKind.Object
                && task.TryGetProperty("OrchestrationInstance", out var instance) && instance.ValueKind == JsonValueKind.Object
                && instance.TryGetProperty("InstanceId", out var id)
                    ? id.GetString()
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>
/// Counts how often a suspicious turn was begun, over all processes and their deaths. The queue's own count would also rise while the tables
/// are down and nothing is begun at all.
/// </summary>
internal sealed class TurnAttempts(TableRows rows)
{
    private const string Partition = "turns";
    private const string Place = "Place";
    private const string Count = "Count";

    /// <returns>Which attempt this is, from 1.</returns>
    /// <exception cref="StoreUnavailableException">It could not be counted.</exception>
    public async Task<int> CountAsync(TaskOrchestrationWorkItem turn, CancellationToken cancellationToken)
    {
        var (row, place) = (
            TableKeys.Hash(turn.InstanceId),
            $"{turn.OrchestrationRuntimeState.OrchestrationInstance?.ExecutionId}:{turn.OrchestrationRuntimeState.Events.Count}");
        var before = await rows.FindAsync(Partition, row, null, cancellationToken);
        var attempt = before?.GetString(Place) == place ? (before.GetInt32(Count) ?? 0) + 1 : 1;
        await rows.PutAsync(new TableEntity(Partition, row) { [Place] = place, [Count] = attempt }, cancellationToken);
        return attempt;
    }

    /// <summary>Failures are ignored: a row that stays is never read again.</summary>
    public async Task TryForgetAsync(string instanceId)
    {
        try
        {
            await rows.RemoveAsync(Partition, TableKeys.Hash(instanceId), Azure.ETag.All, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }
}
