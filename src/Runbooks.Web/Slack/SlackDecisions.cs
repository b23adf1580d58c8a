using Microsoft.Extensions.Logging;
using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;

namespace Runbooks.Web.Slack;

/// <summary>Makes a decision of a click, and tells whoever pressed the button why when it does not count.</summary>
public sealed class SlackDecisions(DecisionDesk desk, CurrentContacts contacts, SlackReply reply, TimeProvider time, ILogger<SlackDecisions> logger)
{
    private const string Via = "slack";
    private const int Attempts = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    internal async Task TakeAsync(SlackClick click, CancellationToken cancellationToken)
    {
        if (PersonOf(click) is not { } person)
        {
            Log.SlackUserUnknown(logger, click.UserId, click.IncidentId);
            await reply.TellAsync(
                click.ResponseUrl, $"You may not decide this: nobody in the contacts has the Slack user {click.UserId}. Whoever keeps contacts.yaml can add 'slackUser: {click.UserId}' to you.", cancellationToken);
            return;
        }

        var text = await DecideAsync(click, person, cancellationToken);
        if (text is not null)
        {
            await reply.TellAsync(click.ResponseUrl, text, cancellationToken);
        }
    }

    private string? PersonOf(SlackClick click) =>
        contacts.Book.FindPerson(Identity.Slack(click.UserId))?.Name ?? (contacts.Book.KnowsEveryone ? click.UserName : null);

    /// <returns>What to tell the person; null when the changed card says it.</returns>
    private async Task<string?> DecideAsync(SlackClick click, string person, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var receipt = await desk.DecideAsync(click.IncidentId, click.GateId, new Ballot(click.Verb, person, Via, PlanHash: click.PlanHash), cancellationToken);
                if (receipt is { Incident: { } incident, Result.Status: DecisionStatus.AlreadyClosed or DecisionStatus.PlanChanged })
                {
                    // The button was stale: the card it is on has to say so from now on.
                    await desk.TryShowAsync(incident, click.GateId, cancellationToken);
                }

                return receipt.Result.Status == DecisionStatus.Decided ? null : receipt.Result.Message;
            }
#pragma warning disable CA1031 // Nobody else hears of it: Slack has been answered, so the person is told here.
            catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Log.SlackClickBroke(logger, click.IncidentId, attempt, fault);
                if (attempt == Attempts)
                {
                    return "Your decision could not be recorded. Nothing was decided; press the button again.";
                }

                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }
}
