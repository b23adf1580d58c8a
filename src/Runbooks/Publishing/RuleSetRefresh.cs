using Microsoft.Extensions.Hosting;

namespace Runbooks.Publishing;

/// <summary>Loads the rule set before the host takes its first alert, and then checks regularly for a new one.</summary>
public sealed class RuleSetRefresh(
    PublishedSets sets,
    StartingRuleSet starting,
    RuleSetLoader loader,
    RuleSetStatus status,
    RunbookCatalog catalog,
    MaintenanceReload windows,
    FileVersions files,
    RuleSetContacts contacts,
    RuleSetOptions options,
    TimeProvider time,
    ILogger<RuleSetRefresh> logger) : BackgroundService
{
    /// <summary>People are told only of a place that cannot be reached for longer.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly SemaphoreSlim _turn = new(1);
    private RuleSetStart? _started;
    private DateTimeOffset? _unreadableSince;

    private RuleSet? _plain;

    /// <summary>Takes over the set that the process begins with, once. A command may call it without starting the host.</summary>
    public async Task<RuleSetStart> LoadAsync(CancellationToken cancellationToken)
    {
        if (_started is null)
        {
            var chosen = await starting.GetAsync(cancellationToken);
            var runbooks = await loader.StartAsync(chosen, cancellationToken);
            _started = new(chosen.Set, runbooks, await windows.StartAsync(chosen.Set.Windows, cancellationToken));
            _plain = chosen.Set;
        }

        return _started;
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var started = await LoadAsync(cancellationToken);
        if (started.Runbooks.Errors.Count > 0 && catalog.Current.Count == 0)
        {
            await loader.StartWithTheGoodAsync(started.Set, started.Runbooks, cancellationToken);
        }

        if (started.Windows.Count > 0)
        {
            throw new InvalidOperationException($"The maintenance windows have errors, and none were in force before: {string.Join(" | ", started.Windows)}");
        }

        Log.RulesInForce(logger, catalog.Current.Count, status.InForce?.Name ?? sets.Address);
        if (IsEmpty)
        {
            Log.NoRunbooks(logger, sets.Address);
            TellEmpty();
        }

        windows.WarnOfUnknown(catalog.Current);
        await base.StartAsync(cancellationToken);
    }

    public async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            await TakeNewestAsync(cancellationToken);
            windows.WarnOfUnknown(catalog.Current);
            _unreadableSince = null;
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            if (_unreadableSince is null)
            {
                Log.RulesUnreadable(logger, sets.Address, failure.Message);
            }

            _unreadableSince ??= time.GetUtcNow();
            if (failure is InvalidDataException || time.GetUtcNow() - _unreadableSince >= s_patience)
            {
                files.Refuse(StartingRuleSet.Name, [$"The runbooks at {sets.Address} cannot be read. {failure.Message}"], failure.GetType().Name);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public override void Dispose()
    {
        _turn.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Every, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await RefreshAsync(stoppingToken);
        }
    }

    private async Task TakeNewestAsync(CancellationToken cancellationToken)
    {
        if (await sets.FindLogAsync(cancellationToken) is { } log)
        {
            if (log.Current != status.InForce)
            {
                await TakeAsync(log.Current, cancellationToken);
            }
            else if (status.Refused is not null)
            {
                loader.Stay();
            }

            files.Use(StartingRuleSet.Name, (status.InForce ?? log.Current).Name);
        }
        else
        {
            // Without the record of publications the plain files count. Where there are none, it was not removed on purpose.
            var plain = await sets.ReadPlainAsync(cancellationToken);
            if (plain.Runbooks.Count == 0 && catalog.Current.Count > 0)
            {
                throw new InvalidDataException(StartingRuleSet.Gone);
            }

            if (!ReferenceEquals(plain, _plain) || loader.IsOutdated || status.InForce is not null || status.Refused is not null)
            {
                await loader.TakeAsync(plain, cancellationToken);
                _plain = plain;
            }

            files.Use(StartingRuleSet.Name, plain.Runbooks.Count > 0 ? "plain files" : null);
        }

        if (IsEmpty)
        {
            TellEmpty();
        }
    }

    /// <summary>Such a host runs, so that runbooks can be published to it, but nobody may take it for one that watches.</summary>
    private bool IsEmpty => catalog.Current.Count == 0 && contacts is not NoContacts;

    private void TellEmpty() => files.Refuse(
        StartingRuleSet.Name,
        [$"No runbook is loaded from {sets.Address}, so every alert is ignored. Publish runbooks there, or name the place where they are."],
        nameof(IsEmpty));

    private async Task TakeAsync(Publication publication, CancellationToken cancellationToken)
    {
        // A refused set is tried again where its contacts come from elsewhere, since they may have been corrected.
        if (!contacts.StandElsewhere && status.Refused is { IsIncomplete: false } refused && refused.Publication == publication)
        {
            return;
        }

        try
        {
            await loader.TakeAsync(await sets.ReadAsync(publication, cancellationToken), cancellationToken);
        }
        catch (InvalidDataException broken)
        {
            loader.Refuse(new(publication, [broken.Message], IsIncomplete: true));
        }
    }
}

/// <param name="Runbooks">What is wrong with the runbooks, and which older ones stay in force.</param>
/// <param name="Windows">What is wrong with the maintenance windows, when none were in force before.</param>
public sealed record RuleSetStart(RuleSet Set, LoadResult Runbooks, IReadOnlyList<CatalogError> Windows);

public sealed class RuleSetStatus
{
    private volatile Seen _seen = new(null, null, null);
    private volatile IReadOnlyDictionary<string, string> _calendars = new Dictionary<string, string>();

    /// <summary>Null while plain files are in force.</summary>
    public Publication? InForce => _seen.InForce;

    /// <summary>The newest publication, when it cannot be used here; null otherwise.</summary>
    public RefusedSet? Refused => _seen.Refused;

    public string? FindCalendar(string name) => _calendars.GetValueOrDefault(name);

    public string Instead(Publication refused) => _seen switch
    {
        { InForce: { } publication } => publication.Name,
        { PartOf: { } part } => $"what of {(part == refused ? "it" : part.Name)} has no errors",
        _ => "what lay there as plain files",
    };

    internal void Take(RuleSet set) => _seen = new(set.Publication, set.PartOf, null);

    /// <summary>Before the contacts that name them are taken over. Calendars that nobody names any more are removed only afterwards.</summary>
    internal void AddCalendars(RuleSet set) => _calendars = set.Calendars
        .Where(calendar => !_calendars.ContainsKey(calendar.Key))
        .Concat(_calendars)
        .ToDictionary(StringComparer.Ordinal);

    internal void TakeCalendars(RuleSet set, ContactFiles? inForce) =>
        _calendars = inForce is null ? set.Calendars : set.CalendarsOf(inForce, _calendars);

    /// <param name="refused">Null when the newest publication is in force after all.</param>
    internal void Refuse(RefusedSet? refused) => _seen = _seen with { Refused = refused };

    private sealed record Seen(Publication? InForce, Publication? PartOf, RefusedSet? Refused);
}

/// <param name="IsIncomplete">It could not be read as a whole; it may still be on its way to the place, file by file.</param>
public sealed record RefusedSet(Publication Publication, IReadOnlyList<string> Errors, bool IsIncomplete = false)
{
    /// <summary>The folders of teams; empty where the set could not be read.</summary>
    public IReadOnlyList<TeamFiles> Teams { get; init; } = [];

    internal bool Says(RefusedSet? other) => Publication == other?.Publication && Errors.SequenceEqual(other.Errors);
}
