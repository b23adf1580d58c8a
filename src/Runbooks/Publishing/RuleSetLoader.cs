using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog;
using Runbooks.Catalog.Problems;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Storage;

namespace Runbooks.Publishing;

/// <summary>Which publication this process goes by, and which one it has refused.</summary>
public sealed class RuleSetStatus
{
    private volatile Seen _seen = new(null, null, null);
    private volatile IReadOnlyDictionary<string, string> _calendars = new Dictionary<string, string>();

    /// <summary>Null while plain files are in force.</summary>
    public Publication? InForce => _seen.InForce;

    /// <summary>The newest publication, when it cannot be used here; null when it is in force.</summary>
    public RefusedSet? Refused => _seen.Refused;

    /// <summary>A calendar that stands beside the contacts; null where there is none of that name.</summary>
    public string? FindCalendar(string name) => _calendars.GetValueOrDefault(name);

    /// <summary>What is in force in place of a publication that is refused, for people.</summary>
    public string Instead(Publication refused) => _seen switch
    {
        { InForce: { } publication } => publication.Name,
        { PartOf: { } part } => $"what of {(part == refused ? "it" : part.Name)} has no errors",
        _ => "what lay there as plain files",
    };

    internal void Take(RuleSet set) => _seen = new(set.Publication, set.PartOf, null);

    /// <summary>Before the contacts that name them.</summary>
    internal void TakeCalendars(RuleSet set) => _calendars = set.Calendars;

    /// <param name="refused">Null when the newest publication is in force after all.</param>
    internal void Refuse(RefusedSet? refused) => _seen = _seen with { Refused = refused };

    private sealed record Seen(Publication? InForce, Publication? PartOf, RefusedSet? Refused);
}

/// <param name="IsIncomplete">It could not be read whole; it may be copied to the place file by file.</param>
public sealed record RefusedSet(Publication Publication, IReadOnlyList<string> Errors, bool IsIncomplete = false)
{
    internal bool Says(RefusedSet? other) => Publication == other?.Publication && Errors.SequenceEqual(other.Errors);
}

/// <summary>How a host reads its rule set.</summary>
/// <param name="Every">How often it is looked at whether something was published.</param>
public sealed record RuleSetOptions(TimeSpan Every)
{
    /// <summary>A publication is in force within a minute.</summary>
    public static readonly TimeSpan Usual = TimeSpan.FromSeconds(30);

    /// <summary>Whether the set says who is asked: not in practice, and not where another file does.</summary>
    public bool TakesContacts { get; init; } = true;

    /// <summary>The contacts of all, where another file says who they are; null where that is the set's, or in practice.</summary>
    public Func<RunbookFile>? OtherContacts { get; init; }

    /// <summary>Whether plain files are read again only when something tells that they have changed.</summary>
    public bool IsTold { get; init; }
}

/// <summary>What is wrong with a set as a whole, on this host.</summary>
public sealed class RuleSetCheck(RunbookCatalog catalog, RuleSetOptions options, IServiceProvider services)
{
    public IReadOnlyList<CatalogError> Errors(RuleSet set) =>
    [
        .. catalog.Check(set.Runbooks).Errors

            // A team without runbooks is looked at by nothing else.
            .Union(set.Teams.SelectMany(team => TeamFile.Read(team).Errors)).Union(People(set)),
        .. set.Windows is { } windows ? MaintenanceFile.Read(windows.Name, windows.Text).Errors : [],
    ];

    private IReadOnlyList<CatalogError> People(RuleSet set) =>
        set is { Contacts: null, Teams.Count: 0 } ? []
        : options.TakesContacts ? services.GetRequiredService<ContactsFile>().Read(set.People).Errors
        : options.OtherContacts is { } other && set.Teams.Count > 0 ? services.GetRequiredService<ContactsFile>().Read(new ContactFiles(other(), set.Teams)).Errors
        : [];
}

/// <summary>
/// The set that a process begins with: the newest publication without errors here, else the plain files. It is chosen once,
/// since contacts are needed before anything else is loaded.
/// </summary>
public sealed class StartingRuleSet(PublishedSets sets, RuleSetCheck check)
{
    private readonly Lock _choosing = new();
    private Task<(RuleSet Set, RefusedSet? Refused)>? _chosen;

