using Runbooks.Catalog;

namespace Runbooks.Integrations.AzureStorage;

/// <summary>The runbooks that were published to a blob container.</summary>
public sealed class PublishedFiles
{
    /// <summary>No runbook is near this size; something else was put there by mistake.</summary>
    private const int MaxCharacters = 1024 * 1024;

    private readonly AzureStorageClients _clients;

    internal PublishedFiles(AzureStorageClients clients) => _clients = clients;

    /// <returns>Every <c>.yaml</c> file of the container but those of tests, in the order of their names.</returns>
    /// <exception cref="Storage.StoreUnavailableException">The account does not answer.</exception>
    public async Task<IReadOnlyList<RunbookFile>> ReadAsync(string container, CancellationToken cancellationToken)
    {
        var blobs = _clients.Container(container);
        var names = await blobs.NamesAsync("", cancellationToken);
        var files = new List<RunbookFile>();
        foreach (var name in names.Where(IsRunbook).Order(StringComparer.Ordinal))
        {
            if (await blobs.FindAsync(name, cancellationToken) is { } content)
            {
                using var reader = new StreamReader(content);
                var text = new char[MaxCharacters];
                files.Add(new(name, new string(text, 0, await reader.ReadBlockAsync(text, cancellationToken))));
            }
        }

        return files;
    }

    /// <summary>Whether a file is a runbook, rather than the tests that stand beside one.</summary>
    public static bool IsRunbook(string name) =>
        name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) && !name.EndsWith(".test.yaml", StringComparison.OrdinalIgnoreCase);
}
