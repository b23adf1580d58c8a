using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Storage;
using static Runbooks.AzureStorage.AzureStorageErrors;

namespace Runbooks.AzureStorage;

/// <summary>One container, with expected outcomes as values.</summary>
internal sealed class BlobFiles(BlobContainerClient container)
{
    private volatile bool _exists;

    /// <summary>The blob appears whole or not at all: its blocks are committed at the end.</summary>
    public async Task PutAsync(string name, Stream content, CancellationToken cancellationToken)
    {
        await EnsureAsync(cancellationToken);
        await GuardAsync(() => container.GetBlobClient(name).UploadAsync(content, overwrite: true, cancellationToken), cancellationToken);
    }

    /// <returns>False when there is such a blob, possibly because an answer to this very call was lost.</returns>
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

    public Task<Stream?> FindAsync(string name, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            try
            {
                return await container.GetBlobClient(name).OpenReadAsync(cancellationToken: cancellationToken);
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return (Stream?)null;
            }
        },
        cancellationToken);

    public Task RemoveAsync(string name, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            try
            {
                return await container.DeleteBlobIfExistsAsync(name, cancellationToken: cancellationToken);
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                return null;
            }
        },
        cancellationToken);

    public async Task RemoveAllAsync(string prefix, CancellationToken cancellationToken)
    {
        foreach (var name in await NamesAsync(prefix, cancellationToken))
        {
            await RemoveAsync(name, cancellationToken);
        }
    }

    public Task<List<string>> NamesAsync(string prefix, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var names = new List<string>();
            try
            {
                await foreach (var blob in container.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix, cancellationToken))
                {
                    names.Add(blob.Name);
                }
            }
            catch (RequestFailedException e) when (e.Status == 404)
            {
                // The container itself is made with the first blob.
            }

            return names;
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

/// <summary>Evidence as blobs, named by incident and name.</summary>
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

/// <summary>The runbooks that were published to a blob container.</summary>
public sealed class PublishedFiles
{
    /// <summary>No runbook is near this size; something else was put there by mistake.</summary>
    private const int MaxCharacters = 1024 * 1024;

    private const int MostSamples = 100;

    private readonly AzureStorageClients _clients;

    internal PublishedFiles(AzureStorageClients clients) => _clients = clients;

    /// <returns>Every <c>.yaml</c> file of the container but those of tests, in the order of their names, with the text files beside them.</returns>
    /// <exception cref="StoreUnavailableException">The account does not answer.</exception>
    public async Task<IReadOnlyList<RunbookFile>> ReadAsync(string container, CancellationToken cancellationToken)
    {
        var names = await _clients.Container(container).NamesAsync("", cancellationToken);
        var samples = (await ReadAsync(container, names.Where(SampleFolder.IsSample).Take(MostSamples), cancellationToken)).ToDictionary(file => file.Name, file => file.Text, StringComparer.Ordinal);
        return [.. (await ReadAsync(container, names.Where(IsRunbook), cancellationToken)).Select(file => file with { Samples = samples })];
    }

    private async Task<List<RunbookFile>> ReadAsync(string container, IEnumerable<string> names, CancellationToken cancellationToken)
    {
        var files = new List<RunbookFile>();
        foreach (var name in names.Order(StringComparer.Ordinal))
        {
            if (await FindAsync(container, name, cancellationToken) is { } file)
            {
                files.Add(file);
            }
        }

        return files;
    }

    /// <returns>Null when the container has no such file.</returns>
    /// <exception cref="StoreUnavailableException">The account does not answer.</exception>
    public async Task<RunbookFile?> FindAsync(string container, string name, CancellationToken cancellationToken)
    {
        if (await _clients.Container(container).FindAsync(name, cancellationToken) is not { } content)
        {
            return null;
        }

        using var reader = new StreamReader(content);
        var text = new char[MaxCharacters];
        return new(name, new string(text, 0, await reader.ReadBlockAsync(text, cancellationToken)));
    }

    /// <summary>Whether a file is a runbook, rather than the tests that stand beside one, the contacts or the maintenance windows.</summary>
    public static bool IsRunbook(string name) =>
        name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) && !name.EndsWith(".test.yaml", StringComparison.OrdinalIgnoreCase)
        && name is not (ContactsFile.FileName or MaintenanceFile.FileName);
}
