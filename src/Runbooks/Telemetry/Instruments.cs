using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Runbooks.Telemetry;

/// <summary>
/// Everything that is measured, and the source of the spans. docs/telemetry.md lists it, and a test compares the two. An attribute of a
/// metric has few values: a runbook, an outcome, a channel; never a target, an incident or a person.
/// </summary>
public static class Instruments
{
    public const string Name = "Runbooks";

    internal static readonly ActivitySource Spans = new(Name);

    private static readonly Meter s_meter = new(Name);

    /// <summary>In seconds. A check or a step takes from milliseconds to many minutes.</summary>
    private static readonly InstrumentAdvice<double> s_work = new()
    {
        HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
    };

    /// <summary>In seconds. People and fixes take from seconds to days.</summary>
    private static readonly InstrumentAdvice<double> s_story = new()
    {
        HistogramBucketBoundaries = [5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400],
    };

    internal static readonly Counter<long> Alerts = s_meter.CreateCounter<long>(
        "runbook.alerts", "{alert}", "Alerts that were posted, by what became of them.");

    internal static readonly Counter<long> Opened = s_meter.CreateCounter<long>(
        "runbook.incidents.opened", "{incident}", "Incidents that were opened.");

    internal static readonly Counter<long> Closed = s_meter.CreateCounter<long>(
        "runbook.incidents.closed", "{incident}", "Incidents that ended, by how.");

    internal static readonly Histogram<double> TimeToAcknowledge = Times(
        "runbook.incident.time_to_acknowledge", "From the opening to a person's first answer.", s_story);

    internal static readonly Histogram<double> TimeToMitigate = Times(
        "runbook.incident.time_to_mitigate", "From the opening until the checks first passed after it had acted.", s_story);

    internal static readonly Histogram<double> TimeToResolve = Times(
        "runbook.incident.time_to_resolve", "From the opening to the end of what was fixed.", s_story);

    internal static readonly Histogram<double> Checks = Times(
        "runbook.check.duration", "How long an answer of a check took, whatever it was asked for.", s_work);

    internal static readonly Histogram<double> Steps = Times(
        "runbook.step.duration", "How long a step took from its intent to its outcome.", s_work);

    internal static readonly Counter<long> Messages = s_meter.CreateCounter<long>(
        "runbook.messages", "{message}", "Messages to people, by channel and by whether the channel took them.");

    internal static readonly Counter<long> WatchFindings = s_meter.CreateCounter<long>(
        "runbook.watchdog.findings", "{finding}", "What the watchdog found wrong with open incidents, by what it did about it.");

    internal static KeyValuePair<string, object?> Tag(string key, string value) => new(key, value);

    private static Histogram<double> Times(string name, string description, InstrumentAdvice<double> advice) =>
        s_meter.CreateHistogram(name, "s", description, tags: null, advice);
}

internal static class Attributes
{
    public const string Action = "runbook.action";
    public const string Channel = "runbook.channel";
    public const string Check = "runbook.check";
    public const string Gate = "runbook.gate";
    public const string IncidentId = "runbook.incident.id";
    public const string Mode = "runbook.mode";
    public const string Outcome = "runbook.outcome";
    public const string Phase = "runbook.phase";
    public const string Remedy = "runbook.remedy";
    public const string Runbook = "runbook.id";
    public const string Source = "runbook.alert.source";
    public const string State = "runbook.state";
    public const string Step = "runbook.step";
    public const string Target = "runbook.target";
    public const string Verdict = "runbook.verdict";
    public const string WaitsFor = "runbook.waits_for";
}

/// <summary>Numbers of incidents by state, as the watchdog counted them in its last round. Nothing is read only for this.</summary>
public sealed class StoreGauges : IDisposable
{
    /// <summary>Older counts are not reported: another process may have taken over the watch and reports its own.</summary>
    private static readonly TimeSpan s_fresh = TimeSpan.FromMinutes(3);

    private readonly Meter _meter = new(Instruments.Name);
    private readonly TimeProvider _time;
    private Tuple<StoreCounts, long>? _counts;

