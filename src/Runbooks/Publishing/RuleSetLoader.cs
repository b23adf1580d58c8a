namespace Runbooks.Publishing;

public sealed class RuleSetLoader(
    RunbookCatalog catalog,
    RunbookVersions versions,
    FileVersions files,
    MaintenanceReload windows,
    TeamActions actions,
    RuleSetStatus status,
    RuleSetCheck check,
    RuleSetContacts contacts,
    ILogger<RuleSetLoader> logger)
{
    private const string Whole = "the published rule set";

    private bool _broken;

    private ContactFiles? _readWith;

    /// <summary>Whether contacts from elsewhere have changed since, so that runbooks that wait for them may be taken over now.</summary>
    public bool IsOutdated => contacts.StandElsewhere && !ReferenceEquals(_readWith, contacts.InForce);

    /// <summary>Contacts are already in force: those of the set, or others where these have errors.</summary>
    /// <returns>What is wrong with the runbooks. There may be nothing in force afterwards.</returns>
    public async Task<LoadResult> StartAsync((RuleSet Set, RefusedSet? Refused) chosen, CancellationToken cancellationToken)
    {
        var (set, refused) = chosen;
        set = ReadWithContacts(set);
        var result = await versions.LoadAsync(set.Runbooks, cancellationToken);
        LogResult(result);
        if (set is { Publication: { } publication } && Waiting(set) is { Count: > 0 } waiting)
        {
            (set, refused) = (set.InPart(), refused ?? new(publication, waiting) { Teams = set.Teams });
        }

        status.Take(set);
        actions.Take(set.Teams);
        if ((set.Publication ?? set.PartOf) is not null)
        {
            versions.Forget();
        }

        if (refused is not null)
        {
            Refuse(refused);
        }

        return result;
    }

    /// <summary>Without an earlier version, one broken file must not stop the other runbooks, or incidents that wait.</summary>
    public async Task StartWithTheGoodAsync(RuleSet set, LoadResult result, CancellationToken cancellationToken)
    {
        set = ReadWithContacts(set);
        var broken = result.Errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
        catalog.Load(set.Runbooks.Where(file => !file.IsAmong(broken)), whole: false);

        // Keeps what is in force now for the next start.
        await versions.LoadAsync(set.Runbooks, cancellationToken);
    }

    /// <summary>
    /// Takes over a set that has changed: a published one as a whole or not at all, of plain files each good one. Contacts come first,
    /// since they decide what a team's runbooks mean.
    /// </summary>
    public async Task TakeAsync(RuleSet set, CancellationToken cancellationToken)
    {
        if (set.Publication is not { } publication)
        {
            actions.Take(set.Teams);
            TakeContacts(set);
            set = ReadWithContacts(set);
            Take(await versions.LoadAsync(set.Runbooks, cancellationToken));
        }
        else if (check.Errors(set) is { Count: > 0 } errors)
        {
            Refuse(new(publication, [.. errors.Select(error => error.ToString())]) { Teams = set.Teams });
            return;
        }
        else
        {
            TakeContacts(set);
            set = ReadWithContacts(set);
            if (Waiting(set) is { Count: > 0 } waiting)
            {
                Refuse(new(publication, waiting) { Teams = set.Teams });
                return;
            }

            actions.Take(set.Teams);
            var result = catalog.Load(set.Runbooks);
            versions.Forget();
            LogResult(result);
            var changes = result.Changes.Count > 0 ? string.Join(", ", result.Changes) : "No runbook changed";
            Log.PublicationTaken(logger, publication.Name, publication.By, changes, catalog.Current.Count);
        }

        files.Forget(Whole);
        windows.Take(set.Windows);
        status.Take(set);
    }

    private void TakeContacts(RuleSet set)
    {
        status.AddCalendars(set);
        contacts.Take(set);
    }

    private RuleSet ReadWithContacts(RuleSet set)
    {
        _readWith = contacts.InForce;
        status.TakeCalendars(set, _readWith);
        return _readWith is null ? set : set.ReadWith(_readWith);
    }

    private static IReadOnlyList<string> Waiting(RuleSet set) =>
        [.. set.Teams.Select(team => team.Waits).OfType<CatalogError>().Select(error => error.ToString())];

    /// <summary>What is in force stays. The log, the pages and the fallback contact tell the publisher.</summary>
    public void Refuse(RefusedSet refused)
    {
        actions.TakeAway(refused.Teams);
        if (refused.Says(status.Refused))
        {
            return;
        }

        var publication = refused.Publication;
        foreach (var error in refused.Errors)
        {
            Log.RunbookRefused(logger, error);
        }

        Log.PublicationRefused(logger, publication.Name, publication.By, status.Instead(publication));
        files.Refuse(Whole, [$"Refused as a whole: {publication.Name}, published by {publication.By}.", .. refused.Errors], publication.Name);
        status.Refuse(refused);
    }

    /// <summary>The refused publication is gone, and the newest one is in force again.</summary>
    public void Stay()
    {
        files.Forget(Whole);
        actions.Take([]);
        status.Refuse(null);
    }

    private void Take(LoadResult result)
    {
        LogResult(result);
        if (result.Kept.Count > 0)
        {
            Log.RunbooksKept(logger, string.Join(", ", result.Kept));
        }

        // A file that was saved without a change is no news, except when an error is gone by that.
        if (result.Changes.Count > 0 || (_broken && result.Errors.Count == 0))
        {
            var changes = result.Changes.Count > 0 ? string.Join(", ", result.Changes) : "no file is broken any more";
            Log.RunbooksReloaded(logger, changes, catalog.Current.Count);
        }

        _broken = result.Errors.Count > 0;
    }

    private void LogResult(LoadResult result)
    {
        foreach (var error in result.Errors)
        {
            Log.RunbookRefused(logger, error.ToString());
        }

        foreach (var warning in result.Warnings)
        {
            Log.FileWarning(logger, warning.ToString());
        }
    }
}

