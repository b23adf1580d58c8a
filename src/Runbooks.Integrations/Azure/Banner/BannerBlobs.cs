using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Runbooks.Integrations.Azure.AppConfiguration;

namespace Runbooks.Integrations.Azure.Banner;

internal sealed class BannerBlobs(TokenCredential credential, IOptions<BannerOptions> options, IOptions<OutboundHttpOptions> http) : ISettings
{
    public const string Role = "Storage Blob Data Contributor";

    /// <summary>A banner is a line of text. A larger blob is something else, and is not kept for the way back.</summary>
    private const int Largest = 16 * 1024;

    private static readonly UTF8Encoding s_text = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly Lazy<BlobContainerClient> _container = new(() => Container(credential, options.Value, http.Value));

    /// <param name="asked">The blob that the step names; null for the configured one.</param>
    /// <exception cref="StepRefusedException">The step names a blob, and no container is configured.</exception>
    public SettingAddress? Address(string? asked) => options.Value.Container is not null
        ? new SettingAddress(_container.Value.Name, asked ?? options.Value.Blob, "")
        : asked is null
            ? null
            : throw new StepRefusedException($"No container is configured for the blob '{asked}'. "
                + $"Set {BannerOptions.SectionName}:Container.");

    public HeldValue Held(SettingAddress address) => new(DisplayName(address));

    public string DisplayName(SettingAddress address) =>
        $"the blob {address.Store}/{address.Key} of storage account '{_container.Value.AccountName}'";

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
                ? throw new StepRefusedException($"{Held(address).Start} holds more than {Largest} bytes, so it is no banner. "
                    + "Nothing was overwritten; name another blob.")
                : new Setting(Text(address, buffer.AsSpan(0, length)), found.Details.ContentType, found.Details.ETag.ToString("H"));
        },
        none: [404],
        cancellationToken);

    public Task<bool> WriteAsync(
        SettingAddress address, string value, string? contentType, Setting? expected, CancellationToken cancellationToken) => CallAsync(
        address,
        "write",
        async blob =>
        {
            var now = expected is null ? null : (await blob.GetPropertiesAsync(cancellationToken: cancellationToken)).Value;
            await blob.UploadAsync(BinaryData.FromBytes(s_text.GetBytes(value)), new BlobUploadOptions
            {
                // An upload replaces all headers. The blob's owner decides how long pages keep it; where nobody has, a page that
                // is opened now shows what is so now.
                HttpHeaders = new BlobHttpHeaders
                {
                    ContentType = contentType,
                    CacheControl = now?.CacheControl is { Length: > 0 } kept ? kept : "no-cache",
                    ContentDisposition = now?.ContentDisposition,
                    ContentLanguage = now?.ContentLanguage,
                },
                Metadata = now?.Metadata,
                Conditions = expected is null
                    ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                    : new BlobRequestConditions { IfMatch = new ETag(expected.ETag) },
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
            await blob.DeleteAsync(
                conditions: new BlobRequestConditions { IfMatch = new ETag(expected.ETag) }, cancellationToken: cancellationToken);
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
            throw new StepRefusedException($"{Held(address).Start} holds something that is not text, so it is no banner. "
                + "Nothing was overwritten; name another blob.");
        }
    }

    private async Task<T?> CallAsync<T>(
        SettingAddress address, string verb, Func<BlobClient, Task<T>> call, int[] none, CancellationToken cancellationToken)
    {
        try
        {
            return await call(_container.Value.GetBlobClient(address.Key));
        }
        catch (RequestFailedException refused) when (refused.Status is 401 or 403)
        {
            throw new StepRefusedException($"This identity lacks the role {Role} on the container {address.Store}, "
                + $"so it may not {verb} {DisplayName(address)}. Azure says: {refused.ErrorCode}");
        }
        catch (RequestFailedException known) when (none.Contains(known.Status))
        {
            return default;
        }
        catch (RequestFailedException failed)
        {
            // The messages of the SDK carry whole responses; status and code say enough.
            throw new AzureRequestException(
                failed.Status == 0
                    ? $"{Held(address).Start} {OwnNetwork.Describe(failed, $"{verb} it")}"
                    : $"{Held(address).Start} answered {failed.Status} {failed.ErrorCode} to: {verb} it.", failed.Status, failed);
        }
        catch (AuthenticationFailedException failed)
        {
            throw new AzureRequestException($"No token to {verb} {Held(address).DisplayName}: {failed.Message}", inner: failed);
        }
        catch (Exception failed) when (failed is AggregateException
            || (failed is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new AzureRequestException($"{Held(address).Start} {OwnNetwork.Describe(failed, $"{verb} it")}", inner: failed);
        }
    }
}

/// <summary>Section <c>Banner</c>.</summary>
public sealed class BannerOptions : IValidatableObject
{
    public const string SectionName = "Banner";

    /// <summary>
    /// The blob container from which static web pages read the banner: <c>https://{account}.blob.core.windows.net/{container}</c>.
    /// No blob is written when null.
    /// </summary>
    public string? Container { get; set; }

    /// <summary>The blob of steps that name none.</summary>
    [Required, RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    public string Blob { get; set; } = "banner.json";

    /// <summary>For development: the connection string of the container's account, in place of the app's identity.</summary>
    [Secret]
    public string? ConnectionString { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Container is not null
            && (!Uri.TryCreate(Container, UriKind.Absolute, out var url) || url.Query.Length > 0 || !IsSafe(url)))
        {
            yield return new ValidationResult($"{SectionName}:Container must be the https URL of a blob container, without a signature: "
                + $"https://{{account}}.blob.core.windows.net/banner.");
        }
    }

    // A token goes over TLS only. A key signs each request, and is not sent.
    private bool IsSafe(Uri url) => url.Scheme == "https" || (ConnectionString is not null && url is { Scheme: "http", IsLoopback: true });
}
