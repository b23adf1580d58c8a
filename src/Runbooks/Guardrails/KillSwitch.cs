using System.Text.Json.Serialization;
using Runbooks.Model;

namespace Runbooks.Guardrails;

/// <summary>While it is engaged nothing acts, and nothing is undone either: everything is paused.</summary>
public sealed class KillSwitch(ISharedState state, TimeProvider time, ILogger<KillSwitch> logger)
{
    private const string Key = "safety:kill-switch";

    /// <summary>Changes stored with it; the log has all.</summary>
    private const int MaxChanges = 100;

    public async Task<KillSwitchState> ReadAsync(CancellationToken cancellationToken) =>
        await state.FindAsync<KillSwitchState>(Key, cancellationToken) ?? KillSwitchState.Released;

    /// <summary>A stop while everything is stopped is recorded too, for its own reason; the same one sent again is not.</summary>
    public Task<KillSwitchState> EngageAsync(string by, string reason, CancellationToken cancellationToken) => TurnAsync(
        new(true, by, reason, time.GetUtcNow()),
        before => !before.Stops.Any(stop => stop.By == by && stop.Reason == reason),
        cancellationToken);

    /// <param name="stop">The time of the newest stop that the person saw; a newer one stays engaged. Null releases any.</param>
    public Task<KillSwitchState> ReleaseAsync(string by, string reason, string? stop, CancellationToken cancellationToken) => TurnAsync(
        new(false, by, reason, time.GetUtcNow()),
        before => before.Engaged && (stop is null || before.Changes[^1].IsOf(stop)),
        cancellationToken);

    private async Task<KillSwitchState> TurnAsync(
        KillSwitchChange change, Func<KillSwitchState, bool> counts, CancellationToken cancellationToken)
    {
        var (changed, turned) = await state.UpdateAsync<KillSwitchState, bool>(
            Key,
            known =>
            {
                var before = known ?? KillSwitchState.Released;
                return counts(before)
                    ? (before with { Changes = [.. before.Changes.TakeLast(MaxChanges - 1), change] }, true)
                    : (before, false);
            },
            cancellationToken);
        if (turned)
        {
            Log.KillSwitchTurned(logger, change.Engaged ? "engaged" : "released", change.By, change.Reason);
        }

        return changed;
    }
}

/// <param name="Changes">Oldest first.</param>
public sealed record KillSwitchState(IReadOnlyList<KillSwitchChange> Changes) : Evolving
{
    public static readonly KillSwitchState Released = new([]);

    private const int Named = 3;

    public bool Engaged => Changes is [.., { Engaged: true }];

    /// <summary>The stops since the last release, oldest first.</summary>
    [JsonIgnore]
    public IReadOnlyList<KillSwitchChange> Stops => [.. Changes.Reverse().TakeWhile(change => change.Engaged).Reverse()];

    /// <summary>Whole sentences, for people who want to act; null while it is released.</summary>
    public string? Describe()
    {
        if (!Engaged)
        {
            return null;
        }

        var stops = Stops;
        var first = stops[0];
        var unnamed = stops.Count - 1 - Named;
        var others = stops.Skip(1).TakeLast(Named)
            .Select(stop => $"{stop.By} did so too at {GateText.DayAndClock(stop.At)}. {EndingText.Sentence(stop.Reason)}");
        return string.Join(" ", Lines.Of([
            EndingText.Sentence($"The kill switch is on: {first.By} stopped all steps at {GateText.DayAndClock(first.At)}. {first.Reason}"),
            unnamed > 0 ? $"{unnamed} more did so too." : null,
            .. others,
        ]));
    }
}

public sealed record KillSwitchChange(bool Engaged, string By, string Reason, DateTimeOffset At) : Evolving
{
    internal bool IsOf(string time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) && at == At;
}

public sealed class KillSwitchGuardrail(KillSwitch killSwitch) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        (await killSwitch.ReadAsync(cancellationToken)).Describe() is { } words
            ? new GuardrailViolation(GuardrailNames.KillSwitch, words, GuardrailSeverity.Forbid) { IsLiftedByPeople = true }
            : null;
}
