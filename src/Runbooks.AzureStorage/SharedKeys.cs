using System.Text;

namespace Runbooks.AzureStorage;

/// <summary>
/// Secrets that all processes on one account have to agree on, each made by whichever needs it first: blobs in a private
/// container. Whoever may read the account's blobs may read them.
/// </summary>
public sealed class SharedKeys
{
    /// <summary>Deleting a blob in it makes the next start make that key anew.</summary>
    public const string Container = "runbook-keys";

    private readonly BlobFiles _blobs;

    internal SharedKeys(AzureStorageClients clients) => _blobs = clients.Container(Container);

    /// <param name="make">Called where there is no such key; when two processes make it at once, both get the same one.</param>
    /// <exception cref="Model.Storage.StoreUnavailableException">The account does not answer.</exception>
    public async Task<string> FindOrMakeAsync(string name, Func<string> make, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await _blobs.ReadAsync(name, cancellationToken) is { } content)
            {
                return content.ToString();
            }

            var made = make();
            using var text = new MemoryStream(Encoding.UTF8.GetBytes(made));
            if (await _blobs.AddAsync(name, text, cancellationToken))
            {
                return made;
            }
        }
    }
}
