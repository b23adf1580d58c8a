using Runbooks.Model.Storage;

namespace Runbooks.Integrations.Azure;

/// <summary>A value that several incidents may hold at a time.</summary>
/// <param name="Id">The one name for it over all incidents. Resources of one name are in many groups.</param>
/// <param name="Words">For people.</param>
internal sealed record HeldValue(string Id, string Words)
{
    public HeldValue(string words)
        : this(words, words)
    {
    }
}

/// <summary>
/// Values that several incidents may hold at a time: a flag that two outages switch on, a banner that the second one replaces.
/// Each step notes what it found and what it puts there. Whoever ends while a later one holds the value leaves it as it is and
/// hands on what was there before, which the last one to end brings back. Held in shared state, so over all hosts.
/// </summary>
internal sealed class HeldValues(ISharedState? state)
{
    /// <summary>To be called before the value is read and written: whoever ends meanwhile has to know.</summary>
    /// <param name="context">The same step notes it once, however often it is tried; anew where it has found something else since.</param>
    public async Task HoldAsync<T>(HeldValue value, T before, T after, StepContext context, CancellationToken cancellationToken)
    {
        if (state is not null)
        {
            var mine = new Holder<T>(StepOf(context), context.IncidentId, before, after) { Before = before };
            await state.UpdateAsync<Holders<T>, bool>(Key(value), known => ((known ?? new([])).With(mine), true), cancellationToken);
        }
    }

    /// <summary>Takes back what a step put there, unless a later one holds it. Safe to run twice, as long as the taking back is.</summary>
    /// <param name="before">What the step found.</param>
    /// <param name="shows">Whether that is what is there now.</param>
    /// <param name="takeBack">Brings back what it is given.</param>
    public async Task<ActionResult> ReleaseAsync<T>(HeldValue value, T before, Func<T, bool> shows, Func<T, Task<string>> takeBack, StepContext context, CancellationToken cancellationToken)
    {
        if (state is null)
        {
            return new(await takeBack(before));
        }

        var step = StepOf(context);
        var (holders, later) = await state.UpdateAsync<Holders<T>, string?>(Key(value), known => (known ?? new([])).HandOn(step, shows), cancellationToken);
        if (later is not null)
        {
            return new($"{value.Words} stays as it is: incident {later} changed it after this one. What was there before comes back when the last of those changes is taken back.") { HandedOn = true };
        }

        try
        {
            var said = await takeBack(holders.Of(step) is { } mine && Holders<T>.AreSame(mine.Found, before) ? mine.Before : before);
            await EndAsync<T>(value, step, cancellationToken);
            return new(said);
        }
        catch (ChangedSinceException)
        {
            await EndAsync<T>(value, step, cancellationToken);
            throw;
        }
    }

    private async Task EndAsync<T>(HeldValue value, string step, CancellationToken cancellationToken) =>
        await state!.UpdateAsync<Holders<T>, bool>(Key(value), known => ((known ?? new([])).Ended(step), true), cancellationToken);

    private static string Key(HeldValue value) => $"held:{value.Id.ToLowerInvariant()}";

    // Undoing has a key of its own, made from the step's.
    private static string StepOf(StepContext context) => context.IdempotencyKey.EndsWith(":undo", StringComparison.Ordinal) ? context.IdempotencyKey[..^":undo".Length] : context.IdempotencyKey;

    /// <summary>Who holds a value, the last one last. Those that have ended stay until nobody holds it, so that to end twice is the same as once.</summary>
    public sealed record Holders<T>(IReadOnlyList<Holder<T>> All)
    {
        public Holder<T>? Of(string step) => All.FirstOrDefault(one => one.Step == step);

        public Holders<T> With(Holder<T> mine)
        {
            if (Of(mine.Step) is { HasEnded: false } known && AreSame(known.Found, mine.Found) && AreSame(known.After, mine.After))
            {
                return this;
            }

            List<Holder<T>> others = [.. All.Where(one => one.Step != mine.Step)];
            return others.TrueForAll(one => one.HasEnded) ? new([mine]) : new([.. others, mine]);
        }

        // As they are kept: lists and tables have no equality of their own.
        public static bool AreSame(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

        /// <returns>And the incident that holds it now; null for whoever is the last, and where what is there is nobody's of them.</returns>
        public (Holders<T> Holders, string? Later) HandOn(string step, Func<T, bool> shows)
        {
            if (Of(step) is not { } mine)
            {
                return (this, null);
            }

            if (mine.HandedTo is not null)
            {
                return (this, mine.HandedTo);
            }

            List<Holder<T>> later = [.. All.SkipWhile(one => one != mine).Skip(1).Where(one => !one.HasEnded)];
            return later.Count == 0 || !shows(later[^1].After)
                ? (this, null)
                : (new([.. All.Select(one => one == mine ? mine with { HasEnded = true, HandedTo = later[0].Incident } : one == later[0] ? later[0] with { Before = mine.Before } : one)]), later[0].Incident);
        }

        public Holders<T> Ended(string step) => new([.. All.Select(one => one.Step == step ? one with { HasEnded = true } : one)]);
    }

    /// <param name="Step">Its idempotency key.</param>
    /// <param name="Found">What it found, as its own record says.</param>
    public sealed record Holder<T>(string Step, string Incident, T Found, T After)
    {
        /// <summary>What it brings back: what it found, or what one that ended before handed on.</summary>
        public required T Before { get; init; }

        public bool HasEnded { get; init; }

        /// <summary>The incident that what was there before was handed on to.</summary>
        public string? HandedTo { get; init; }
    }
}
