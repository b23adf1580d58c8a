using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Azure.Banner;

/// <summary>Shows users a status banner in the places where the web pages look for it, and takes it back.</summary>
internal sealed class PublishBanner(AppConfigurationClient keys, BannerBlobs blobs) : RunbookAction<PublishBannerParameters>(
    "banner.publish",
    "Shows users a status banner: JSON under a key of Azure App Configuration and, for static web pages, in a blob.")
{
    private const string Json = "application/json";

    public override string Role => $"{AppConfigurationClient.Role} on the store; {BannerBlobs.Role} on the container, where one is configured";

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(PublishBannerParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        if (context.Interrupted is not null)
        {
            return context.Interrupted;
        }

        // The same words for the whole incident: a time in here would make every preparation another plan.
        var banner = JsonSerializer.Serialize(new
        {
            message = parameters.Message,
            severity = JsonNamingPolicy.CamelCase.ConvertName(parameters.Severity.ToString()),
            incident = context.IncidentId,
        });
        var (key, keyNow) = await LookAsync(keys, keys.Address(parameters.Store, parameters.Key, parameters.Label), banner, cancellationToken);
        var (blob, blobNow) = blobs.Address(parameters.Blob) is { } address ? await LookAsync(blobs, address, banner, cancellationToken) : (null, null);
        var replaces = keyNow is not null || blobNow is not null;
        return new Preparation
        {
            Will = $"Show users the banner “{parameters.Message}” through {keys.Words(key.Address)}{(blob is null ? "" : $" and {blobs.Words(blob.Address)}")}"
                + $"{(replaces ? ", in place of the one that is there" : "")}.",
            Identity = blob is null ? keyNow?.ETag ?? "absent" : $"{keyNow?.ETag ?? "absent"} {blobNow?.ETag ?? "absent"}",
            Undo = replaces ? "Bring the previous banner back." : "Take the banner away.",
            UndoState = new BannerChange(key, blob).ToState(),
        };
    }

    protected override async Task<ActionResult> ApplyAsync(
        PublishBannerParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        await BannerChange.From((context.Interrupted ?? preparation).UndoState!.Value).ApplyAsync(keys, blobs, cancellationToken);
        return new ActionResult($"Users see the banner “{parameters.Message}”.");
    }

    public override async Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        new(await BannerChange.From(undoState).UndoAsync(keys, blobs, cancellationToken));

    private static async Task<(SettingChange Change, Setting? Now)> LookAsync(ISettings settings, SettingAddress address, string banner, CancellationToken cancellationToken)
    {
        var now = await settings.ReadAsync(address, cancellationToken);
        return (new SettingChange(address, now?.Value, now?.ContentType, banner, Json), now);
    }
}
