namespace Runbooks.AzureStorage;

/// <summary>Tries what health depends on, side by side. Whoever asks does not wait for all attempts of the SDK.</summary>
internal static class StorageHealth
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    /// <returns>Null when all of it worked; otherwise what did not, and how, in words.</returns>
    public static async Task<string?> FindTroubleAsync(IEnumerable<(string What, Func<Task> Try)> parts, TimeProvider time, CancellationToken cancellationToken)
    {
        var troubles = await Task.WhenAll(parts.Select(part => FindTroubleAsync(part.What, part.Try, time, cancellationToken)));
        return string.Join(' ', troubles.OfType<string>()) is { Length: > 0 } words ? words : null;
    }

    private static async Task<string?> FindTroubleAsync(string what, Func<Task> attempt, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await attempt().WaitAsync(Longest, time, cancellationToken);
            return null;
        }
        catch (StoreUnavailableException e)
        {
            return $"{what}: {e.Message}";
        }
        catch (TimeoutException)
        {
            return $"{what}: Azure Storage did not answer in time.";
        }
    }
}
