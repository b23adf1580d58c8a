using System.Globalization;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using static Runbooks.AzureStorage.AzureStorageErrors;

namespace Runbooks.AzureStorage;

internal sealed class BlobFiles(BlobContainerClient container)
{
    private volatile bool _exists;

    /// <summary>The blob appears whole or not at all: its blocks are committed at the end.</summary>
    public async Task PutAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        await GuardAsync(() => container.GetBlobClient(name).UploadAsync(content, overwrite: true, cancellationToken), cancellationToken);
    }

    /// <returns>False when the blob exists already, possibly because an answer to this very call was lost.</returns>
    public async Task<bool> AddAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        return await GuardAsync(
            async () =>
            {
                try
                {
                    await container.GetBlobClient(name).UploadAsync(
                        content, new BlobUploadOptions { Conditions = new BlobRequestConditions { IfNoneMatch = ETag.All } }, cancellationToken);
                    return true;
                }
                catch (RequestFailedException e) when (e.Status is 409 or 412)
                {
                    return false;
                }
            },
            cancellationToken);
    }

    public Task<Stream?> FindAsync(string name, CancellationToken cancellationToken) =>
        UnlessMissingAsync(() => container.GetBlobClient(name).OpenReadAsync(cancellationToken: cancellationToken), cancellationToken);

    /// <summary>The whole of a blob that is small enough for memory, so that no stream can break off later.</summary>
    public Task<BinaryData?> ReadAsync(string name, CancellationToken cancellationToken) =>
        UnlessMissingAsync(
            async () => (await container.GetBlobClient(name).DownloadContentAsync(cancellationToken)).Value.Content, cancellationToken);

    public Task RemoveAsync(string name, CancellationToken cancellationToken) =>
        UnlessMissingAsync(() => container.DeleteBlobIfExistsAsync(name, cancellationToken: cancellationToken), cancellationToken);

    public async Task RemoveAllAsync(string prefix, CancellationToken cancellationToken)
    {
        foreach (var name in await NamesAsync(prefix, cancellationToken))
        {
            await RemoveAsync(name, cancellationToken);
        }
    }

    public Task<List<string>> NamesAsync(string prefix, CancellationToken cancellationToken) =>
        GuardAsync(async () => (await container.ListAsync(prefix, cancellationToken)).ConvertAll(blob => blob.Name), cancellationToken);

    /// <returns>Null when there is no such blob, or no container: the first blob creates it.</returns>
    private static Task<T?> UnlessMissingAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
        where T : class => GuardAsync(
        async () =>
        {
            try
            {
                return await work();
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return null;
            }
        },
        cancellationToken);

    private async Task EnsureAsync(CancellationToken cancellationToken)
    {
        if (!_exists)
        {
            await GuardAsync(() => container.CreateIfNotExistsAsync(cancellationToken: cancellationToken), cancellationToken);
            _exists = true;
        }
    }
}

internal static class BlobContainers
{
    /// <returns>None where the container is missing: the first blob creates it.</returns>
    public static async Task<List<BlobItem>> ListAsync(this BlobContainerClient container, string prefix, CancellationToken cancellationToken)
    {
        var blobs = new List<BlobItem>();
        try
        {
            await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancellationToken))
            {
                blobs.Add(blob);
            }
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // No blob was put yet.
        }

        return blobs;
    }
}

internal sealed class BlobEvidenceStore(BlobFiles blobs) : IEvidenceStore
{
    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        var evidence = EvidenceName.Of(incidentId, name);
        await blobs.PutAsync(evidence.ToString(), content, cancellationToken);
        return evidence.ToString();
    }

    public async Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) =>
        EvidenceName.Parse(reference) is { } evidence ? await blobs.FindAsync(evidence.ToString(), cancellationToken) : null;

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) =>
        EvidenceName.IsName(incidentId) ? blobs.RemoveAllAsync($"{incidentId}/", cancellationToken) : Task.CompletedTask;
}

/// <summary>The generation as a blob beside the tables. Several processes write it in the order of the tables; a late one only lags.</summary>
internal sealed class BlobWitness(BlobFiles blobs) : IGenerationWitness
{
    private const string Name = "generation";

    public async Task<WitnessedGeneration?> ReadAsync(CancellationToken cancellationToken) =>
        await blobs.ReadAsync(Name, cancellationToken) is { } content
            && long.TryParse(content.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new(number, null)
            : null;

    public async Task<WitnessedGeneration> WriteAsync(long number, CancellationToken cancellationToken)
    {
        using var text = new MemoryStream(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
        await blobs.PutAsync(Name, text, cancellationToken);
        return new(number, null);
    }
}
