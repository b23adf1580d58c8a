using Microsoft.Extensions.Options;
using RunbookFunctions.Catalog;
using Runbooks.AzureStorage;
using Runbooks.Catalog;
using Runbooks.Notifications;

namespace RunbookFunctions.Contacts;

/// <summary>The contacts file, from where the runbooks are: the container, else the folder.</summary>
internal sealed class ContactsSource(IOptions<RunbookSourceOptions> options, PublishedFiles published)
{
    /// <returns>Null where there is none.</returns>
    public async Task<RunbookFile?> ReadAsync(CancellationToken cancellationToken)
    {
        if (options.Value.RunbooksContainer is { Length: > 0 } container)
        {
            return await published.FindAsync(container, ContactsFile.FileName, cancellationToken);
        }

        var file = Path.Combine(options.Value.RunbooksFolder ?? Path.Combine(AppContext.BaseDirectory, "runbooks"), ContactsFile.FileName);
        return File.Exists(file) ? new(ContactsFile.FileName, await File.ReadAllTextAsync(file, cancellationToken)) : null;
    }
}
