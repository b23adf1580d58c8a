using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Azure;

/// <summary>
/// One writer at a time for a resource whose API has no precondition: when two read, change and write it whole at once, one
/// change is lost. The lease is in shared state, so it counts for all incidents and hosts, but not for others outside:
/// a writer still has to check afterwards.
/// </summary>
internal sealed class ResourceLease(ISharedState? state)
{
    /// <summary>
    /// After this long the next writer follows one that died. A live writer has written within seconds; what Azure works on
    /// afterwards can be read from the resource.
    /// </summary>
    private static readonly TimeSpan s_length = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan s_longestWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <param name="context">The same step takes its own lease again after a crash.</param>
    /// <param name="rest">
    /// How long the next writer waits after the work, where a change shows everywhere only then. Asked when the work is over,
    /// however it ended.
    /// </param>
    public async Task<T> HoldAsync<T>(
        string resource, string words, StepContext context, Func<Task<T>> work, CancellationToken cancellationToken, Func<TimeSpan>? rest = null)
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
            await FreeAsync(held, key, context, rest?.Invoke() ?? TimeSpan.Zero);
        }
    }

    /// <summary>Never fails: the result of the work must not be lost because of its lease, which ends by itself.</summary>
    private static async Task FreeAsync(ISharedState state, string key, StepContext context, TimeSpan rest)
    {
        try
        {
            if (rest == TimeSpan.Zero)
            {
                await state.RemoveAsync<Writer>(key, known => known.Step == context.IdempotencyKey, CancellationToken.None);
                return;
            }

            var until = context.Time.GetUtcNow() + rest;
            await state.ChangeAsync<Writer>(
                key,
                known => known is null || known.Step == context.IdempotencyKey ? new(context.IdempotencyKey, until) : known,
                CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }

    private static async Task TakeAsync(
        ISharedState state, string key, string words, StepContext context, CancellationToken cancellationToken)
    {
        var until = context.Time.GetUtcNow() + s_longestWait;
        while (true)
        {
            var now = context.Time.GetUtcNow();
            var (writer, taken) = await state.UpdateAsync<Writer, bool>(
                key,
                known => known is null || !TurnEnd.IsAhead(known.Until, s_length, now) || known.Step == context.IdempotencyKey
                    ? (new(context.IdempotencyKey, now + s_length), true)
                    : (known, false),
                cancellationToken);
            if (taken)
            {
                return;
            }

            if (now >= until)
            {
                throw new AzureRequestException($"{words} is being changed by another step, "
                    + $"or was a moment ago ({writer.Step}). Nothing was written.") { IsBusy = true };
            }

            await Task.Delay(s_pause, context.Time, cancellationToken);
        }
    }

    public sealed record Writer(string Step, DateTimeOffset Until);
}

/// <summary>
/// Changes a resource whose API has no precondition: it is written whole, and the last writer wins. So one of our steps writes at
/// a time, reads the resource again just before, and afterwards to see that the change is there.
/// </summary>
internal sealed class WholeResource(ArmResources arm, ResourceLease lease)
{
    /// <returns>False: nothing had to be changed, and what is there is in force.</returns>
    public Task<bool> ChangeAsync(ArmTarget target, WholeChange change, StepContext context, CancellationToken cancellationToken) =>
        lease.HoldAsync(
            target.Id, target.DisplayName, context, () => ChangeAloneAsync(target, change, context, cancellationToken), cancellationToken);

    /// <summary>The parts of a resource that a PUT takes, without the properties that only the service sets.</summary>
    public static JsonObject Written(JsonObject resource, ReadOnlySpan<string> parts, ReadOnlySpan<string> readOnlyProperties)
    {
        var written = new JsonObject();
        foreach (var part in parts)
        {
            if (resource[part] is { } value)
            {
                written[part] = value.DeepClone();
            }
        }

        foreach (var property in readOnlyProperties)
        {
            (written["properties"] as JsonObject)?.Remove(property);
        }

        return written;
    }

    private async Task<bool> ChangeAloneAsync(
        ArmTarget target, WholeChange change, StepContext context, CancellationToken cancellationToken)
    {
        var resource = (await arm.GetAsync(target, cancellationToken)).Json;
        var before = change.ToWrite(resource).ToJsonString();
        if (!change.Make(resource) && await arm.IsInForceAsync(target, context, cancellationToken))
        {
            return false;
        }

        var wanted = change.ToWrite(resource);
        if (change.ToWrite((await arm.GetAsync(target, cancellationToken)).Json).ToJsonString() != before)
        {
            throw new AzureRequestException($"{target.DisplayName} is being changed by somebody else at this moment. Nothing was written.")
            {
                NothingDone = true,
            };
        }

        return await arm.WriteAsync(arm.Call(target, RequestMethod.Put, change.What, wanted), IsSeenAsync, context, cancellationToken)
            ? true
            : throw new AzureRequestException($"{target.DisplayName} was changed by somebody else at the same moment: "
                + "it does not hold what was written. Look at it.");

        async Task<bool> IsSeenAsync() =>
            change.IsSeen(change.ToWrite(await arm.GetProvisionedAsync(target, change.What, context.Time, cancellationToken)), wanted);
    }
}

/// <param name="Make">False if nothing has to be changed.</param>
/// <param name="IsSeen">Gets what is there and what was written, both as a PUT takes them.</param>
internal sealed record WholeChange(
    string What, Func<JsonObject, JsonObject> ToWrite, Func<JsonObject, bool> Make, Func<JsonObject, JsonObject, bool> IsSeen);
