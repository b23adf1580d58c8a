using System.Collections.Concurrent;
using System.Net.Http.Json;
using Microsoft.Extensions.Hosting;
using Runbooks.Notifications;

namespace Runbooks.Web.Slack;

public sealed class SlackDecisions(
    ApprovalService approvals, CurrentContacts contacts, SlackReply reply, TimeProvider time, ILogger<SlackDecisions> logger)
{
    private const int Attempts = 3;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2);

    internal async Task TakeAsync(SlackInteraction click, CancellationToken cancellationToken)
    {
        if (PersonOf(click) is not { } person)
        {
            Log.SlackUserUnknown(logger, click.UserId, click.IncidentId);
            await reply.ReplyAsync(
                click.ResponseUrl,
                $"You may not decide this: nobody in the contacts has the Slack user {click.UserId}. "
                + $"Whoever keeps contacts.yaml can add 'slackUser: {click.UserId}' to you.",
                cancellationToken);
            return;
        }

        await reply.ReplyAsync(click.ResponseUrl, await DecideAsync(click, person, cancellationToken), cancellationToken);
    }

    private string? PersonOf(SlackInteraction click) =>
        contacts.Book.FindPerson(Identity.Slack(click.UserId))?.Name ?? (contacts.Book.KnowsEveryone ? click.UserName : null);

    /// <returns>The text for the person, also where the decision counted: the card may be one that cannot be changed.</returns>
    private async Task<string> DecideAsync(SlackInteraction click, string person, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var decision = new DecisionRequest(click.Verb, person, DecisionVia.Slack, PlanHash: click.PlanHash);
                var receipt = await approvals.DecideAsync(click.IncidentId, click.GateId, decision, cancellationToken);
                if (receipt is { Incident: { } incident, Result.Status: DecisionStatus.AlreadyClosed or DecisionStatus.PlanChanged }
                    && !(receipt.IsRepeated && !incident.State.IsFinal()))
                {
                    // The button was stale, so its card has to say so from now on. The first press of a repeated one has done that.
                    await approvals.TryShowAsync(incident, click.GateId, cancellationToken);
                }

                if (receipt.Incident is { } asked && click.Card is { } card)
                {
                    await approvals.TryShowPressedAsync(asked, click.GateId, DecisionVia.Slack, card, cancellationToken);
                }

                return receipt.Result.Message;
            }
            // Slack already has its answer, so only the person can still be told.
            catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
            {
                Log.SlackClickBroke(logger, click.IncidentId, attempt, fault);
                if (attempt == Attempts)
                {
                    return "It is not known whether your decision was recorded. "
                        + "Look at the incident; if it still asks, press the button again: your answer counts once.";
                }

                await Task.Delay(s_pause, time, cancellationToken);
            }
        }
    }
}

public sealed class SlackReply(IHttpClientFactory clients, ILogger<SlackReply> logger)
{
    public const string Client = "slack-reply";

    internal async Task ReplyAsync(Uri? to, string text, CancellationToken cancellationToken)
    {
        if (to is null)
        {
            return;
        }

        try
        {
            // The address has a secret in it, so it is in no log and in no exception that is passed on.
            using var answer = await clients.CreateClient(Client).PostAsJsonAsync(
                to, new { response_type = "ephemeral", replace_original = false, text = Escape(text) }, cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                Log.SlackReplyFailed(logger, $"Slack answered {(int)answer.StatusCode}");
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or OperationCanceledException)
        {
            Log.SlackReplyFailed(logger, failure.GetType().Name);
        }
    }

    /// <summary>The address comes with the click, so only Slack's own is ever called.</summary>
    internal static Uri? Address(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
        && url is { Scheme: "https", Host: "hooks.slack.com", IsDefaultPort: true, UserInfo: "" }
            ? url
            : null;

    private static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal);
}

/// <summary>
/// Work that goes on after Slack has its answer. Too much work is refused, so that Slack tells the person. A stopping host waits for it.
/// </summary>
public sealed class SlackBackgroundWorker : IHostedService
{
    private const int MaxConcurrency = 100;
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private int _count;

    /// <returns>Null when there is too much to do already.</returns>
    internal Task? TryStart(Func<Task> work)
    {
        if (Interlocked.Increment(ref _count) > MaxConcurrency)
        {
            Interlocked.Decrement(ref _count);
            return null;
        }

        var task = RunAsync(work);
        _running.TryAdd(task, true);
        _ = task.ContinueWith(
            done =>
            {
                _running.TryRemove(done, out _);
                Interlocked.Decrement(ref _count);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return task;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(_running.Keys).WaitAsync(cancellationToken);

    private static async Task RunAsync(Func<Task> work)
    {
        await Task.Yield();
        await work();
    }
}
