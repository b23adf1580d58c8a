namespace Runbooks.Notifications;

public static class ContactsServices
{
    /// <param name="read">Called once. <see cref="ContactsReload"/> gets later versions.</param>
    /// <param name="none">In force where there is no file; an empty book unless given.</param>
    /// <exception cref="ContactsException">From the container, when the book is first asked for: the file has errors.</exception>
    public static IServiceCollection AddContacts(this IServiceCollection services, Func<IServiceProvider, ContactFiles> read, ContactBook? none = null) => services
        .AddSingleton<ContactsFile>()
        .AddSingleton<ContactsReload>()
        .AddSingleton(read)
        .AddSingleton(provider =>
        {
            var (files, withoutFiles) = (provider.GetRequiredService<ContactFiles>(), none ?? new ContactBook([]));
            return files.HasTextsOf(new(null, [])) ? withoutFiles : Start(provider, files, withoutFiles);
        });

    /// <summary>Files with errors leave the last good ones in force: who is called at night must not depend on a typing mistake.</summary>
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
        var kept = last is null
            ? null
            : ContactFiles.Unpack(files.Common?.Name ?? ContactsFile.FileName, last.Text) with { IsCommonApart = files.IsCommonApart };
        var good = kept is null
            ? null
            : reader.ReadGood(files, kept)

                // A missing secret takes one channel away. People who are reached on other channels stay.
                ?? reader.Read(files, withSettings: false).Book
                ?? reader.Read(kept, withSettings: false).Book;
        if (good is null && files.Common is not null)
        {
            throw new ContactsException(result.Errors);
        }

        if (good is not null)
        {
            versions!.Use(ContactsFile.FileName, good.Files!.Packed);
        }

        List<string> errors = [.. result.Errors.Select(error => error.ToString()), .. Dropped(files, good)];
        versions?.Refuse(ContactsFile.FileName, errors);
        Log.ContactsKept(provider.GetRequiredService<ILogger<ContactsReload>>(), string.Join(" | ", errors));
        return good ?? none;
    }

    internal static IEnumerable<string> Dropped(ContactFiles now, ContactBook? good) => now.Teams
        .Where(team => team.Contacts is not null && good?.Files is { } files && files.TextOf(team.Folder) is null)
        .Select(team =>
            $"No contacts of the team {team.Folder} are in force: it had none before, or they do not fit the common file. "
            + $"Whoever the common file has behind '{ContactBook.Fallback}' is asked in their place.");
}

public sealed class ContactsException(IReadOnlyList<CatalogError> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<CatalogError> Errors => errors;
}

/// <summary>Takes over files that change while the host runs. A broken one is reported, and its last good version stays in force.</summary>
public sealed class ContactsReload(ContactsFile reader, CurrentContacts contacts, FileVersions versions, ILogger<ContactsReload> logger, ContactFiles? started = null)
{
    private readonly Lock _taking = new();
    private ContactFiles _now = started ?? new(null, []);

    /// <param name="common">Null when the file is gone. The teams' files stay as they were.</param>
    public void Take(RunbookFile? common) => Take(now => now with { Common = common });

    /// <summary>The common file stays as it was. For a rule set that has none.</summary>
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

            var good = contacts.Book.Files is { } inForce ? reader.ReadGood(_now, inForce) : null;
            errors = [.. errors, .. ContactsServices.Dropped(_now, good)];
            foreach (var error in errors)
            {
                Log.ContactsBroken(logger, error);
            }

            if (good is not null && !good.Files!.HasTextsOf(contacts.Book.Files!))
            {
                Use(good.Files, good);
            }

            versions.Refuse(ContactsFile.FileName, errors);
        }
    }

    private IReadOnlyList<string> TryTake(ContactFiles files)
    {
        if (files.Common is null && contacts.Book.Files is not null)
        {
            return [$"{ContactsFile.FileName} is gone. Put it back."];
        }

        var result = reader.Read(files);
        if (result.Errors.Count == 0)
        {
            Use(files, result.Book);
        }

        return [.. result.Errors.Select(error => error.ToString())];
    }

    private void Use(ContactFiles files, ContactBook? book)
    {
        versions.Use(ContactsFile.FileName, files.Packed);
        if (book is not null)
        {
            contacts.Replace(book);
            Log.ContactsLoaded(logger, files.Common!.Name);
        }
    }
}
