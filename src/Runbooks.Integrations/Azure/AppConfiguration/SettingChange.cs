using System.Text.Json;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>A change of one setting that can be taken back: what was there, and what was put there.</summary>
/// <param name="Before">Null when there was no such key.</param>
internal sealed record SettingChange(SettingAddress Address, string? Before, string? BeforeType, string After, string? AfterType)
{
    public JsonElement ToState() => JsonSerializer.SerializeToElement(this);

    public static SettingChange From(JsonElement state) =>
        state.Deserialize<SettingChange>() ?? throw new StepRefusedException("What is needed to undo this step was not recorded.");

    /// <summary>Puts the new value there, unless it is there already or somebody changed the old one.</summary>
    public async Task ApplyAsync(ISettings settings, CancellationToken cancellationToken)
    {
        var now = await settings.ReadAsync(Address, cancellationToken);
        if (now?.Value == After)
        {
            return;
        }

        if (now?.Value != Before || (!await settings.WriteAsync(Address, After, AfterType, now, cancellationToken) && !await IsThereAsync(settings, cancellationToken)))
        {
            throw new StepRefusedException($"{settings.Words(Address)} was changed by somebody else in the meantime. Nothing was overwritten.");
        }
    }

    // An attempt whose answer was lost may have been sent again, and finds its own change.
    private async Task<bool> IsThereAsync(ISettings settings, CancellationToken cancellationToken) =>
        (await settings.ReadAsync(Address, cancellationToken))?.Value == After;

    /// <summary>Brings back what was there, unless somebody has changed it since: then theirs stays.</summary>
    /// <returns>What was done, in words.</returns>
    public async Task<string> UndoAsync(ISettings settings, CancellationToken cancellationToken)
    {
        var now = await settings.ReadAsync(Address, cancellationToken);
        if (now?.Value == Before)
        {
            return $"{settings.Words(Address)} is as it was before.";
        }

        var undone = now?.Value == After && (Before is null
            ? await settings.DeleteAsync(Address, now, cancellationToken)
            : await settings.WriteAsync(Address, Before, BeforeType, now, cancellationToken));
        return undone
            ? Before is null ? $"Removed {settings.Words(Address)} again." : $"Brought {settings.Words(Address)} back to its previous value."
            : throw new StepRefusedException($"{settings.Words(Address)} was changed by somebody else since, so it was left alone. Its value before this incident: {Before ?? "none"}");
    }
}
