using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Reading;

namespace Runbooks.Notifications;

public static class ContactsServices
{
    /// <summary>The contacts of a file that the host reads. A file with errors is refused when the book is first asked for.</summary>
    /// <param name="read">Called once; null where there is no file, and then nobody is behind any name. Later versions go to <see cref="ContactsReload"/>.</param>
    /// <exception cref="ContactsException">From the container: the file has errors.</exception>
    public static IServiceCollection AddContacts(this IServiceCollection services, Func<IServiceProvider, RunbookFile?> read) => services
        .AddSingleton<ContactsFile>()
        .AddSingleton<ContactsReload>()
        .AddSingleton(provider =>
        {
            if (read(provider) is not { } file)
            {
                return new ContactBook([]);
            }

            var result = provider.GetRequiredService<ContactsFile>().Read(file.Name, file.Text);
            return result.Book ?? throw new ContactsException(result.Errors);
        });
}

/// <summary>The contacts cannot be used; the message has every error on a line of its own.</summary>
public sealed class ContactsException(IReadOnlyList<CatalogError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<CatalogError> Errors => errors;
}
