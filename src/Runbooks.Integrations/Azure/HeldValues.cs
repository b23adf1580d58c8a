using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Azure;

/// <summary>A value that several incidents may hold at a time.</summary>
/// <param name="Id">The one name for it over all incidents. Resources of one name are in many groups.</param>
/// <param name="DisplayName">For people.</param>
internal sealed record HeldValue(string Id, string DisplayName)
{
    public HeldValue(string displayName)
        : this(displayName, displayName)
    {
    }

    /// <summary>As a sentence begins.</summary>
    public string Start => CleanText.Capital(DisplayName);
}

/// <summary>
/// Values that several incidents may hold at a time: a flag that two outages switch on, a banner that the second one replaces.
/// Each step notes what it found and what it puts there. Whoever ends while a later one holds the value leaves it as it is and
/// hands on what was there before, which the last one to end brings back; whoever found it so leaves it to the one that made it so.
/// Held in shared state, so over all hosts. A person is told where nobody is going to take it back: the other's incident has ended
/// otherwise, or its change is to stay.
/// </summary>
internal sealed class HeldValues(ISharedState? state, IIncidentStore? incidents, ResourceLease lease)
{
    /// <summary>How a step that finds things so is taken back, as a plan says it.</summary>
    public const string WasSo = "Left as it is: it was so before, unless another incident did that and leaves it to this one.";

    /// <summary>
    /// One step at a time on a value, as long as none dies or takes longer than the lease lasts: what is noted and what is
    /// written belong together, and so do what is there, who else holds it, and what is taken back. Another step in between would
    /// act on outdated values.
    /// </summary>
    /// <exception cref="AzureRequestException">Another one is at it for too long: the step has to wait for its turn.</exception>
    private Task<TResult> AloneAsync<TResult>(HeldValue value, StepContext context, Func<Task<TResult>> work, CancellationToken cancellationToken) =>
        state is null ? work() : lease.HoldAsync(Key(value), value.Start, context, work, cancellationToken);

    /// <summary>
    /// Notes a change and makes it, with nobody in between. One that is refused has changed nothing, and holds nothing, unless an
    /// attempt before had noted it: that one may have made it.
    /// </summary>
    /// <inheritdoc cref="AloneAsync"/>
    public Task<TResult> HoldAsync<T, TResult>(HeldValue value, T before, T after, Func<Task<TResult>> write, StepContext context, CancellationToken cancellationToken) => AloneAsync(
        value,
        context,
        async () =>
        {
            // Its turn may have been waited for.
            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            var mayBeMade = await NoteAsync(value, before, after, context, cancellationToken) && context.Interrupted is not null;
            try
            {
                return await write();
            }
            catch (StepRefusedException) when (state is not null && !mayBeMade)
            {
                await EndAsync<T>(value, StepOf(context), cancellationToken);
                throw;
            }
        },
        cancellationToken);

    /// <summary>To be called before the value is read and written: whoever ends meanwhile has to know.</summary>
    /// <param name="context">The same step notes it once, however often it is tried; anew where it has found something else since.</param>
    /// <returns>Whether it was noted already.</returns>
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
    /// Looks at what is there, and takes back what a step put there unless another one holds it, with nobody in between. Safe to
    /// run twice, as long as the taking back is.
    /// </summary>
    /// <param name="before">What the step found.</param>
    /// <param name="read">Reads what is there now.</param>
    /// <param name="shows">Whether the first is what is there now.</param>
    /// <param name="takeBack">Brings back the first where the second is there now.</param>
    /// <inheritdoc cref="AloneAsync"/>
    public Task<ActionResult> ReleaseAsync<T, TNow>(
        HeldValue value, T before, Func<Task<TNow>> read, Func<T, TNow, bool> shows, Func<T, TNow, Task<string>> takeBack, StepContext context, CancellationToken cancellationToken) => AloneAsync(
        value, context,
        async () =>
        {
            // Its turn may have been waited for.
            await context.EnsureNotPausedAsync(done: null, cancellationToken);
            var now = await read();
            return await ReleaseAloneAsync(value, before, one => shows(one, now), one => takeBack(one, now), context, cancellationToken);
        },
        cancellationToken);

