using Runbooks.Integrations.Azure.AppConfiguration;

namespace Runbooks.Integrations.Azure.Banner;

internal sealed class PublishBanner(AppConfigurationClient keys, BannerBlobs blobs, HeldValues held)
    : RunbookAction<PublishBannerParameters>(
        "banner.publish", "Shows users a status banner: JSON under a key of Azure App Configuration and, for static web pages, in a blob.")
{
    private const string Json = "application/json";

    public override string Role =>
        $"{AppConfigurationClient.Role} on the store; {BannerBlobs.Role} on the container, where one is configured";

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(
        PublishBannerParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        // The same words for the whole incident: a time in them would make every preparation another plan.
        var banner = JsonSerializer.Serialize(
            new { message = parameters.Message, severity = CamelCase.Of(parameters.Severity), incident = context.IncidentId });
        var (key, keyNow) = await LookAsync(
            keys, keys.Address(parameters.Store, parameters.Key, parameters.Label), banner, cancellationToken);
        var (blob, blobNow) = blobs.Address(parameters.Blob) is { } address
            ? await LookAsync(blobs, address, banner, cancellationToken)
            : (null, null);
        var places = $"{key.Address.DisplayName}{(blob is null ? "" : $" and {blobs.DisplayName(blob.Address)}")}";
        var replaces = keyNow is not null || blobNow is not null;
        return new Preparation
        {
            PlannedEffect = $"Show users the banner “{parameters.Message}” through "
                + $"{places}{(replaces ? ", in place of the one that is there" : "")}.",
            // Store, container and blob may come from the settings.
            Identity = $"{places}: {Others(keyNow)}{(blob is null ? "" : $", {Others(blobNow)}")}",
            Undo = replaces ? "Bring the previous banner back." : "Take the banner away.",
            UndoState = new BannerChange(key, blob).ToState(),
            Refusal = keyNow is { IsLocked: true } && keyNow.Value != banner ? AppConfigurationClient.LockedWords(key.Address) : null,
        };
    }

    protected override async Task<ActionResult> ApplyAsync(
        PublishBannerParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        await BannerChange.From(preparation.UndoState!.Value).ApplyAsync(keys, blobs, held, context, cancellationToken);
        return new ActionResult($"Users see the banner “{parameters.Message}”.");
    }

    public override Task<ActionResult> UndoAsync(JsonElement undoState, StepContext context, CancellationToken cancellationToken) =>
        BannerChange.From(undoState).UndoAsync(keys, blobs, held, context, cancellationToken);

    /// <summary>A banner of another incident makes no difference: the last one to end takes it away, whichever was first.</summary>
    private static string Others(Setting? now) => now is null || IsOurs(now.Value) ? "no banner of anybody else" : now.ETag;

    private static bool IsOurs(string banner) => JsonAnswer.Parse(banner) is JsonObject shown && shown["incident"] is JsonValue;

    private static async Task<(SettingChange Change, Setting? Now)> LookAsync(
        ISettings settings, SettingAddress address, string banner, CancellationToken cancellationToken)
    {
        var now = await settings.ReadAsync(address, cancellationToken);
        return (new SettingChange(address, now?.Value, now?.ContentType, banner, Json), now);
    }
}

public sealed record PublishBannerParameters
{
    [Required, ForPeople(300, OneLine = true)]
    [Description("What users read.")]
    public required string Message { get; init; }

    [Description("How urgent it looks.")]
    public BannerSeverity Severity { get; init; } = BannerSeverity.Warning;

    [TextPattern("^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$",
        "a key of at most 200 letters, digits and . _ : / -, beginning with a letter or digit")]
    [Description("The key that the web page reads.")]
    public string Key { get; init; } = "banner";

    [MaxLength(100)]
    [Description("The label of the key; none when left out.")]
    public string? Label { get; init; }

    [MaxLength(100)]
    [Description("The configured App Configuration store; the default one when left out.")]
    public string? Store { get; init; }

    [PlainName(100)]
    [Description("The JSON blob, in the container of Banner:Container, that a static web page reads; Banner:Blob when left out.")]
    public string? Blob { get; init; }
}

public enum BannerSeverity { Info, Warning, Critical }

internal sealed record BannerChange(SettingChange Key, SettingChange? Blob)
{
    public JsonElement ToState() => JsonSerializer.SerializeToElement(this);

    public static BannerChange From(JsonElement state) =>
        state.Deserialize<BannerChange>() ?? throw new StepRefusedException("What is needed to undo this step was not recorded.");

    public async Task ApplyAsync(
        AppConfigurationClient keys, BannerBlobs blobs, HeldValues held, StepContext context, CancellationToken cancellationToken)
    {
        await Key.ApplyAsync(keys, held, context, cancellationToken);
        try
        {
            // The second half of a banner follows the first, even where the incident is paused in between.
            var unpaused = context with { FindPause = _ => Task.FromResult<string?>(null) };
            await (Blob?.ApplyAsync(blobs, held, unpaused, cancellationToken) ?? Task.CompletedTask);
        }
        catch (AzureRequestException busy) when (busy.IsBusy)
        {
            // The key is written. An attempt that did nothing would be forgotten, and with it what was there before.
            throw new AzureRequestException($"The banner is up in App Configuration, and not yet in its blob. {busy.Message}");
        }
        catch (StepRefusedException refused) when (refused.NothingDone)
        {
            throw new StepRefusedException($"The banner is up in App Configuration, and not in its blob. {refused.Message}");
        }
    }

    /// <summary>
    /// Each place on its own: that somebody changed one, or that it cannot be reached, does not keep the banner up in the other.
    /// </summary>
    public async Task<ActionResult> UndoAsync(
        AppConfigurationClient keys, BannerBlobs blobs, HeldValues held, StepContext context, CancellationToken cancellationToken)
    {
        if (Blob is null)
        {
            return await Key.UndoAsync(keys, held, context, cancellationToken);
        }

        var (blob, blobLeft) = await TryAsync(() => Blob.UndoAsync(blobs, held, context, cancellationToken));

        // As in ApplyAsync: the second half follows the first, even where the incident is paused in between.
        var rest = blobLeft is null ? context with { FindPause = _ => Task.FromResult<string?>(null) } : context;
        var (key, keyLeft) = await TryAsync(() => Key.UndoAsync(keys, held, rest, cancellationToken));
        var displayName = $"{key.Result} {blob.Result}";
        return (keyLeft, blobLeft) switch
        {
            (null, null) => new(displayName) { HandedOn = key.HandedOn || blob.HandedOn, FoundSo = key.FoundSo && blob.FoundSo },
            // Somebody's own banner stays. One that could not be reached is still ours, and is tried again.
            (null or ChangedSinceException, null or ChangedSinceException) => throw new ChangedSinceException(displayName),
            (StepRefusedException or null, StepRefusedException or null) => throw new StepRefusedException(displayName),
            _ => throw new AttemptFailedException(displayName)
            {
                IsBusy = new[] { keyLeft, blobLeft }.Any(left => left is AttemptFailedException { IsBusy: true }),
            },
        };
    }

    private static async Task<(ActionResult Result, Exception? Left)> TryAsync(Func<Task<ActionResult>> undo)
    {
        try
        {
            return (await undo(), null);
        }
        catch (Exception left) when (left is StepRefusedException or AttemptFailedException)
        {
            return (new(left.Message), left);
        }
    }
}
