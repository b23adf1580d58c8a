namespace Runbooks.Guardrails;

/// <summary>Counts over all incidents and all hosts.</summary>
public sealed class ActionConcurrencyLimiter(ISharedState state, IOptionsMonitor<SafetyOptions> options, TimeProvider time)
{
    /// <param name="step">The step's idempotency key: the same step gets its own place again after a crash.</param>
    /// <param name="atMost">A place that a crash left taken is free again after this long.</param>
    public async Task<bool> TakeAsync(string action, string step, TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (options.CurrentValue.LimitOf(action) is not { } places)
        {
            return true;
        }

        var now = time.GetUtcNow();
        return (await state.UpdateAsync<SlotsTaken, bool>(
            Key(action),
            known =>
            {
                var taken = (known ?? SlotsTaken.None).Steps
                    .Where(slot => TurnEnd.IsAhead(slot.Value, StepSpec.LongestTimeout, now) && slot.Key != step)
                    .ToDictionary();
                if (taken.Count >= places)
                {
                    return (known!, false);
                }

                taken[step] = now + atMost;
                return (new(taken), true);
            },
            cancellationToken)).Result;
    }

    /// <summary>Never fails: the outcome of a step must not be lost because of its place, which becomes free by itself.</summary>
    public async Task FreeAsync(string action, string step)
    {
        if (options.CurrentValue.LimitOf(action) is null)
        {
            return;
        }

        try
        {
            await state.ChangeAsync<SlotsTaken>(
                Key(action),
                known => known is not null && known.Steps.ContainsKey(step)
                    ? new(known.Steps.Where(slot => slot.Key != step).ToDictionary())
                    : known ?? SlotsTaken.None,
                CancellationToken.None);
        }
        catch (StoreUnavailableException)
        {
        }
    }

    private static string Key(string action) => $"slots:{action}";

    /// <param name="Steps">Until when each place is taken, by step.</param>
    public sealed record SlotsTaken(IReadOnlyDictionary<string, DateTimeOffset> Steps)
    {
        public static readonly SlotsTaken None = new(new Dictionary<string, DateTimeOffset>());
    }
}
