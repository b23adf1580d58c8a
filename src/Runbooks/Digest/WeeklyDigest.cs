using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Steps;
using Runbooks.Intake;
using Runbooks.SignedLinks;

namespace Runbooks.Digest;

/// <summary>
/// Tells each owner once a week how their runbooks did. Whoever was told is remembered in the shared
/// state, so that one of several processes tells and a restart tells nobody twice.
/// </summary>
public sealed class WeeklyDigest(
    IIncidentStore store, ISharedState state, LoadedRunbooks loaded, RunHistoryStore runs, StepCatalog steps, CurrentContacts contacts, NotificationDispatcher messages, DecisionLinks links,
    IOptions<DigestOptions> options, TimeProvider time, ILogger<WeeklyDigest> logger) : IWatchdogJob
{
    private const string Key = "digest";

    /// <summary>The latest of a week are counted.</summary>
    private const int MaxIncidents = 10_000;

    /// <summary>A digest that could not be sent is tried again for this long.</summary>
    private static readonly TimeSpan s_late = TimeSpan.FromDays(1);

    public string Name => "the weekly digest";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Due() is not { } due || time.GetUtcNow() - due > s_late)
        {
            return;
        }

        try
        {
            var notified = await state.FindAsync<NotifiedOwners>(Key, cancellationToken);
            var owners = loaded().GroupBy(runbook => OwnerOf(runbook), StringComparer.OrdinalIgnoreCase).Where(owner => notified?.Week != due || !notified.Owners.Contains(owner.Key, StringComparer.OrdinalIgnoreCase)).ToList();
            if (owners.Count == 0)
            {
                return;
            }

            var (week, isCut) = await ReadAsync(due, cancellationToken);
            foreach (var owner in owners)
            {
                var histories = new Dictionary<string, RunHistory>(StringComparer.Ordinal);
                foreach (var runbook in owner)
                {
                    histories[runbook.Id] = await runs.ReadAsync(runbook.Id, cancellationToken);
                }

                var text = DigestText.Of([.. owner], [.. week.Where(incident => histories.ContainsKey(incident.RunbookId))], histories, steps, isCut);
                if (text is null || await NotifyAsync(owner.Key, text, due, cancellationToken))
                {
                    await state.ChangeAsync<NotifiedOwners>(Key, known => new(due, [.. known?.Week == due ? known.Owners : [], owner.Key]), cancellationToken);
                }
            }
        }
        // Nobody waits for a digest, so nobody is paged for it as for a watch that fails; the next minute tries again.
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.DigestFailed(logger, failure);
        }
    }

    /// <returns>The last moment at which a digest was due; null where none is sent.</returns>
    private DateTimeOffset? Due()
    {
        if (options.Value.On is not { } day)
        {
            return null;
        }

        var now = time.GetUtcNow();
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero).AddHours(options.Value.Hour);
        var due = today.AddDays(-(((int)now.UtcDateTime.DayOfWeek - (int)day + 7) % 7));
        return due > now ? due.AddDays(-7) : due;
    }

    /// <summary>An owner whom the contacts do not name is told by way of the fallback.</summary>
    private string OwnerOf(Runbook runbook) => contacts.Book.TryFind(runbook.Owner, out _) && runbook.Owner.Length > 0 ? runbook.Owner : runbook.Fallback;

    /// <returns>Those of the week, and whether there were more than are counted.</returns>
    private async Task<(IReadOnlyList<IncidentSummary> Week, bool IsCut)> ReadAsync(DateTimeOffset due, CancellationToken cancellationToken)
    {
        var found = new List<IncidentSummary>();
        await foreach (var incident in store.ListAllAsync(new IncidentQuery(Limit: 500, Since: due.AddDays(-7)), cancellationToken))
        {
            if (found.Count == MaxIncidents)
            {
                return (found, true);
            }

            if (incident.OpenedAt < due)
            {
                found.Add(incident is { SawNothing: null, State: IncidentState.NotNeeded } && await store.TryFindAsync(incident.Id, cancellationToken) is { } whole ? IncidentSummary.Of(whole) : incident);
            }
        }

        return (found, false);
    }

    /// <returns>Whether it reached anybody.</returns>
    private async Task<bool> NotifyAsync(string owner, DigestText text, DateTimeOffset due, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            // Nobody has to do anything about it.
            Kind = CardKind.Decided,
            IncidentId = Key,
            Title = text.Title,
            Severity = ImpactSeverity.Low,
            Sections = text.Sections,
            Links = [new("Incidents", links.Console(null))],
        };
        return (await messages.SendAsync($"{Key}:{due:yyyy-MM-dd}:{owner}", [owner], _ => card, [], cancellationToken)).Any(delivery => delivery.Reached);
    }

    /// <param name="Week">When that digest was due.</param>
    private sealed record NotifiedOwners(DateTimeOffset Week, IReadOnlyList<string> Owners);
}

/// <summary>Section <c>Digest</c>: the week in one message, to each owner of runbooks.</summary>
public sealed class DigestOptions
{
    public const string SectionName = "Digest";

    /// <summary>The day on which it is sent, such as <c>Monday</c>; no digest without one.</summary>
    public DayOfWeek? On { get; set; }

    /// <summary>The hour of that day, in UTC.</summary>
    [Range(0, 23)]
    public int Hour { get; set; } = 7;
}
