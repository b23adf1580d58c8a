using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Storage;

namespace Runbooks.Notifications;

public static class ContactsServices
{
    /// <summary>The contacts of a file that the host reads. A file with errors is refused when the book is first asked for.</summary>
    /// <param name="read">Called once. Later versions go to <see cref="ContactsReload"/>.</param>
    /// <param name="none">In force where there is no file; nobody is behind any name unless given.</param>
    /// <exception cref="ContactsException">From the container: the file has errors.</exception>
    public static IServiceCollection AddContacts(this IServiceCollection services, Func<IServiceProvider, ContactFiles> read, ContactBook? none = null) => services
        .AddSingleton<ContactsFile>()
        .AddSingleton<ContactsReload>()
        .AddSingleton(read)
        .AddSingleton(provider => provider.GetRequiredService<ContactFiles>() is { Common: { } common } files ? Start(provider, files, common.Name) : none ?? new ContactBook([]));

    /// <summary>With errors in it, those that were in force last go on: whoever is to be asked at night must not depend on a typing mistake.</summary>
    private static ContactBook Start(IServiceProvider provider, ContactFiles files, string name)
    {
        var reader = provider.GetRequiredService<ContactsFile>();

        // A command that only reads files has no store.
        var versions = provider.GetService<FileVersions>();
        var result = reader.Read(files);
        if (result.Book is { } book)
        {
            versions?.Use(ContactsFile.FileName, files.Packed);
            return book;
        }

        // The container makes services synchronously; this one is made once, before the first message.
        var last = versions?.FindLastAsync(ContactsFile.FileName, CancellationToken.None).GetAwaiter().GetResult();
        if (versions is null || last is null || reader.Read(ContactFiles.Unpack(name, last.Text)).Book is not { } good)
        {
            throw new ContactsException(result.Errors);
        }

        versions.Refuse(ContactsFile.FileName, [.. result.Errors.Select(error => error.ToString())]);
        Log.ContactsKept(provider.GetRequiredService<ILogger<ContactsReload>>(), string.Join(" | ", result.Errors));
        return good;
    }
}

/// <summary>The contacts cannot be used; the message has every error on a line of its own.</summary>
public sealed class ContactsException(IReadOnlyList<CatalogError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<CatalogError> Errors => errors;
}

/// <summary>Takes over a contacts file that has changed while the host runs; a broken one is told, and the good contacts stay in force.</summary>
/// <param name="started">What the process began with; none unless given.</param>
public sealed class ContactsReload(ContactsFile reader, CurrentContacts contacts, FileVersions versions, ILogger<ContactsReload> logger, ContactFiles? started = null)
{
    private readonly Lock _taking = new();
    private ContactFiles _now = started ?? new(null, []);
    private string? _looked;

    /// <param name="common">As it is now; null when it is gone. Those of teams are as they were.</param>
    public void Take(RunbookFile? common) => Take(now => now with { Common = common });

    /// <summary>Those of teams; the common file is as it was, where the rule set has none.</summary>
    public void TakeTeams(IReadOnlyList<TeamFiles> teams) => Take(now => now with { Teams = teams });

    public void Take(RunbookFile? common, IReadOnlyList<TeamFiles> teams) => Take(_ => new(common, teams));

    private void Take(Func<ContactFiles, ContactFiles> change)
    {
        lock (_taking)
        {
            _now = change(_now);
            if (_now.Packed is var packed && packed != _looked)
            {
                _looked = packed;
                TakeNew(_now);
            }
        }
    }

    private void TakeNew(ContactFiles files)
    {
        if (files.Common is not { } common)
        {
            versions.Refuse(ContactsFile.FileName, [$"{ContactsFile.FileName} is gone. Put it back."]);
            Log.ContactsBroken(logger, $"{ContactsFile.FileName} is gone. Put it back.");
            return;
        }

        var result = reader.Read(files);
        foreach (var error in result.Errors)
        {
            Log.ContactsBroken(logger, error.ToString());
        }

        if (result.Book is not { } book)
        {
            versions.Refuse(ContactsFile.FileName, [.. result.Errors.Select(error => error.ToString())]);
        }
        else
        {
            versions.Use(ContactsFile.FileName, files.Packed);
            contacts.Replace(book);
            Log.ContactsLoaded(logger, common.Name);
        }
    }
}
