using System.Collections.Concurrent;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Runbooks.Catalog;
using Runbooks.Publishing;
using static Runbooks.AzureStorage.AzureStorageErrors;

namespace Runbooks.AzureStorage;

public sealed class BlobRuleSetPlace : IRuleSetPlace
{
    private const int AtOnce = 8;

    private readonly BlobContainerClient _container;

    /// <summary>The plain files that were read last, so that only changed ones are read again.</summary>
    private ConcurrentDictionary<string, (ETag Tag, string Text)> _known = new(StringComparer.Ordinal);

    internal BlobRuleSetPlace(BlobContainerClient container) => _container = container;

    public string Address => _container.Uri.GetLeftPart(UriPartial.Path);

    /// <param name="container">Its address, without a signature.</param>
    /// <param name="connectionString">The account's; null to sign in with an identity.</param>
    /// <param name="clientId">The user-assigned identity to sign in with; null for the environment's default.</param>
    /// <exception cref="FormatException">The address is not a container's, or not in the account of the connection string.</exception>
    public static BlobRuleSetPlace Open(Uri container, string? connectionString, string? clientId)
    {
        if (container.Query.Length > 0 || container.UserInfo.Length > 0)
        {
            throw new FormatException(
                "The address of the container holds a signature or a password. Name the container alone, "
                    + "and sign in with az login, a managed identity or Storage:ConnectionString.");
        }

        if (new BlobUriBuilder(container) is not { BlobContainerName: { Length: > 0 } name, BlobName: "" })
        {
            throw new FormatException($"{container} is not the address of a container: https://ACCOUNT.blob.core.windows.net/CONTAINER.");
        }

        if (connectionString is null)
        {
            return container.Scheme == Uri.UriSchemeHttps
                ? new(new BlobContainerClient(container, StorageIdentity.For(clientId), Options()))
                : throw new FormatException(
                    $"{container} does not begin with https: nobody is signed in over http. For Azurite set Storage:ConnectionString.");
        }

        var found = new BlobServiceClient(connectionString, Options()).GetBlobContainerClient(name);
        return Uri.Compare(
            found.Uri,
            container,
            UriComponents.SchemeAndServer | UriComponents.Path,
            UriFormat.Unescaped,
            StringComparison.OrdinalIgnoreCase) == 0
            ? new(found)
            : throw new FormatException(
                $"{container} is not in the account of Storage:ConnectionString, whose container of that name is {found.Uri}.");
    }

    public Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            try
            {
                var found = await _container
                    .GetBlobClient(name)
                    .DownloadContentAsync(new BlobDownloadOptions { Range = new HttpRange(0, most + 1) }, cancellationToken);
                return new StoredContent(found.Value.Content.ToArray(), found.Value.Details.ETag.ToString());
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return null;
            }
            catch (RequestFailedException e) when (e.Status == 416)
            {
                // An empty blob has no range.
                return new StoredContent(
                    [],
                    (await _container.GetBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ETag.ToString());
            }
        },
        cancellationToken);

    public Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken) => GuardAsync(
        () => InContainerAsync(
            () => _container.GetBlobClient(name).UploadAsync(new BinaryData(content), overwrite: true, cancellationToken),
            cancellationToken), cancellationToken);

    public Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var conditions = tag is null
                ? new BlobRequestConditions { IfNoneMatch = ETag.All }
                : new BlobRequestConditions { IfMatch = new ETag(tag) };
            try
            {
                await InContainerAsync(
                    () => _container
                        .GetBlobClient(name)
                        .UploadAsync(new BinaryData(content), new BlobUploadOptions { Conditions = conditions }, cancellationToken),
                    cancellationToken);
                return true;
            }
            catch (RequestFailedException e) when (e.Status is 409 or 412)
            {
                return false;
            }
        },
        cancellationToken);

    public Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<StoredName>>(
        async () => [
            .. (await _container.ListAsync(prefix, cancellationToken)).Select(blob => new StoredName(
                blob.Name, blob.Properties.LastModified ?? DateTimeOffset.MaxValue, blob.Properties.ETag.ToString()!)),
        ],
        cancellationToken);

    public Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            try
            {
                return (await _container.DeleteBlobIfExistsAsync(
                    one.Name,
                    conditions: new BlobRequestConditions { IfMatch = new ETag(one.Tag) },
                    cancellationToken: cancellationToken)).Value;
            }
            catch (RequestFailedException e) when (e.Status == 412)
            {
                return false;
            }
        },
        cancellationToken);

    public Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken) => GuardAsync<IReadOnlyList<RunbookFile>>(
        async () =>
        {
            var known = new ConcurrentDictionary<string, (ETag Tag, string Text)>(StringComparer.Ordinal);
            var stored = await _container.ListAsync("", cancellationToken);
            var taken = RuleSet.Among([.. stored.Select(blob => blob.Name)]).ToHashSet(StringComparer.Ordinal);
            var blobs = stored.Where(blob => taken.Contains(blob.Name)).OrderBy(blob => blob.Name, StringComparer.Ordinal).ToList();
            await Parallel.ForEachAsync(blobs, new ParallelOptions
            {
                MaxDegreeOfParallelism = AtOnce,
                CancellationToken = cancellationToken,
            }, async (blob, stop) =>
            {
                if (blob.Properties.ETag is { } tag && _known.TryGetValue(blob.Name, out var before) && before.Tag == tag)
                {
                    known[blob.Name] = before;
                }
                else if (await FindAsync(blob.Name, RuleSet.MostFileBytes + Encoding.UTF8.Preamble.Length, stop) is { } found)
                {
                    known[blob.Name] = (blob.Properties.ETag ?? default, Text(found.Content));
                }
            });
            _known = known;
            return [.. blobs.Where(blob => known.ContainsKey(blob.Name)).Select(blob => new RunbookFile(blob.Name, known[blob.Name].Text))];
        },
        cancellationToken);

    private static string Text(byte[] content)
    {
        using var reader = new StreamReader(new MemoryStream(content), Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>Made only where it is missing, since publishers may write in the container but often not create one.</summary>
    private async Task InContainerAsync(Func<Task> write, CancellationToken cancellationToken)
    {
        try
        {
            await write();
        }
        catch (RequestFailedException e) when (e.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await write();
        }
    }

    private static BlobClientOptions Options()
    {
        var options = new BlobClientOptions();
        (options.Retry.MaxRetries, options.Retry.NetworkTimeout) = (3, TimeSpan.FromSeconds(30));
        return options;
    }
}
