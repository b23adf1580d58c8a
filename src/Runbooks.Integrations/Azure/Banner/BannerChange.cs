using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.AppConfiguration;

namespace Runbooks.Integrations.Azure.Banner;

/// <summary>One banner in the places where pages read it.</summary>
/// <param name="Blob">Null when no blob is wanted.</param>
internal sealed record BannerChange(SettingChange Key, SettingChange? Blob)
{
    public JsonElement ToState() => JsonSerializer.SerializeToElement(this);

    public static BannerChange From(JsonElement state) =>
        state.Deserialize<BannerChange>() ?? throw new StepRefusedException("What is needed to undo this step was not recorded.");

    public async Task ApplyAsync(AppConfigurationClient keys, BannerBlobs blobs, CancellationToken cancellationToken)
    {
        await Key.ApplyAsync(keys, cancellationToken);
        await (Blob?.ApplyAsync(blobs, cancellationToken) ?? Task.CompletedTask);
    }

    /// <summary>Each place for itself: what somebody changed in the one does not keep the banner up in the other.</summary>
    /// <returns>What was done, in words.</returns>
    public async Task<string> UndoAsync(AppConfigurationClient keys, BannerBlobs blobs, CancellationToken cancellationToken)
    {
        if (Blob is null)
        {
            return await Key.UndoAsync(keys, cancellationToken);
        }

        string? left = null;
        var blob = "";
        try
        {
            blob = await Blob.UndoAsync(blobs, cancellationToken);
        }
        catch (StepRefusedException refused)
        {
            left = refused.Message;
        }

        var key = await Key.UndoAsync(keys, cancellationToken);
        return left is null ? $"{key} {blob}" : throw new StepRefusedException($"{left} {key}");
    }
}
