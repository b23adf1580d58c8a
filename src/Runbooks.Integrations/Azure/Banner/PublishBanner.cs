using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Runbooks.Integrations.Azure.AppConfiguration;

namespace Runbooks.Integrations.Azure.Banner;

/// <summary>Shows users a status banner in the places where the web pages look for it, and takes it back.</summary>
internal sealed class PublishBanner(AppConfigurationClient keys, BannerBlobs blobs, HeldValues held) : RunbookAction<PublishBannerParameters>(
    "banner.publish",
    "Shows users a status banner: JSON under a key of Azure App Configuration and, for static web pages, in a blob.")
{
    private const string Json = "application/json";

    public override string Role => $"{AppConfigurationClient.Role} on the store; {BannerBlobs.Role} on the container, where one is configured";

    public override bool Reversible => true;

    protected override async Task<Preparation> PrepareAsync(PublishBannerParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        // The same words for the whole incident: a time in here would make every preparation another plan.
        var banner = JsonSerializer.Serialize(new { message = parameters.Message, severity = CamelCase.Of(parameters.Severity), incident = context.IncidentId });
        var (key, keyNow) = await LookAsync(keys, keys.Address(parameters.Store, parameters.Key, parameters.Label), banner, cancellationToken);
        var (blob, blobNow) = blobs.Address(parameters.Blob) is { } address ? await LookAsync(blobs, address, banner, cancellationToken) : (null, null);
        var replaces = keyNow is not null || blobNow is not null;
        return new Preparation
        {
            PlannedEffect = $"Show users the banner “{parameters.Message}” through {key.Address.DisplayName}{(blob is null ? "" : $" and {blobs.DisplayName(blob.Address)}")}"
                + $"{(replaces ? ", in place of the one that is there" : "")}.",
            Identity = blob is null ? Others(keyNow) : $"{Others(keyNow)}, {Others(blobNow)}",
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

    /// <summary>What another incident shows makes no difference: the last one to end takes it away, whichever was first.</summary>
    private static string Others(Setting? now) => now is null || IsOurs(now.Value) ? "no banner of anybody else" : now.ETag;

    private static bool IsOurs(string banner)
    {
        try
        {
            return JsonNode.Parse(banner) is JsonObject shown && shown["incident"] is JsonValue;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static async Task<(SettingChange Change, Setting? Now)> LookAsync(ISettings settings, SettingAddress address, string banner, CancellationToken cancellationToken)
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

    [TextPattern("^[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}$", "a key of at most 200 letters, digits and . _ : / -, beginning with a letter or digit")]
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

/// <summary>One banner in the places where pages read it.</summary>
/// <param name="Blob">Null when no blob is wanted.</param>
internal sealed record BannerChange(SettingChange Key, SettingChange? Blob)
{
    public JsonElement ToState() => JsonSerializer.SerializeToElement(this);

    public static BannerChange From(JsonElement state) =>
        state.Deserialize<BannerChange>() ?? throw new StepRefusedException("What is needed to undo this step was not recorded.");

    public async Task ApplyAsync(AppConfigurationClient keys, BannerBlobs blobs, HeldValues held, StepContext context, CancellationToken cancellationToken)
    {
        await Key.ApplyAsync(keys, held, context, cancellationToken);
        try
        {
            // The second half of a banner follows the first, whatever is paused in between.
            await (Blob?.ApplyAsync(blobs, held, context with { FindPause = _ => Task.FromResult<string?>(null) }, cancellationToken) ?? Task.CompletedTask);
        }
        catch (AzureRequestException busy) when (busy.IsBusy)
        {
            // The key is written: an attempt of which nothing came would be forgotten, and with it what was there before.
            throw new AzureRequestException(busy.Message);
        }
    }

    /// <summary>Each place for itself: what somebody changed in the one does not keep the banner up in the other.</summary>
    public async Task<ActionResult> UndoAsync(AppConfigurationClient keys, BannerBlobs blobs, HeldValues held, StepContext context, CancellationToken cancellationToken)
    {
        if (Blob is null)
        {
            return await Key.UndoAsync(keys, held, context, cancellationToken);
        }

        var (blob, blobLeft) = await TryAsync(() => Blob.UndoAsync(blobs, held, context, cancellationToken));
        var (key, keyLeft) = await TryAsync(() => Key.UndoAsync(keys, held, context, cancellationToken));
        var displayName = $"{key.Result} {blob.Result}";
        return (keyLeft, blobLeft) switch
        {
            (null, null) => new(displayName) { HandedOn = key.HandedOn || blob.HandedOn, FoundSo = key.FoundSo && blob.FoundSo },
            // Somebody's own banner stays; one that could not be reached is ours still, and is tried again.
            (null or ChangedSinceException, null or ChangedSinceException) => throw new ChangedSinceException(displayName),
            _ => throw new StepRefusedException(displayName),
        };
    }

    private static async Task<(ActionResult Result, StepRefusedException? Left)> TryAsync(Func<Task<ActionResult>> undo)
    {
        try
        {
            return (await undo(), null);
        }
        catch (StepRefusedException refused)
        {
            return (new(refused.Message), refused);
        }
    }
}

/// <summary>The JSON blobs from which static web pages read the banner.</summary>
internal sealed class BannerBlobs(TokenCredential credential, IOptions<BannerOptions> options, IOptions<OutboundHttpOptions> http) : ISettings
{
    public const string Role = "Storage Blob Data Contributor";

    /// <summary>A banner is a line of text: what is larger is something else, and is not kept for the way back.</summary>
    private const int Largest = 16 * 1024;

    private static readonly UTF8Encoding s_text = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Lazy<BlobContainerClient> _container = new(() => Container(credential, options.Value, http.Value));

    /// <param name="asked">The blob that the step names; null for the configured one.</param>
    /// <returns>Null: no blob is wanted.</returns>
    /// <exception cref="StepRefusedException">The step names a blob, and no container is configured.</exception>
    public SettingAddress? Address(string? asked) => options.Value.Container is not null
        ? new SettingAddress(_container.Value.Name, asked ?? options.Value.Blob, "")
        : asked is null
            ? null
            : throw new StepRefusedException($"No container is configured for the blob '{asked}'. Set {BannerOptions.SectionName}:Container.");

    public HeldValue Held(SettingAddress address) => new(DisplayName(address));

    public string DisplayName(SettingAddress address) => $"the blob {address.Store}/{address.Key} of storage account '{_container.Value.AccountName}'";

    public Task<Setting?> ReadAsync(SettingAddress address, CancellationToken cancellationToken) => CallAsync<Setting?>(
        address,
        "read",
        async blob =>
        {
            var found = (await blob.DownloadStreamingAsync(cancellationToken: cancellationToken)).Value;
            await using var content = found.Content;
            var buffer = new byte[Largest + 1];
            var length = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            return length > Largest
                ? throw new StepRefusedException($"{DisplayName(address)} holds more than {Largest} bytes, so it is no banner. Nothing was overwritten; name another blob.")
                : new Setting(Text(address, buffer.AsSpan(0, length)), found.Details.ContentType, found.Details.ETag.ToString("H"));
        },
        none: [404],
        cancellationToken);

    public Task<bool> WriteAsync(SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken) => CallAsync(
        address,
        "write",
        async blob =>
        {
            var now = expected is null ? null : (await blob.GetPropertiesAsync(cancellationToken: cancellationToken)).Value;
            await blob.UploadAsync(BinaryData.FromBytes(s_text.GetBytes(value)), new BlobUploadOptions
            {
                // An upload replaces them all. How long pages keep a blob is its owner's to say; where nobody has, one that is opened now shows what is so now.
                HttpHeaders = new BlobHttpHeaders
                {
                    ContentType = contentType,
                    CacheControl = now?.CacheControl is { Length: > 0 } kept ? kept : "no-cache",
                    ContentDisposition = now?.ContentDisposition,
                    ContentLanguage = now?.ContentLanguage,
                },
                Metadata = now?.Metadata,
                Conditions = expected is null ? new BlobRequestConditions { IfNoneMatch = ETag.All } : new BlobRequestConditions { IfMatch = new ETag(expected.ETag) },
            }, cancellationToken);
            return true;
        },
        none: expected is null ? [409, 412] : [404, 409, 412],
        cancellationToken);

    public Task<bool> DeleteAsync(SettingAddress address, Setting expected, CancellationToken cancellationToken) => CallAsync(
        address,
        "delete",
        async blob =>
        {
            await blob.DeleteAsync(conditions: new BlobRequestConditions { IfMatch = new ETag(expected.ETag) }, cancellationToken: cancellationToken);
            return true;
        },
        none: [404, 409, 412],
        cancellationToken);

    private static BlobContainerClient Container(TokenCredential credential, BannerOptions options, OutboundHttpOptions http)
    {
        var (address, patience) = (new Uri(options.Container!), new BlobClientOptions());
        patience.Retry.MaxRetries = http.Retries;
        patience.Retry.Delay = http.RetryDelay;
        patience.Retry.NetworkTimeout = http.AttemptTimeout;
        return options.ConnectionString is { } connection
            ? new BlobServiceClient(connection, patience).GetBlobContainerClient(new BlobUriBuilder(address).BlobContainerName)
            : new BlobContainerClient(address, credential, patience);
    }

    private string Text(SettingAddress address, ReadOnlySpan<byte> content)
    {
        try
        {
            return s_text.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            throw new StepRefusedException($"{DisplayName(address)} holds something that is not text, so it is no banner. Nothing was overwritten; name another blob.");
        }
    }

    /// <param name="none">Statuses that are an answer as well: there is none, or it is not as it was.</param>
    private async Task<T?> CallAsync<T>(SettingAddress address, string verb, Func<BlobClient, Task<T>> call, int[] none, CancellationToken cancellationToken)
    {
        try
        {
            return await call(_container.Value.GetBlobClient(address.Key));
        }
        catch (RequestFailedException refused) when (refused.Status is 401 or 403)
        {
            throw new StepRefusedException($"This identity lacks the role {Role} on the container {address.Store}, so it may not {verb} {DisplayName(address)}. Azure says: {refused.ErrorCode}");
        }
        catch (RequestFailedException known) when (none.Contains(known.Status))
        {
            return default;
        }
        catch (RequestFailedException failed)
        {
            // The messages of the SDK carry whole responses: status and code say enough.
            throw new AzureRequestException(
                failed.Status == 0 ? $"{DisplayName(address)} cannot be reached to {verb} it." : $"{DisplayName(address)} answered {failed.Status} {failed.ErrorCode} to: {verb} it.", failed.Status, failed);
        }
        catch (Exception failed) when (failed is AuthenticationFailedException or AggregateException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AzureRequestException($"{DisplayName(address)} cannot be reached to {verb} it: {failed.Message}", inner: failed);
        }
    }
}

/// <summary>Section <c>Banner</c>.</summary>
public sealed class BannerOptions : IValidatableObject
{
    public const string SectionName = "Banner";

    /// <summary>The blob container from which static web pages read the banner: <c>https://{account}.blob.core.windows.net/{container}</c>. No blob is written when null.</summary>
    public string? Container { get; set; }

    /// <summary>The blob of steps that name none.</summary>
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    public string Blob { get; set; } = "banner.json";

    /// <summary>For development: of the container's account, in place of the app's identity.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Container is not null
            && (!Uri.TryCreate(Container, UriKind.Absolute, out var url) || url.Query.Length > 0 || !IsSafe(url)))
        {
            yield return new ValidationResult($"{SectionName}:Container must be the https URL of a blob container, without a signature: https://{{account}}.blob.core.windows.net/banner.");
        }
    }

    // An identity's token goes over TLS only; a key signs each request and stays here.
    private bool IsSafe(Uri url) => url.Scheme == "https" || (ConnectionString is not null && url is { Scheme: "http", IsLoopback: true });
}
