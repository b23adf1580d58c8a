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
        .AddSingleton(provider => provider.GetRequiredService<ContactFiles>() is var files && files.HasTextsOf(new(null, [])) ? none ?? new ContactBook([]) : Start(provider, files, none ?? new ContactBook([])));

    /// <summary>With errors in it, those that were in force last go on: whoever is to be asked at night must not depend on a typing mistake.</summary>
    private static ContactBook Start(IServiceProvider provider, ContactFiles files, ContactBook none)
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
        var kept = last is null ? null : ContactFiles.Unpack(files.Common?.Name ?? ContactsFile.FileName, last.Text) with { IsCommonApart = files.IsCommonApart };
        var good = versions is null || kept is null ? null : Instead(files, kept).Select(some => reader.Read(some).Book).FirstOrDefault(some => some is not null);
        if (good is null && files.Common is not null)
        {
            throw new ContactsException(result.Errors);
        }

        if (good is not null)
        {
            versions!.Use(ContactsFile.FileName, good.Files!.Packed);
        }

        versions?.Refuse(ContactsFile.FileName, [.. result.Errors.Select(error => error.ToString())]);
        Log.ContactsKept(provider.GetRequiredService<ILogger<ContactsReload>>(), string.Join(" | ", result.Errors));
        return good ?? none;
    }

    /// <summary>What can go on in place of files with errors, the newest first.</summary>
    private static IEnumerable<ContactFiles> Instead(ContactFiles files, ContactFiles kept) =>
        files.IsCommonApart ? [kept with { Teams = files.Teams }, files with { Teams = kept.Teams }, kept] : [kept];
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

    /// <param name="common">As it is now; null when it is gone. Those of teams are as they were.</param>
    public void Take(RunbookFile? common) => Take(now => now with { Common = common });

    /// <summary>Those of teams; the common file is as it was, where the rule set has none.</summary>
    public void TakeTeams(IReadOnlyList<TeamFiles> teams) => Take(now => now with { Teams = teams });

    public void Take(RunbookFile? common, IReadOnlyList<TeamFiles> teams) => Take(_ => new(common, teams));

    private void Take(Func<ContactFiles, ContactFiles> change)
    {
        lock (_taking)
        {
            var before = _now;
            _now = change(before);
            if (_now.HasTextsOf(before) || TryTake(_now) is not { Count: > 0 } errors)
            {
                return;
            }

            foreach (var error in errors)
            {
                Log.ContactsBroken(logger, error);
            }

            // What is wrong with a file that stands elsewhere keeps nobody from what has changed here.
            if (contacts.Book.Files is { } inForce && change(inForce) is var part && !part.HasTextsOf(inForce) && !part.HasTextsOf(_now))
            {
                TryTake(part);
            }

            versions.Refuse(ContactsFile.FileName, errors);
        }
    }

    /// <returns>Why these files cannot be used.</returns>
    private IReadOnlyList<string> TryTake(ContactFiles files)
    {
        if (files.Common is null && contacts.Book.Files is not null)
        {
            return [$"{ContactsFile.FileName} is gone. Put it back."];
        }

        var result = reader.Read(files);
        if (result.Errors.Count == 0)
        {
            versions.Use(ContactsFile.FileName, files.Packed);
        }

        if (result.Book is { } book)
        {
            contacts.Replace(book);
            Log.ContactsLoaded(logger, files.Common!.Name);
        }

        return [.. result.Errors.Select(error => error.ToString())];
    }
}
