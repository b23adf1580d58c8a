using Runbooks.Catalog.Steps;
using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// One writer at a time for a resource whose API knows no precondition: what is read, changed and written whole by two at
/// once loses the one's change. Held in shared state, so over all incidents and hosts; others outside are not bound by it, so
/// whoever writes still looks afterwards.
/// </summary>
internal sealed class ResourceLease(ISharedState? state)
{
    /// <summary>A writer that died is followed by the next one after this long. One that lives has written within seconds; what Azure works on afterwards is there to be read.</summary>
    private static readonly TimeSpan Length = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <param name="words">The resource, for errors.</param>
    /// <param name="context">The same step takes its own lease again after a crash.</param>
    /// <exception cref="AzureRequestException">It is another's for too long; trying again may help.</exception>
    public async Task<T> HoldAsync<T>(string resource, string words, StepContext context, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var held = state ?? throw new InvalidOperationException("There is no shared state in which a resource could be held.");
        var key = $"writer:{resource.ToLowerInvariant()}";
        await TakeAsync(held, key, words, context, cancellationToken);
        try
        {
            return await work();
        }
        finally
        {
            await FreeAsync(held, key, context);
        }
    }

    /// <summary>Never fails: what the work came to must not be lost over its lease, which ends by itself.</summary>
    private static async Task FreeAsync(ISharedState state, string key, StepContext context)
    {
        try
        {
            await state.RemoveAsync<Writer>(key, known => known.Step == context.IdempotencyKey, CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }

    private static async Task TakeAsync(ISharedState state, string key, string words, StepContext context, CancellationToken cancellationToken)
    {
        var until = context.Time.GetUtcNow() + LongestWait;
        while (true)
        {
            var now = context.Time.GetUtcNow();
            var (writer, taken) = await state.UpdateAsync<Writer, bool>(
                key,
                known => known is null || known.Until <= now || known.Step == context.IdempotencyKey ? (new(context.IdempotencyKey, now + Length), true) : (known, false),
                cancellationToken);
            if (taken)
            {
                return;
            }

            if (now >= until)
            {
                throw new AzureRequestException($"{words} is being changed by another step ({writer.Step}). Nothing was written.");
            }

            await Task.Delay(Pause, context.Time, cancellationToken);
        }
    }

    /// <param name="Step">The idempotency key of the step that writes.</param>
    public sealed record Writer(string Step, DateTimeOffset Until);
}
