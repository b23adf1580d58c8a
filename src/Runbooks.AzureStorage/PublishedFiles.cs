using Runbooks.Catalog;
using Runbooks.Notifications;

namespace Runbooks.AzureStorage;

/// <summary>The runbooks that were published to a blob container.</summary>
public sealed class PublishedFiles
{
    /// <summary>No runbook is near this size; something else was put there by mistake.</summary>
    private const int MaxCharacters = 1024 * 1024;

    private readonly AzureStorageClients _clients;

    internal PublishedFiles(AzureStorageClients clients) => _clients = clients;

    /// <returns>Every <c>.yaml</c> file of the container but those of tests, in the order of their names.</returns>
    /// <exception cref="StoreUnavailableException">The account does not answer.</exception>
    public async Task<IReadOnlyList<RunbookFile>> ReadAsync(string container, CancellationToken cancellationToken)
    {
        var names = await _clients.Container(container).NamesAsync("", cancellationToken);
        var files = new List<RunbookFile>();
        foreach (var name in names.Where(IsRunbook).Order(StringComparer.Ordinal))
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

    /// <summary>Whether a file is a runbook, rather than the tests that stand beside one, or the contacts.</summary>
    public static bool IsRunbook(string name) =>
        name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) && !name.EndsWith(".test.yaml", StringComparison.OrdinalIgnoreCase)
        && name != ContactsFile.FileName;
}
