using Microsoft.Extensions.Options;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Notifications.Storms;

/// <summary>
/// Asks about all incidents of a storm in one message. Whichever of them is due first speaks for every question that has
/// not gone out; a sender that dies half-way leaves the rest unasked, and the next one due asks again.
/// </summary>
public sealed class StormApprovalNotifier(
    StormRegistry storms, StormMembers members, StormCards cards, NotificationDispatcher dispatcher, IOptionsMonitor<StormOptions> options, TimeProvider time)
{
    private static readonly TimeSpan WhileAnotherSends = TimeSpan.FromSeconds(5);

    /// <summary>When this question has to be looked after, by its own incident.</summary>
    public DateTimeOffset DueAt(Gate gate)
    {
        var gathered = (gate.AskedAt ?? gate.OpenedAt) + options.CurrentValue.Gather;
        var soon = time.GetUtcNow() + WhileAnotherSends;
        return gathered > soon ? gathered : soon;
    }

    /// <summary>Sends what is unasked, once this question has waited for others to join it.</summary>
    public async Task AskAsync(Gate due, Runbook runbook, CancellationToken cancellationToken)
    {
        if (time.GetUtcNow() < (due.AskedAt ?? due.OpenedAt) + options.CurrentValue.Gather
            || await storms.TakeTurnAsync(runbook.Id, cancellationToken) is not { } storm)
        {
            return;
        }

        try
        {
            var unasked = await members.FindAsync(
                runbook.Id,
                storm.Since,
                line => line.State == IncidentState.AwaitingApproval,
                incident => incident.OpenGate is { } gate && !incident.WasSent(gate),
                cancellationToken);
            foreach (var group in unasked.GroupBy(incident => string.Join('\n', incident.OpenGate!.Approvers)))
            {
                await AskAsync(storm, runbook, [.. group], cancellationToken);
            }
        }
        finally
        {
            await storms.EndTurnAsync(storm, over: false, CancellationToken.None);
        }
    }

    private async Task AskAsync(Storm storm, Runbook runbook, IReadOnlyList<Incident> incidents, CancellationToken cancellationToken)
    {
        var approvers = incidents[0].OpenGate!.Approvers;
        var asked = await dispatcher.SendAsync("storm", approvers, recipient => cards.Question(storm, runbook, incidents, recipient.Name), [], cancellationToken);
        var escalate = !asked.Any(delivery => delivery.Reached) && !approvers.Contains(ContactBook.Fallback, StringComparer.OrdinalIgnoreCase);

        // Silence is never success: whoever is last in line may decide as well.
        IReadOnlyList<Delivery> last = escalate
            ? await dispatcher.SendAsync("storm:fallback", [ContactBook.Fallback], recipient => cards.Question(storm, runbook, incidents, recipient.Name), [], cancellationToken)
            : [];
        var reached = asked.Concat(last).Any(delivery => delivery.Reached);
        await members.UpdateAsync(incidents, incident => Record(incident, incidents, [.. asked, .. last], escalate, reached), cancellationToken);
    }

    private Incident Record(Incident incident, IReadOnlyList<Incident> told, IReadOnlyList<Delivery> deliveries, bool escalate, bool reached)
    {
        if (incident.OpenGate is not { } gate || incident.WasSent(gate))
        {
            return incident;
        }

        // The message shows all of them and is no card of this one: it cannot be changed into how this one ended.
        var mine = deliveries.Select(delivery => delivery with { Key = gate.MessageKey + delivery.Key["storm".Length..], Reference = null }).ToList();
        var escalated = escalate ? ApprovalSchedule.Escalate(incident, gate.Id, [ContactBook.Fallback], time.GetUtcNow()) : incident;
        var recorded = escalated.RecordDeliveries(mine, about: told.Count);
        return reached ? recorded : ApprovalSchedule.AskAgain(recorded, gate.Id, time.GetUtcNow());
    }
}
