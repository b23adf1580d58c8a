namespace Runbooks.Integrations;

/// <summary>What a step notes for its later attempts, because a later attempt finds only what is left to do. It is kept as evidence.</summary>
/// <param name="what">Begins the file's name.</param>
internal sealed class StepMemory(StepContext context, string what)
{
    private string FileName => $"{what}-{string.Join('-', context.IdempotencyKey.Split(':').Skip(1))}.txt";

    /// <summary>Of the evidence store.</summary>
    public string Reference => $"{context.IncidentId}/{FileName}";

    /// <returns>What the attempts before have kept, line by line; nothing on the first.</returns>
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

    /// <summary>Is not cut off: what has happened is known to the next attempt.</summary>
    public async Task WriteAsync(IEnumerable<string> lines)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        await context.Evidence.SaveAsync(context.IncidentId, FileName, content, CancellationToken.None);
    }
}
