using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
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

/// <summary>Takes over a contacts file that has changed while the host runs; a broken one is told, and the good contacts stay in force.</summary>
public sealed class ContactsReload(ContactsFile reader, CurrentContacts contacts, ILogger<ContactsReload> logger)
{
    private RunbookFile? _looked;

    /// <param name="file">As it is now; null when it is gone.</param>
    public void Take(RunbookFile? file)
    {
        if (file == _looked)
        {
            return;
        }

        _looked = file;
        if (file is null)
        {
            Log.ContactsBroken(logger, $"{ContactsFile.FileName} is gone. Put it back.");
            return;
        }

        var result = reader.Read(file.Name, file.Text);
        foreach (var error in result.Errors)
        {
            Log.ContactsBroken(logger, error.ToString());
        }

        if (result.Book is { } book)
        {
            contacts.Replace(book);
            Log.ContactsLoaded(logger, file.Name);
        }
    }
}
