using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Intake;

/// <summary>
/// Sorts a post into what may be taken in side by side: one queue per runbook and target, each in the post's order, so
/// that an alert and its own end in the same post do not overtake each other.
/// </summary>
internal sealed class ArrivalSorter(IReadOnlyCollection<Runbook> runbooks)
{
    private readonly Dictionary<(string Runbook, string Target), List<Arrival>> _queues = [];

    public IReadOnlyCollection<IReadOnlyList<Arrival>> Queues => _queues.Values;

    /// <summary>Alerts that no runbook is for, with the reason.</summary>
    public List<(int Place, Alert Alert, string Reason)> Unmatched { get; } = [];

    /// <summary>How many answers there will be.</summary>
    public int Places { get; private set; }

    public ArrivalSorter Add(IEnumerable<Alert> alerts)
    {
        foreach (var alert in alerts)
        {
            var match = RunbookMatcher.Match(alert, runbooks);
            if (match.Runbooks.Count == 0)
            {
                Unmatched.Add((Places++, alert, match.Reason ?? "No runbook is triggered by it."));
            }

            foreach (var runbook in match.Runbooks)
            {
                Enqueue(runbook, alert, Places++);
            }
        }

        return this;
    }

    private void Enqueue(Runbook runbook, Alert alert, int place)
    {
        var target = IncidentTarget.Of(runbook, alert);
        if (!_queues.TryGetValue((runbook.Id, target), out var queue))
        {
            _queues[(runbook.Id, target)] = queue = [];
        }

        if (queue.Count > 0 && queue[^1] is var last && last.First.Status == alert.Status)
        {
            queue[^1] = last with { Alerts = [.. last.Alerts, alert], Places = [.. last.Places, place] };
            return;
        }

        queue.Add(new Arrival(runbook, target, [alert], [place]));
    }
}