    public StoreGauges(TimeProvider time)
    {
        _time = time;
        _meter.CreateObservableGauge(
            "runbook.incidents.open", () => Read(counts => counts.Open), "{incident}", "Incidents that have not ended, by state.");
        _meter.CreateObservableGauge(
            "runbook.incidents.waiting",
            () => Read(counts => counts.Waiting),
            "{incident}",
            "Incidents that wait for a person: for a decision, or for somebody to see to what the end left.");
        _meter.CreateObservableGauge(
            "runbook.lease.age", () => Read(counts => counts.LeaseAge), "s", "How long the oldest temporary fix has been held.");
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>A series that was counted before and has no incidents now is reported as 0.</summary>
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

internal sealed class StoreCounts(DateTimeOffset at)
{
    private const string Decision = "decision";
    private const string Attention = "attention";

    private readonly Dictionary<(string Gauge, string Runbook, string Word), double> _counts = [];

    public DateTimeOffset At { get; } = at;

    public IEnumerable<Measurement<double>> Open => Measure(nameof(Open), Attributes.State);

    public IEnumerable<Measurement<double>> Waiting => Measure(nameof(Waiting), Attributes.WaitsFor);

    public IEnumerable<Measurement<double>> LeaseAge => Measure(nameof(LeaseAge), null);

    public IncidentSummary Add(IncidentSummary incident)
    {
        var ended = incident.State.IsFinal();
        if (!ended)
        {
            Increase(nameof(Open), incident, CamelCase.Of(incident.State));
        }

        if (ended ? incident.NeedsPerson : incident.Question is not null)
        {
            Increase(nameof(Waiting), incident, ended ? Attention : Decision);
        }

        if (incident.HeldSince is { } since && (nameof(LeaseAge), incident.RunbookId, "") is var lease)
        {
            _counts[lease] = Math.Max(_counts.GetValueOrDefault(lease), (At - since).TotalSeconds);
        }

        return incident;
    }

    public void KeepNamesOf(StoreCounts before)
    {
        foreach (var key in before._counts.Keys)
        {
            _counts.TryAdd(key, 0);
        }
    }

    private void Increase(string gauge, IncidentSummary incident, string word) =>
        _counts[(gauge, incident.RunbookId, word)] = _counts.GetValueOrDefault((gauge, incident.RunbookId, word)) + 1;

    private IEnumerable<Measurement<double>> Measure(string gauge, string? key) =>
        _counts.Where(count => count.Key.Gauge == gauge).Select(count => new Measurement<double>(count.Value, TagsOf(count.Key.Runbook, count.Key.Word, key)));

    private static IEnumerable<KeyValuePair<string, object?>> TagsOf(string runbook, string word, string? key)
    {
        yield return Instruments.Tag(Attributes.Runbook, runbook);
        if (key is not null)
        {
            yield return Instruments.Tag(key, word);
        }
    }
}

/// <summary>
/// Writes metrics and spans from what changed in a stored record. So a replay writes nothing twice, and a wait that a restart interrupts
/// gets its true length.
/// </summary>
internal static class IncidentTelemetry
{
    public static void Opened(Incident incident, TimeSpan took)
    {
        Instruments.Opened.Add(1, Runbook(incident), Mode(incident));
        if (Instruments.Spans.HasListeners())
        {
            new IncidentSpans(incident).Intake(incident.OpenedAt, incident.OpenedAt + took, "opened");
        }
    }

    public static void Changed(Incident before, Incident after, TimeSpan took)
    {
        if (ReferenceEquals(before, after))
        {
            return;
        }

        Count(before, after);
        if (Instruments.Spans.HasListeners())
        {
            new IncidentSpans(after).Changed(before, took);
        }
    }

    private static void Count(Incident before, Incident after)
    {
        if (after.State.IsFinal() && !before.State.IsFinal())
        {
            Instruments.Closed.Add(1, Runbook(after), Mode(after), Instruments.Tag(Attributes.Outcome, CamelCase.Of(after.State)));
            if (EndingText.IsFixed(after))
            {
                Instruments.TimeToResolve.Record(After(after, after.EndedAt), Runbook(after), Mode(after));
            }
        }

        var isFirstAnswer = Instruments.TimeToAcknowledge.Enabled && MayBeAnswered(before, after) && before.FirstResponseAt() is null;
        if (isFirstAnswer && after.FirstResponseAt() is { } answered)
        {
            Instruments.TimeToAcknowledge.Record(After(after, answered), Runbook(after), Mode(after));
        }

        var hasNewRounds = !ReferenceEquals(before.VerificationRounds, after.VerificationRounds);
        if (Instruments.TimeToMitigate.Enabled && hasNewRounds && before.MitigatedAt() is null && after.MitigatedAt() is { } mitigated)
        {
            Instruments.TimeToMitigate.Record(After(after, mitigated), Runbook(after), Mode(after));
        }

        foreach (var step in Finished(before, after))
        {
            Instruments.Steps.Record(
                (step.FinishedAt!.Value - step.StartedAt).TotalSeconds,
                Runbook(after),
                Instruments.Tag(Attributes.Action, step.Action),
                Instruments.Tag(Attributes.Phase, CamelCase.Of(step.Phase)),
                Instruments.Tag(Attributes.Outcome, CamelCase.Of(step.Status)));
        }
    }

    /// <summary>Saves work: most changes cannot be a person's first answer.</summary>
    private static bool MayBeAnswered(Incident before, Incident after) =>
        !ReferenceEquals(before.Gates, after.Gates)
        || !ReferenceEquals(before.Stop, after.Stop)
        || !ReferenceEquals(before.Attention, after.Attention);

    public static IEnumerable<StepRecord> Finished(Incident before, Incident after) => ReferenceEquals(before.Steps, after.Steps)
        ? []
        : after.Steps.Where(step => step.FinishedAt is not null && before.FindStep(step.Phase, step.Name)?.FinishedAt is null);

    private static double After(Incident incident, DateTimeOffset? at) =>
        Math.Max(0, ((at ?? incident.OpenedAt) - incident.OpenedAt).TotalSeconds);

    private static KeyValuePair<string, object?> Runbook(Incident incident) => Instruments.Tag(Attributes.Runbook, incident.RunbookId);

    private static KeyValuePair<string, object?> Mode(Incident incident) => Instruments.Tag(Attributes.Mode, CamelCase.Of(incident.Mode));
}
