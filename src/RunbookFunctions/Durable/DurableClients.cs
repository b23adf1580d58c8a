using Microsoft.DurableTask.Client;

namespace RunbookFunctions.Durable;

/// <summary>
/// The platform hands a client to each invocation and to nothing else. It is kept for the length of that invocation,
/// where the engine, which lives as long as the process, finds it.
/// </summary>
internal sealed class DurableClients
{
    private readonly AsyncLocal<DurableTaskClient?> _current = new();

    /// <exception cref="InvalidOperationException">The function that is running has no client binding.</exception>
    public DurableTaskClient Current =>
        _current.Value ?? throw new InvalidOperationException("The engine is used outside a function that binds a Durable client.");

    public async Task<T> UseAsync<T>(DurableTaskClient client, Func<Task<T>> work)
    {
        _current.Value = client;
        return await work();
    }

    public Task UseAsync(DurableTaskClient client, Func<Task> work) => UseAsync(client, async () =>
    {
        await work();
        return true;
    });
}