    private async Task<ActionResult> ReleaseAloneAsync<T>(HeldValue value, T before, Func<T, bool> shows, Func<T, Task<string>> takeBack, StepContext context, CancellationToken cancellationToken)
    {
        if (state is null)
        {
            return new(await takeBack(before));
        }

        var step = StepOf(context);
        var lasting = await FindLastingAsync<T>(value, cancellationToken);
        var (holders, (foundSo, other)) = await state.UpdateAsync<Holders<T>, (bool, Holder<T>?)>(Key(value), known => (known ?? new([])).Release(step, shows, lasting), cancellationToken);
        var back = holders.Of(step) is { } mine && Holders<T>.AreSame(mine.Found, before) ? mine.Before : before;
        if (other is null && foundSo)
        {
            return FoundSo(value);
        }

        // Where nothing of this step is noted, as of one that an older version ran, and all others found it so, none of them brings anything back.
        var isForgotten = holders.Of(step) is null && holders.All.All(one => one.HasEnded || Holders<T>.AreSame(one.Before, one.After));
        if (other is not null && !isForgotten && !lasting.ContainsKey(other.Step))
        {
            return new($"{value.Start} stays as it is: incident {other.Incident} holds it too. What was there before comes back when the last of them takes it back.") { HandedOn = true };
        }

        try
        {
            // Where what was there before is there again, the other's change is in nobody's way.
            if (other is not null && !shows(back))
            {
                var why = !lasting.TryGetValue(other.Step, out var never) ? "found it so and relies on it" : never ? "holds it too and does not take it back" : "holds it too and means to keep it";
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

    /// <summary>What a step that is to stay comes to when the rest is taken back. Where it found things so, it left nothing that anybody has to take back.</summary>
    /// <param name="before">What the step found.</param>
    /// <param name="kept">What a person is told otherwise.</param>
    public async Task<ActionResult> KeepAsync<T>(HeldValue value, T before, T after, string kept, StepContext context, CancellationToken cancellationToken)
    {
        // What another incident had put there, and has left or will leave to this step, is there by its doing as well.
        var known = state is null ? null : await state.FindAsync<Holders<T>>(Key(value), cancellationToken);
        var mine = known?.Of(StepOf(context));
        return Holders<T>.AreSame(before, after) && (mine is null || (Holders<T>.AreSame(mine.Before, after) && known!.All.All(one => one.HasEnded || one == mine)))
            ? FoundSo(value)
            : new(kept);
    }

    private static ActionResult FoundSo(HeldValue value) => new($"{value.Start} was left as it is: this step had not changed it.") { FoundSo = true };

    /// <param name="differs">Whether that is not what is to be put there.</param>
    /// <returns>The incident that has put something else there and has not ended; null where there is none.</returns>
    public async Task<string?> FindOtherAsync<T>(HeldValue value, Func<T, bool> differs, StepContext context, CancellationToken cancellationToken)
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

    /// <returns>The steps that have changed the value and are not going to take it back; true where they never will, whatever becomes of their incident.</returns>
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
            if (incident is not null && step is null)
            {
                // It was about to, and did not come to it. Before it does it notes itself again.
                await EndAsync<T>(value, one.Step, cancellationToken);
            }
            else if (incident is null || incident.State.IsFinal() || step is { IsToBeTakenBack: false } or { Preparation.UndoneByHand: true })
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

    // Undoing has a key of its own, made from the step's.
    private static string StepOf(StepContext context) => context.IdempotencyKey.EndsWith(":undo", StringComparison.Ordinal) ? context.IdempotencyKey[..^":undo".Length] : context.IdempotencyKey;

    /// <summary>Who holds a value, the last one last. Those that have ended stay until nobody is to take it back, so that to end twice is the same as once.</summary>
    public sealed record Holders<T>(IReadOnlyList<Holder<T>> All)
    {
        public Holder<T>? Of(string step) => All.FirstOrDefault(one => one.Step == step);

        public Holders<T> With(Holder<T> mine, IReadOnlyDictionary<string, bool> lasting)
        {
            if (Of(mine.Step) is { HasEnded: false } known && AreSame(known.Found, mine.Found) && AreSame(known.After, mine.After))
            {
                return this;
            }

            List<Holder<T>> others = [.. All.Where(one => one.Step != mine.Step)];
            List<Holder<T>> holding = [.. others.Where(one => !one.HasEnded && !lasting.GetValueOrDefault(one.Step))];

            // It looked before the other one wrote the same: nothing is left for it to change.
            return holding.Count == 0 ? new([mine]) : new([.. others, AreSame(holding[^1].After, mine.After) ? mine with { Before = mine.After } : mine]);
        }

        // As they are kept: lists and tables have no equality of their own.
        public static bool AreSame(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

        /// <summary>Ends what a step holds, unless it has something to take back: then it ends when it has.</summary>
        /// <returns>And whether it had changed nothing, and who takes back instead of it; null where nobody does.</returns>
        public (Holders<T> Holders, (bool FoundSo, Holder<T>? Other) Result) Release(string step, Func<T, bool> shows, IReadOnlyDictionary<string, bool> lasting)
        {
            var mine = Of(step);
            if (mine?.HandedTo is { } heir)
            {
                // What was handed on before steps were named names the incident.
                return (this, (false, All.FirstOrDefault(one => one.Step == heir || one.Incident == heir)));
            }

            if (mine is not null && AreSame(mine.Before, mine.After))
            {
                var earlier = All.TakeWhile(one => one != mine).LastOrDefault(one => !one.HasEnded && one.Incident != mine.Incident && !lasting.ContainsKey(one.Step) && AreSame(one.After, mine.After));
                return (With(mine with { HasEnded = true, HandedTo = earlier?.Step }), (true, earlier));
            }

            // What never came to act, or has ended before, has nothing to hand on, and takes nothing away from the others.
            if (mine is not { HasEnded: false })
            {
                return (this, (false, mine is not null && shows(mine.Before) ? null : All.LastOrDefault(one => !one.HasEnded && shows(one.After))));
            }

            List<Holder<T>> later = [.. All.SkipWhile(one => one != mine).Skip(1).Where(one => !one.HasEnded)];
            if (!later.Exists(one => shows(one.After)))
            {
                return (this, (false, null));
            }

            // The one that found what this one put there: another in between may never have come to act.
            var next = later.Find(one => AreSame(one.Before, mine.After)) ?? later[0];
            return (With(mine with { HasEnded = true, HandedTo = next.Step }).With(next with { Before = mine.Before }), (false, next));
        }

        public Holders<T> Ended(string step) => Of(step) is { HasEnded: false } mine ? With(mine with { HasEnded = true }) : this;

        private Holders<T> With(Holder<T> changed) => new([.. All.Select(one => one.Step == changed.Step ? changed : one)]);
    }

    /// <param name="Step">Its idempotency key.</param>
    /// <param name="Found">What it found, as its own record says.</param>
    /// <param name="Before">What it brings back: what it found, or what one that ended before handed on. Nothing, which is not written, where there was nothing.</param>
    public sealed record Holder<T>(string Step, string Incident, T Found, T After, T Before)
    {
        public bool HasEnded { get; init; }

        /// <summary>The step that takes it back instead, and to which what was there before was handed on.</summary>
        public string? HandedTo { get; init; }
    }
}
