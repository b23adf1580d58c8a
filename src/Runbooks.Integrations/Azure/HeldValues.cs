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
}

/// <summary>
/// Values that several incidents may hold at a time: a flag that two outages switch on, a banner that the second one replaces.
/// Each step notes what it found and what it puts there. Whoever ends while a later one holds the value leaves it as it is and
/// hands on what was there before, which the last one to end brings back. Held in shared state, so over all hosts. Nothing is
/// handed on to one that takes nothing back: its incident has ended otherwise, or its change is to stay.
/// </summary>
internal sealed class HeldValues(ISharedState? state, IIncidentStore? incidents)
{
    /// <summary>To be called before the value is read and written: whoever ends meanwhile has to know.</summary>
    /// <param name="context">The same step notes it once, however often it is tried; anew where it has found something else since.</param>
    public async Task HoldAsync<T>(HeldValue value, T before, T after, StepContext context, CancellationToken cancellationToken)
    {
        if (state is not null)
        {
            var mine = new Holder<T>(StepOf(context), context.IncidentId, before, after) { Before = before };
            var lasting = await FindLastingAsync<T>(value, cancellationToken);
            await state.UpdateAsync<Holders<T>, bool>(Key(value), known => ((known ?? new([])).With(mine, lasting), true), cancellationToken);
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
        var lasting = await FindLastingAsync<T>(value, cancellationToken);
        var (holders, later) = await state.UpdateAsync<Holders<T>, string?>(Key(value), known => (known ?? new([])).HandOn(step, shows, lasting), cancellationToken);
        if (later is not null)
        {
            return new($"{value.DisplayName} stays as it is: incident {later} changed it after this one. What was there before comes back when the last of those changes is taken back.") { HandedOn = true };
        }

        try
        {
            if (holders.Next(step, shows) is { } other)
            {
                throw new ChangedSinceException($"{value.DisplayName} was left alone: incident {other.Incident} changed it after this one and does not take it back.");
            }

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

    /// <summary>The steps that have changed the value and will not take it back.</summary>
    private async Task<IReadOnlyList<string>> FindLastingAsync<T>(HeldValue value, CancellationToken cancellationToken)
    {
        List<string> lasting = [];
        if (incidents is null || await state!.FindAsync<Holders<T>>(Key(value), cancellationToken) is not { } known)
        {
            return lasting;
        }

        foreach (var one in known.All.Where(one => !one.HasEnded))
        {
            var incident = await incidents.FindAsync(one.Incident, cancellationToken);
            var step = incident?.Steps.FirstOrDefault(step => StepRecord.KeyOf(incident.Id, step.Phase, step.Name) == one.Step);
            if (incident?.State.IsFinal() == true && step is null)
            {
                // It was about to, and never did.
                await EndAsync<T>(value, one.Step, cancellationToken);
            }
            else if (incident is null or { KeepsFix: true } || incident.State.IsFinal() || step is { IsToBeTakenBack: false })
            {
                lasting.Add(one.Step);
            }
        }

        return lasting;
    }

    private async Task EndAsync<T>(HeldValue value, string step, CancellationToken cancellationToken) =>
        await state!.UpdateAsync<Holders<T>, bool>(Key(value), known => ((known ?? new([])).Ended(step), true), cancellationToken);

    private static string Key(HeldValue value) => $"held:{value.Id.ToLowerInvariant()}";

    // Undoing has a key of its own, made from the step's.
    private static string StepOf(StepContext context) => context.IdempotencyKey.EndsWith(":undo", StringComparison.Ordinal) ? context.IdempotencyKey[..^":undo".Length] : context.IdempotencyKey;

    /// <summary>Who holds a value, the last one last. Those that have ended stay until nobody is to take it back, so that to end twice is the same as once.</summary>
    public sealed record Holders<T>(IReadOnlyList<Holder<T>> All)
    {
        public Holder<T>? Of(string step) => All.FirstOrDefault(one => one.Step == step);

        public Holders<T> With(Holder<T> mine, IReadOnlyList<string> lasting)
        {
            if (Of(mine.Step) is { HasEnded: false } known && AreSame(known.Found, mine.Found) && AreSame(known.After, mine.After))
            {
                return this;
            }

            List<Holder<T>> others = [.. All.Where(one => one.Step != mine.Step)];
            return others.TrueForAll(one => one.HasEnded || lasting.Contains(one.Step)) ? new([mine]) : new([.. others, mine]);
        }

        // As they are kept: lists and tables have no equality of their own.
        public static bool AreSame(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

        /// <summary>Who changed it next after this step, of those that hold it still.</summary>
        /// <returns>Null for whoever is the last, and where what is there is nobody's of them.</returns>
        public Holder<T>? Next(string step, Func<T, bool> shows)
        {
            List<Holder<T>> later = [.. All.SkipWhile(one => one.Step != step).Skip(1).Where(one => !one.HasEnded)];
            return later.Count > 0 && shows(later[^1].After) ? later[0] : null;
        }

        /// <returns>And the incident that takes it back instead; null where there is none.</returns>
        public (Holders<T> Holders, string? Later) HandOn(string step, Func<T, bool> shows, IReadOnlyList<string> lasting)
        {
            if (Of(step) is not { HandedTo: null } mine)
            {
                return (this, Of(step)?.HandedTo);
            }

            return Next(step, shows) is { } next && !lasting.Contains(next.Step)
                ? (new([.. All.Select(one => one == mine ? mine with { HasEnded = true, HandedTo = next.Incident } : one == next ? next with { Before = mine.Before } : one)]), next.Incident)
                : (this, null);
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
