namespace Runbooks.Model.Storage;

/// <summary>
/// Small documents that incidents share: the history of a runbook's runs, a breaker, the kill switch. Changed atomically, so
/// a limit that is read and used up in one change holds under any concurrency.
/// </summary>
public interface ISharedState
{
    /// <returns>Null when nothing was ever written under the key.</returns>
    Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class;

    /// <param name="change">Pure; may run more than once. Returning the very same document writes nothing.</param>
    Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class;

    /// <summary>Removes a document that nobody needs any more, unless it has become another.</summary>
    /// <param name="when">Whether it may go; pure.</param>
    Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class;
}

public static class SharedState
{
    /// <summary>A change whose caller wants nothing but the document.</summary>
    /// <inheritdoc cref="ISharedState.UpdateAsync{T, TResult}"/>
    public static async Task<T> ChangeAsync<T>(this ISharedState state, string key, Func<T?, T> change, CancellationToken cancellationToken)
        where T : class => (await state.UpdateAsync<T, bool>(key, known => (change(known), true), cancellationToken)).Document;
}
