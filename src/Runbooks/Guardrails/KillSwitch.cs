using Runbooks.Model;

namespace Runbooks.Guardrails;

/// <summary>Stops all mitigation at once. While it is engaged nothing acts, and nothing is undone either: everything is paused.</summary>
public sealed class KillSwitch(ISharedState state, TimeProvider time, ILogger<KillSwitch> logger)
{
    private const string Key = "safety:kill-switch";

    /// <summary>The latest changes are kept with it; all are in the log.</summary>
    private const int MaxChanges = 100;

    public async Task<KillSwitchState> ReadAsync(CancellationToken cancellationToken) =>
        await state.FindAsync<KillSwitchState>(Key, cancellationToken) ?? KillSwitchState.Released;

    public Task<KillSwitchState> EngageAsync(string by, string reason, CancellationToken cancellationToken) =>
        TurnAsync(true, by, reason, cancellationToken);

    public Task<KillSwitchState> ReleaseAsync(string by, string reason, CancellationToken cancellationToken) =>
        TurnAsync(false, by, reason, cancellationToken);

    private async Task<KillSwitchState> TurnAsync(bool engage, string by, string reason, CancellationToken cancellationToken)
    {
        var change = new KillSwitchChange(engage, by, reason, time.GetUtcNow());
        var (changed, turned) = await state.UpdateAsync<KillSwitchState, bool>(
            Key,
            known =>
            {
                var before = known ?? KillSwitchState.Released;
                return before.Engaged == engage ? (before, false) : (new([.. before.Changes.TakeLast(MaxChanges - 1), change]), true);
            },
            cancellationToken);
        if (turned)
        {
            Log.KillSwitchTurned(logger, engage ? "engaged" : "released", by, reason);
        }

        return changed;
    }
}

/// <param name="Changes">Who turned it, oldest first.</param>
public sealed record KillSwitchState(IReadOnlyList<KillSwitchChange> Changes) : Evolving
{
    public static readonly KillSwitchState Released = new([]);

    public bool Engaged => Changes is [.., { Engaged: true }];

    /// <summary>What is told to whoever wants to act; null while it is released.</summary>
    public string? Describe() => Engaged
        ? $"The kill switch is on: {Changes[^1].By} stopped all steps at {GateText.DayAndClock(Changes[^1].At)}. {Changes[^1].Reason}".TrimEnd()
        : null;
}

public sealed record KillSwitchChange(bool Engaged, string By, string Reason, DateTimeOffset At) : Evolving;

public sealed class KillSwitchGuardrail(KillSwitch killSwitch) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken) =>
        (await killSwitch.ReadAsync(cancellationToken)).Describe() is { } words
            ? new GuardrailViolation("killSwitch", words, GuardrailSeverity.Forbid) { IsLiftedByPeople = true }
            : null;
}
