namespace Runbooks.Integrations.Azure;

internal sealed partial class HeldValues
{
    /// <summary>
    /// The steps that hold a value, the newest last. Those that have ended stay listed until nobody is left to take it back, so that
    /// ending twice is the same as ending once.
    /// </summary>
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

            // This step read the value before another step wrote the same one, so it changes nothing.
            return holding.Count == 0
                ? new([mine])
                : new([.. others, AreSame(holding[^1].After, mine.After) ? mine with { Before = mine.After } : mine]);
        }

        // Compared as JSON: lists and dictionaries have no value equality.
        public static bool AreSame(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

        /// <summary>Ends a step's hold, unless the step has something to take back: then the hold ends when that is done.</summary>
        /// <returns>And whether the step had changed nothing, and who takes the value back instead; null where nobody does.</returns>
        public (Holders<T> Holders, (bool FoundSo, Holder<T>? Other) Result) Release(
            string step, Func<T, bool> shows, IReadOnlyDictionary<string, bool> lasting)
        {
            var mine = Of(step);
            if (mine?.HandedTo is { } heir)
            {
                // Notes of older versions name the incident instead of the step.
                return (this, (false, All.FirstOrDefault(one => one.Step == heir || one.Incident == heir)));
            }

            if (mine is not null && AreSame(mine.Before, mine.After))
            {
                var earlier = All
                    .TakeWhile(one => one != mine)
                    .LastOrDefault(one => !one.HasEnded
                        && one.Incident != mine.Incident
                        && !lasting.ContainsKey(one.Step)
                        && AreSame(one.After, mine.After));
                return (With(mine with { HasEnded = true, HandedTo = earlier?.Step }), (true, earlier));
            }

            // A step that never acted or has already ended has nothing to hand on, and takes nothing away from the others.
            if (mine is not { HasEnded: false })
            {
                var other = mine is not null && shows(mine.Before)
                    ? null
                    : All.LastOrDefault(holder => !holder.HasEnded && shows(holder.After));
                return (this, (false, other));
            }

            List<Holder<T>> later = [.. All.SkipWhile(one => one != mine).Skip(1).Where(one => !one.HasEnded)];
            if (!later.Exists(one => shows(one.After)))
            {
                return (this, (false, null));
            }

            // The heir is the step that found this step's value: one in between may never have acted.
            var next = later.Find(one => AreSame(one.Before, mine.After)) ?? later[0];
            return (With(mine with { HasEnded = true, HandedTo = next.Step }).With(next with { Before = mine.Before }), (false, next));
        }

        public Holders<T> Ended(string step) => Of(step) is { HasEnded: false } mine ? With(mine with { HasEnded = true }) : this;

        private Holders<T> With(Holder<T> changed) => new([.. All.Select(one => one.Step == changed.Step ? changed : one)]);
    }

    /// <param name="Before">What the step restores: what it found, or what an ended step handed on. Not written where there was nothing.</param>
    public sealed record Holder<T>(string Step, string Incident, T Found, T After, T Before)
    {
        public bool HasEnded { get; init; }

        /// <summary>The step that got the old value and takes it back instead.</summary>
        public string? HandedTo { get; init; }
    }
}
