using System.Diagnostics.Metrics;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Model.Text;

namespace Runbooks.Telemetry;

/// <summary>How many incidents stand where, as the watchdog saw it in its last round. Nothing is read for it that is not read anyway.</summary>
public sealed class StoreGauges : IDisposable
{
    /// <summary>Another process may have taken over the watch: then that one tells, and this one does not repeat what was.</summary>
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(3);

    private readonly Meter _meter = new(Instruments.Name);
    private readonly TimeProvider _time;
    private Tuple<StoreCounts, long>? _counts;

    public StoreGauges(TimeProvider time)
    {
        _time = time;
        _meter.CreateObservableGauge("runbook.incidents.open", () => Read(counts => counts.Open), "{incident}", "Incidents that have not ended, by state.");
        _meter.CreateObservableGauge("runbook.incidents.waiting", () => Read(counts => counts.Waiting), "{incident}", "Incidents that wait for a person: for a decision, or for somebody to see to what the end left.");
        _meter.CreateObservableGauge("runbook.lease.age", () => Read(counts => counts.LeaseAge), "s", "How long the oldest temporary fix has been held.");
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>What was counted before and is gone is told as none.</summary>
    internal void Show(StoreCounts counts)
    {
        if (Volatile.Read(ref _counts) is var (before, _))
        {
            counts.KeepNamesOf(before);
        }

        Volatile.Write(ref _counts, Tuple.Create(counts, _time.GetTimestamp()));
    }

    private IEnumerable<Measurement<double>> Read(Func<StoreCounts, IEnumerable<Measurement<double>>> of) =>
        Volatile.Read(ref _counts) is var (counts, shown) && _time.GetElapsedTime(shown) < s_fresh ? of(counts) : [];
}

/// <summary>What one round of the watchdog counts.</summary>
internal sealed class StoreCounts(DateTimeOffset at)
{
    private const string Decision = "decision";
    private const string Attention = "attention";

    private readonly Dictionary<(string Runbook, string Word), double> _open = [];
    private readonly Dictionary<(string Runbook, string Word), double> _waiting = [];
    private readonly Dictionary<(string Runbook, string Word), double> _leases = [];

    public DateTimeOffset At { get; } = at;

    public IEnumerable<Measurement<double>> Open => Measure(_open, Attributes.State);

    public IEnumerable<Measurement<double>> Waiting => Measure(_waiting, Attributes.WaitsFor);

    public IEnumerable<Measurement<double>> LeaseAge => Measure(_leases, null);

    /// <returns>The same incident.</returns>
    public IncidentSummary Add(IncidentSummary incident)
    {
        var ended = incident.State.IsFinal();
        if (!ended)
        {
            Increase(_open, incident, CamelCase.Of(incident.State));
        }

        if (ended ? incident.NeedsPerson : incident.Question is not null)
        {
            Increase(_waiting, incident, ended ? Attention : Decision);
        }

        if (incident.HeldSince is { } since && (incident.RunbookId, "") is var lease)
        {
            _leases[lease] = Math.Max(_leases.GetValueOrDefault(lease), (At - since).TotalSeconds);
        }

        return incident;
    }

    public void KeepNamesOf(StoreCounts before)
    {
        Keep(before._open, _open);
        Keep(before._waiting, _waiting);
        Keep(before._leases, _leases);
    }

    private static void Increase(Dictionary<(string, string), double> counts, IncidentSummary incident, string word) =>
        counts[(incident.RunbookId, word)] = counts.GetValueOrDefault((incident.RunbookId, word)) + 1;

    private static void Keep(Dictionary<(string, string), double> before, Dictionary<(string, string), double> now)
    {
        foreach (var key in before.Keys)
        {
            now.TryAdd(key, 0);
        }
    }

    private static IEnumerable<Measurement<double>> Measure(Dictionary<(string Runbook, string Word), double> counts, string? key) => counts.Select(count => new Measurement<double>(
        count.Value, key is null ? [Instruments.Tag(Attributes.Runbook, count.Key.Runbook)] : [Instruments.Tag(Attributes.Runbook, count.Key.Runbook), Instruments.Tag(key, count.Key.Word)]));
}
