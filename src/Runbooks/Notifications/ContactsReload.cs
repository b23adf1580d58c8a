using Microsoft.Extensions.Logging;
using Runbooks.Catalog;

namespace Runbooks.Notifications;

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
