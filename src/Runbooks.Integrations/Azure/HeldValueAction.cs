namespace Runbooks.Integrations.Azure;

internal abstract class HeldValueAction<TParameters, TChange, TValue>(HeldValues held, string name, string summary)
    : RunbookAction<TParameters>(name, summary)
    where TParameters : notnull
    where TChange : IHeldChange<TValue>
{
    public override bool Reversible => true;

    protected override async Task<ActionResult> ApplyAsync(
        TParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var change = preparation.UndoState!.Value.Deserialize<TChange>()!;
        var done = await held.HoldAsync(
            Held(change),
            change.Before,
            change.After,
            () => SetAsync(change, change.Before, change.After, back: false, context, cancellationToken),
            context,
            cancellationToken);
        return done is null ? context.FoundSo(WasText(change)) : new(done);
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken)
    {
        var change = undoState.Deserialize<TChange>()!;
        if (KeptText(change) is { } kept)
        {
            return held.KeepAsync(Held(change), change.Before, change.After, kept, context, cancellationToken);
        }

        return held.ReleaseAsync(
            Held(change),
            change.Before,
            () => ReadAsync(change, cancellationToken),
            Shows,
            async (before, _) => await SetAsync(change, change.After, before, back: true, context, cancellationToken)
                ?? $"{IsText(change, before)}, as it was before.",
            context,
            cancellationToken);
    }

    protected abstract HeldValue Held(TChange change);

    protected abstract Task<TValue> ReadAsync(TChange change, CancellationToken cancellationToken);

    /// <param name="back">Whether <paramref name="to"/> is what was there before.</param>
    /// <returns>What was done, as a sentence; null when it is so already.</returns>
    protected abstract Task<string?> SetAsync(
        TChange change, TValue from, TValue to, bool back, StepContext context, CancellationToken cancellationToken);

    /// <summary>That it had the value after the change; without its end, which says since when.</summary>
    protected abstract string WasText(TChange change);

    /// <summary>That it has the value from before the change; without its end, which says that.</summary>
    protected abstract string IsText(TChange change, TValue before);

    /// <summary>What a person is told where the value is not restored; null where it is.</summary>
    protected virtual string? KeptText(TChange change) => null;

    protected abstract string ChangedText(TChange change, TValue now);

    protected virtual bool Shows(TValue value, TValue now) => EqualityComparer<TValue>.Default.Equals(value, now);

    protected bool IsToBeSet(TChange change, TValue now, TValue from, TValue to) =>
        !Shows(to, now) && (Shows(from, now) ? true : throw new ChangedSinceException(ChangedText(change, now)) { NothingDone = true });
}

internal interface IHeldChange<out TValue>
{
    TValue Before { get; }

    TValue After { get; }
}
