using System.Text.Encodings.Web;

namespace Runbooks.Integrations;

internal static class Reversals
{
    /// <summary>
    /// For actions that take <c>keep: true</c>: what they did stays until a person takes it back. Where an alert gives the value, it may
    /// stay.
    /// </summary>
    public static Reversal KeptIn(JsonElement with) => WithText.Flag(with, "keep") == false ? Reversal.Undone : Reversal.Kept;

    /// <summary>For actions that are undone as the step says, by <c>undo</c>, or not at all.</summary>
    public static Reversal UndoneIn(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("undo", out var undo) && undo.ValueKind == JsonValueKind.Object
            ? Reversal.Undone
            : Reversal.None;
}

/// <summary>
/// The body of a request, for people. It is not escaped, because nobody reads escaped text (<c>\u0026sig=</c>), and a secret in it
/// would not be recognised.
/// </summary>
internal static class BodyText
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonObject? body) => body is null ? "no body" : body.ToJsonString(s_readable);
}

/// <summary>What a step notes for its later attempts, because these find only what is left to do. It is kept as evidence.</summary>
internal sealed class StepMemory(StepContext context, string what)
{
    private string FileName => $"{what}-{string.Join('-', context.IdempotencyKey.Split(':').Skip(1))}.txt";

    /// <summary>The reference in the evidence store.</summary>
    public string Reference => $"{context.IncidentId}/{FileName}";

    /// <returns>The lines that earlier attempts have kept; empty on the first attempt.</returns>
    public async Task<IReadOnlyList<string>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var kept = context.Interrupted is null ? null : await context.Evidence.OpenAsync(Reference, cancellationToken);
        if (kept is null)
        {
            return [];
        }

        using var reader = new StreamReader(kept);
        return (await reader.ReadToEndAsync(cancellationToken)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Cannot be cancelled, because the next attempt has to know what has happened.</summary>
    public async Task WriteAsync(IEnumerable<string> lines)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        await context.Evidence.SaveAsync(context.IncidentId, FileName, content, CancellationToken.None);
    }
}

/// <summary>A member that traffic is spread over: those of the smallest priority share it by their weights while they answer.</summary>
internal sealed record TrafficMember(string Name, int? Priority, double? Weight);

/// <summary>Who gets how much, before and after a change: a priority or a weight alone does not show that.</summary>
internal static class WeightedTraffic
{
    public static string Describe(string what, IReadOnlyList<TrafficMember> before, IReadOnlyList<TrafficMember> after)
    {
        if (Percents(after) is not { } then)
        {
            return $"How the {what} is shared then is not known: a priority, an order or a weight is missing, "
                + "or all weights of those that come first are 0.";
        }

        var nowText = Percents(before) is { } now ? $"now {now}" : "how it is shared now is not known";
        return $"The {what} then goes to: {then} ({nowText}).";
    }

    /// <summary>Who gets how much while all of them answer; null where the service that spreads the traffic decides that.</summary>
    private static string? Percents(IReadOnlyList<TrafficMember> members)
    {
        List<TrafficMember> first = [.. members.Where(one => one.Priority == members.Min(other => other.Priority))];
        var all = first.Sum(one => one.Weight ?? 0);
        return members.Any(one => one.Priority is null) || first.Exists(one => one.Weight is null) || all == 0 ? null
            : string.Join(", ", first.Select(one => $"{one.Name} {100 * one.Weight!.Value / all:0} %"));
    }
}