    /// <returns>The set, and the newest publication where it is not that one.</returns>
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
            return (await sets.ReadPlainAsync(cancellationToken), null);
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
                    return (set, refused);
                }

                newest ??= set;
                refused ??= new(publication, [.. errors.Select(error => error.ToString())]);
            }
            catch (InvalidDataException broken)
            {
                refused ??= new(publication, [broken.Message], IsIncomplete: true);
            }
        }

        // Nothing here is whole: what is good of the newest is better than nothing at all.
        return (newest?.InPart() ?? throw new InvalidDataException($"No publication at {sets.Address} can be read: {refused!.Errors[0]}"), refused);
    }
}

/// <summary>Takes over what was published or what lies in a folder, at the start and while the host runs.</summary>
public sealed class RuleSetLoader(
    RunbookCatalog catalog, RunbookVersions versions, FileVersions files, MaintenanceReload windows, RuleSetStatus status, RuleSetCheck check, RuleSetOptions options, IServiceProvider services, ILogger<RuleSetLoader> logger)
{
    /// <summary>As pages and messages about broken files call it.</summary>
    private const string Whole = "the published rule set";

    private bool _broken;

    /// <summary>Takes over the set that the process begins with; its contacts are in force already.</summary>
    /// <returns>What is wrong with it. When nothing is in force then, there is nothing to go on with.</returns>
    public async Task<LoadResult> StartAsync((RuleSet Set, RefusedSet? Refused) chosen, CancellationToken cancellationToken)
    {
        var (set, refused) = chosen;
        var result = await versions.LoadAsync(set.Runbooks, cancellationToken);
        Tell(result);
        status.TakeCalendars(set);
        status.Take(set);
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

    /// <summary>Where no earlier version is known, one broken file must not keep the others from healing anything, and incidents that are waiting from going on.</summary>
    public async Task StartWithTheGoodAsync(RuleSet set, LoadResult result, CancellationToken cancellationToken)
    {
        var broken = result.Errors.Select(error => error.File).ToHashSet(StringComparer.Ordinal);
        catalog.Load(set.Runbooks.Where(file => !file.IsAmong(broken)), whole: false);

        // What is in force now is kept for the next start.
        await versions.LoadAsync(set.Runbooks, cancellationToken);
    }

    /// <summary>Takes over a set that has changed. A published one is taken as a whole or not at all; of plain files each good one is.</summary>
    public async Task TakeAsync(RuleSet set, CancellationToken cancellationToken)
    {
        if (set.Publication is not { } publication)
        {
            Take(await versions.LoadAsync(set.Runbooks, cancellationToken));
        }
        else if (check.Errors(set) is { Count: > 0 } errors)
        {
            Refuse(new(publication, [.. errors.Select(error => error.ToString())]));
            return;
        }
        else
        {
            var result = catalog.Load(set.Runbooks);
            versions.Forget();
            Tell(result);
            Log.PublicationTaken(logger, publication.Name, publication.By, result.Changes.Count > 0 ? string.Join(", ", result.Changes) : "No runbook changed", catalog.Current.Count);
        }

        files.Forget(Whole);
        windows.Take(set.Windows);
        status.TakeCalendars(set);
        if (options.TakesContacts)
        {
            services.GetRequiredService<ContactsReload>().Take(set.Contacts, set.Teams);
        }
        else if (options.OtherContacts is not null)
        {
            services.GetRequiredService<ContactsReload>().TakeTeams(set.Teams);
        }

        status.Take(set);
    }

    /// <summary>What is in force stays; whoever published is told through the log, the page and the fallback contact.</summary>
    public void Refuse(RefusedSet refused)
    {
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

    /// <summary>What is in force is the newest publication again: the one that was refused is gone.</summary>
    public void Stay()
    {
        files.Forget(Whole);
        status.Refuse(null);
    }

    private void Take(LoadResult result)
    {
        Tell(result);
        if (result.Kept.Count > 0)
        {
            Log.RunbooksKept(logger, string.Join(", ", result.Kept));
        }

        // A file that was saved as it was is no news, but after an error it is.
        if (result.Changes.Count > 0 || (_broken && result.Errors.Count == 0))
        {
            Log.RunbooksReloaded(logger, result.Changes.Count > 0 ? string.Join(", ", result.Changes) : "no file is broken any more", catalog.Current.Count);
        }

        _broken = result.Errors.Count > 0;
    }

    private void Tell(LoadResult result)
    {
        foreach (var error in result.Errors)
        {
            Log.RunbookRefused(logger, error.ToString());
        }

        foreach (var warning in result.Warnings)
        {
            Log.FileDoubtful(logger, warning.ToString());
        }
    }
}
