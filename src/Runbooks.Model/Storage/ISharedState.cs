namespace Runbooks.Model.Storage;

/// <summary>
/// Small documents that incidents share: a runbook's run history, a breaker, the kill switch. Changes are atomic, so a limit that is read
/// and used up in one change is never exceeded.
/// </summary>
public interface ISharedState
{
    /// <returns>Null if nothing was ever written under the key.</returns>
    Task<T?> FindAsync<T>(string key, CancellationToken cancellationToken)
        where T : class;

    /// <param name="change">Pure, and may run more than once. If it returns the same instance, nothing is written.</param>
    Task<(T Document, TResult Result)> UpdateAsync<T, TResult>(string key, Func<T?, (T, TResult)> change, CancellationToken cancellationToken)
        where T : class;

    /// <summary>Removes the document, unless it has changed in between.</summary>
    /// <param name="when">Whether it may be removed. Pure.</param>
    Task RemoveAsync<T>(string key, Func<T, bool> when, CancellationToken cancellationToken)
        where T : class;
}

public static class SharedState
{
    /// <inheritdoc cref="ISharedState.UpdateAsync{T, TResult}"/>
    public static async Task<T> ChangeAsync<T>(this ISharedState state, string key, Func<T?, T> change, CancellationToken cancellationToken)
        where T : class => (await state.UpdateAsync<T, bool>(key, known => (change(known), true), cancellationToken)).Document;
}
