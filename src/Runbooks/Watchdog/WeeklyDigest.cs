using System.ComponentModel.DataAnnotations;
using Runbooks.Catalog.Steps;
using Runbooks.Intake;
using Runbooks.SignedLinks;

namespace Runbooks.Watchdog;

/// <summary>Tells each owner once a week how their runbooks did. The shared state remembers who was told.</summary>
public sealed class WeeklyDigest(
    IIncidentStore store,
    ISharedState state,
    LoadedRunbooks loaded,
    RunHistoryStore runs,
    StepCatalog steps,
    CurrentContacts contacts,
    NotificationDispatcher messages,
    DecisionLinks links,
    IOptions<DigestOptions> options,
    TimeProvider time,
    ILogger<WeeklyDigest> logger) : IWatchdogJob
{
    private const string Key = "digest";

    private const int MaxIncidents = 10_000;

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
            var owners = loaded()
                .GroupBy(runbook => OwnerOf(runbook), StringComparer.OrdinalIgnoreCase)
                .Where(owner => notified?.Week != due || !notified.Owners.Contains(owner.Key, StringComparer.OrdinalIgnoreCase))
                .ToList();
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

                var incidents = week.Where(incident => histories.ContainsKey(incident.RunbookId));
                var text = DigestText.Of([.. owner], [.. incidents], histories, steps, isCut);
                if (text is null || await NotifyAsync(owner.Key, text, due, cancellationToken))
                {
                    await state.ChangeAsync<NotifiedOwners>(
                        Key, known => new(due, [.. known?.Week == due ? known.Owners : [], owner.Key]), cancellationToken);
                }
            }
        }
        // Caught here, so that a failed digest pages nobody as a failed watchdog job does. The next minute tries again.
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            Log.DigestFailed(logger, failure);
        }
    }

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

    /// <summary>The fallback is told where the contacts do not have the owner.</summary>
    private string OwnerOf(Runbook runbook) =>
        contacts.Book.TryFind(runbook.Owner, out _) && runbook.Owner.Length > 0 ? runbook.Owner : runbook.Fallback;

    private async Task<(IReadOnlyList<IncidentSummary> Week, bool IsCut)> ReadAsync(DateTimeOffset due, CancellationToken cancellationToken)
    {
        var counted = new List<IncidentSummary>();
        await foreach (var incident in store.ListAllAsync(new IncidentQuery(Limit: 500, Since: due.AddDays(-7)), cancellationToken))
        {
            if (counted.Count == MaxIncidents)
            {
                return (counted, true);
            }

            if (incident.OpenedAt < due)
            {
                var isFromOlderVersion = incident is { SawNothing: null, State: IncidentState.NotNeeded };
                var whole = isFromOlderVersion ? await store.TryFindAsync(incident.Id, cancellationToken) : null;
                counted.Add(whole is null ? incident : IncidentSummary.Of(whole));
            }
        }

        return (counted, false);
    }

    private async Task<bool> NotifyAsync(string owner, DigestText text, DateTimeOffset due, CancellationToken cancellationToken)
    {
        var card = new Card
        {
            Kind = CardKind.Decided,
            IncidentId = Key,
            Title = text.Title,
            Severity = ImpactSeverity.Low,
            Sections = text.Sections,
            Links = [new("Incidents", links.Console(null))],
        };
        var notice = new Notice($"{Key}:{due:yyyy-MM-dd}:{owner}", [owner], _ => card);
        var deliveries = await messages.SendAsync(notice, [], expect: null, cancellationToken);
        return deliveries.Any(delivery => delivery.Reached);
    }

    private sealed record NotifiedOwners(DateTimeOffset Week, IReadOnlyList<string> Owners);
}

/// <summary>Section <c>Digest</c>: one message a week to each owner of runbooks.</summary>
public sealed class DigestOptions
{
    public const string SectionName = "Digest";

    /// <summary>The day, such as <c>Monday</c>. Without one there is no digest.</summary>
    public DayOfWeek? On { get; set; }

    /// <summary>The hour of the day, in UTC.</summary>
    [Range(0, 23)]
    public int Hour { get; set; } = 7;
}