public sealed class RuleSetCheck(RunbookCatalog catalog, RuleSetContacts contacts)
{
    public IReadOnlyList<CatalogError> Errors(RuleSet set) =>
    [
        .. catalog.Check(set.Runbooks).Errors

            // Nothing else checks a team without runbooks.
            .Union(set.Teams.SelectMany(team => TeamFile.Read(team).Errors)).Union(contacts.Errors(set)),
        .. set.Windows is { } windows ? MaintenanceFile.Read(windows.Name, windows.Text).Errors : [],
    ];
}

/// <summary>
/// The newest publication without errors here, else the plain files. Chosen once, since contacts are needed before anything else.
/// </summary>
public sealed class StartingRuleSet(PublishedSets sets, RuleSetCheck check, FileVersions files)
{
    /// <summary>The name of the set as a whole in pages about files. The version kept under it tells what was in force last.</summary>
    internal const string Name = "the rule set";

    /// <summary>Without runbooks a host would ignore every alert.</summary>
    internal const string Gone = "No runbook is there any more, neither published nor as a plain file. Publish again, or put back what was there.";

    private readonly Lock _choosing = new();
    private Task<(RuleSet Set, RefusedSet? Refused)>? _chosen;

    /// <returns>The set, and the newest publication where that was refused.</returns>
    public Task<(RuleSet Set, RefusedSet? Refused)> GetAsync(CancellationToken cancellationToken)
    {
        lock (_choosing)
        {
            return _chosen ??= ChooseAsync(cancellationToken);
        }
    }

    private async Task<(RuleSet Set, RefusedSet? Refused)> ChooseAsync(CancellationToken cancellationToken)
    {
        if (await sets.FindLogAsync(cancellationToken) is not { } log)
        {
            var plain = await sets.ReadPlainAsync(cancellationToken);
            return plain.Runbooks.Count > 0 || await files.FindLastAsync(Name, cancellationToken) is not { } last
                ? (plain, null)
                : throw new InvalidDataException($"{sets.Address}: {Gone} In force before: {last.Text}.");
        }

        RefusedSet? refused = null;
        RuleSet? newest = null;
        foreach (var publication in log.Publications)
        {
            try
            {
                var set = await sets.ReadAsync(publication, cancellationToken);
                if (check.Errors(set) is not { Count: > 0 } errors)
                {
                    return (set, refused is null ? null : refused with { Teams = newest?.Teams ?? [] });
                }

                newest ??= set;
                refused ??= new(publication, [.. errors.Select(error => error.ToString())]);
            }
            catch (InvalidDataException broken)
            {
                refused ??= new(publication, [broken.Message], IsIncomplete: true);
            }
        }

        // No publication is without errors, so the good part of the newest is used.
        return (newest?.InPart() ?? throw new InvalidDataException($"No publication at {sets.Address} can be read: {refused!.Errors[0]}"), refused);
    }
}
