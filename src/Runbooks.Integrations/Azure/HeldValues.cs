using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Azure;

/// <param name="Id">Unique over all incidents: resources in different groups may have the same display name.</param>
internal sealed record HeldValue(string Id, string DisplayName)
{
    public HeldValue(string displayName)
        : this(displayName, displayName)
    {
    }

    /// <summary>The display name with a capital, for the start of a sentence.</summary>
    public string Start => CleanText.Capital(DisplayName);
}

/// <summary>
/// Values that several incidents may hold at a time: a flag that two outages switch on, a banner that the second one replaces.
/// Each step notes what it found and what it sets. A step that ends while a later one holds the value hands its old value on,
/// and the last one to end restores it. A step that found the value already set leaves it to the step that set it.
/// The notes are in shared state, so they count for all hosts. A person is told where nobody is going to restore the value:
/// the other incident has ended otherwise, or its change is to stay.
/// </summary>
internal sealed partial class HeldValues(ISharedState? state, IIncidentStore? incidents, ResourceLease lease)
{
    /// <summary>The undo text in the plan of a step that finds the value already set.</summary>
    public const string WasSo = "Left as it is: it was so before, unless another incident did that and leaves it to this one.";

    /// <summary>
    /// Runs one step at a time on a value, as long as none dies or takes longer than the lease lasts. Reading, noting and writing
    /// belong together: another step in between would act on outdated values.
    /// </summary>
    /// <exception cref="AzureRequestException">Another step has the value for too long; this one has to wait for its turn.</exception>
    private Task<TResult> AloneAsync<TResult>(
        HeldValue value, StepContext context, Func<Task<TResult>> work, CancellationToken cancellationToken) =>
        state is null ? work() : lease.HoldAsync(Key(value), value.Start, context, work, cancellationToken);

    /// <summary>
    /// Notes a change and makes it, with no other step in between. A refused write has changed nothing, so its note is removed,
    /// unless an earlier attempt noted it too: that one may have made the change.
    /// </summary>
    /// <inheritdoc cref="AloneAsync"/>
    public Task<TResult> HoldAsync<T, TResult>(
        HeldValue value,
        T before,
        T after,
        Func<Task<TResult>> write,
        StepContext context,
        CancellationToken cancellationToken) => AloneAsync(
        value,
        context,
        async () =>
        {
            // The incident may have been paused while the step waited for its turn.
            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            var mayBeMade = await NoteAsync(value, before, after, context, cancellationToken) && context.Interrupted is not null;
            try
            {
                return await write();
            }
            catch (Exception no) when (
                no is StepRefusedException or AttemptFailedException { NothingDone: true } && state is not null && !mayBeMade)
            {
                await EndAsync<T>(value, StepOf(context), cancellationToken);
                throw;
            }
        },
        cancellationToken);

    /// <summary>Call it before the value is read and written: a step that ends meanwhile has to see the note.</summary>
    /// <param name="context">A step notes a change once, however often it is tried, and again where it has found something else since.</param>
    private async Task<bool> NoteAsync<T>(HeldValue value, T before, T after, StepContext context, CancellationToken cancellationToken)
    {
        if (state is null)
        {
            return false;
        }

        var mine = new Holder<T>(StepOf(context), context.IncidentId, before, after, Before: before);
        var lasting = await FindLastingAsync<T>(value, cancellationToken);
        return (await state.UpdateAsync<Holders<T>, bool>(
            Key(value),
            known =>
            {
                var holders = (known ?? new([])).With(mine, lasting);
                return (holders, ReferenceEquals(holders, known));
            },
            cancellationToken)).Result;
    }

    /// <summary>
    /// Restores what a step found, unless another step holds the value, with no other step in between.
    /// Safe to run twice if <paramref name="takeBack"/> is.
    /// </summary>
    /// <inheritdoc cref="AloneAsync"/>
    public Task<ActionResult> ReleaseAsync<T, TNow>(
        HeldValue value,
        T before,
        Func<Task<TNow>> read,
        Func<T, TNow, bool> shows,
        Func<T, TNow, Task<string>> takeBack,
        StepContext context,
        CancellationToken cancellationToken) => AloneAsync(
        value, context,
        async () =>
        {
            // The incident may have been paused while the step waited for its turn.
            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            var now = await read();
            return await ReleaseAloneAsync(value, before, one => shows(one, now), one => takeBack(one, now), context, cancellationToken);
        },
        cancellationToken);

    private async Task<ActionResult> ReleaseAloneAsync<T>(
        HeldValue value, T before, Func<T, bool> shows, Func<T, Task<string>> takeBack, StepContext context, CancellationToken cancellationToken)
    {
        if (state is null)
        {
            return new(await takeBack(before));
        }

        var step = StepOf(context);
        var lasting = await FindLastingAsync<T>(value, cancellationToken);
        var (holders, (foundSo, other)) = await state.UpdateAsync<Holders<T>, (bool, Holder<T>?)>(
            Key(value), known => (known ?? new([])).Release(step, shows, lasting), cancellationToken);
        var back = holders.Of(step) is { } mine && Holders<T>.AreSame(mine.Found, before) ? mine.Before : before;
        if (other is null && foundSo)
        {
            return FoundSo(value);
        }

        // An older version may have run this step and noted nothing. If all others found the value already set, none of them restores anything.
        var isForgotten = holders.Of(step) is null && holders.All.All(one => one.HasEnded || Holders<T>.AreSame(one.Before, one.After));
        if (other is not null && !isForgotten && !lasting.ContainsKey(other.Step))
        {
            return new($"{value.Start} stays as it is: incident {other.Incident} holds it too. "
                + "What was there before comes back when the last of them takes it back.") { HandedOn = true };
        }

        try
        {
            // If the old value is there again, the other's change does not matter.
            if (other is not null && !shows(back))
            {
                var why = !lasting.TryGetValue(other.Step, out var never) ? "found it so and relies on it"
                    : never ? "holds it too and does not take it back"
                    : "holds it too and means to keep it";
                throw new ChangedSinceException($"{value.Start} was left alone: incident {other.Incident} {why}.");
            }

            var said = await takeBack(back);
            await EndAsync<T>(value, step, cancellationToken);
            return new(said);
        }
        catch (ChangedSinceException)
        {
            await EndAsync<T>(value, step, cancellationToken);
            throw;
        }
    }

    /// <summary>
    /// The result for a step whose change is to stay when the rest is taken back. A step that found the value already set left
    /// nothing that anybody has to take back.
    /// </summary>
    public async Task<ActionResult> KeepAsync<T>(
        HeldValue value, T before, T after, string kept, StepContext context, CancellationToken cancellationToken)
    {
        // A value that another incident set, and has left or will leave to this step, counts as this step's change too.
        var known = state is null ? null : await state.FindAsync<Holders<T>>(Key(value), cancellationToken);
        var mine = known?.Of(StepOf(context));
        var wasThereAnyway = mine is null
            || (Holders<T>.AreSame(mine.Before, after) && known!.All.All(holder => holder.HasEnded || holder == mine));
        return Holders<T>.AreSame(before, after) && wasThereAnyway ? FoundSo(value) : new(kept);
    }

    private static ActionResult FoundSo(HeldValue value) =>
        new($"{value.Start} was left as it is: this step had not changed it.") { FoundSo = true };

    /// <param name="differs">Whether that step put something else there.</param>
    /// <returns>The open incident that put something else there. Null if none did.</returns>
    public async Task<string?> FindOtherAsync<T>(
        HeldValue value, Func<T, bool> differs, StepContext context, CancellationToken cancellationToken)
    {
        var known = state is null || incidents is null ? null : await state.FindAsync<Holders<T>>(Key(value), cancellationToken);
        foreach (var one in known?.All.Where(one => !one.HasEnded && one.Incident != context.IncidentId && differs(one.After)) ?? [])
        {
            if (await incidents!.TryFindAsync(one.Incident, cancellationToken) is { } incident && !incident.State.IsFinal())
            {
                return one.Incident;
            }
        }

        return null;
    }

    /// <returns>
    /// The steps that have changed the value and are not going to take it back.
    /// True: they never will, whatever becomes of their incident.
    /// </returns>
    private async Task<IReadOnlyDictionary<string, bool>> FindLastingAsync<T>(HeldValue value, CancellationToken cancellationToken)
    {
        var lasting = new Dictionary<string, bool>(StringComparer.Ordinal);
        if (incidents is null || await state!.FindAsync<Holders<T>>(Key(value), cancellationToken) is not { } known)
        {
            return lasting;
        }

        foreach (var one in known.All.Where(one => !one.HasEnded))
        {
            var incident = await incidents.TryFindAsync(one.Incident, cancellationToken);
            var step = incident?.Steps.FirstOrDefault(step => StepRecord.KeyOf(incident.Id, step.Phase, step.Name) == one.Step);
            if (incident is not null && step is null or { NothingDone: true })
            {
                // The step noted its change but has not run, or has done nothing. If it still runs, it notes the change again first.
                await EndAsync<T>(value, one.Step, cancellationToken);
            }
            else if (
                incident is null || incident.State.IsFinal() || step is { IsToBeTakenBack: false } or { Preparation.UndoneByHand: true })
            {
                lasting[one.Step] = true;
            }
            else if (incident.KeepsFix || (!incident.TakesFixBack && !await IsLeaseAsync(incident, cancellationToken)))
            {
                lasting[one.Step] = false;
            }
        }

        return lasting;
    }

    private async Task<bool> IsLeaseAsync(Incident incident, CancellationToken cancellationToken) =>
        (await incidents!.FindRunbookAsync(incident.RunbookHash, cancellationToken))?.Mitigation.HoldUntil is not null;

    private async Task EndAsync<T>(HeldValue value, string step, CancellationToken cancellationToken) =>
        await state!.ChangeAsync<Holders<T>>(Key(value), known => (known ?? new([])).Ended(step), cancellationToken);

    private static string Key(HeldValue value) => $"held:{value.Id.ToLowerInvariant()}";

    // The key for undoing a step is the step's key with a suffix.
    private static string StepOf(StepContext context) =>
        context.IdempotencyKey.EndsWith(":undo", StringComparison.Ordinal)
            ? context.IdempotencyKey[..^":undo".Length]
            : context.IdempotencyKey;
}
