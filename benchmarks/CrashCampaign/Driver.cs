using System.Net;
using System.Text.Json.Nodes;

namespace CrashCampaign;

/// <summary>Senders and people: each request is repeated until it gets an answer that is one, and every answer is written down.</summary>
internal sealed class Driver(World world, Ledger ledger, TimeSpan patience)
{
    private int _turn;

    /// <returns>Null when the story was told; else what it waited for in vain.</returns>
    public async Task<string?> TellAsync(Plan plan)
    {
        try
        {
            await StoryAsync(plan);
            return null;
        }
        catch (TimeoutException late)
        {
            return $"{plan.Kind} {plan.Target}: {late.Message}";
        }
    }

    private async Task StoryAsync(Plan plan)
    {
        var id = "";
        for (var alert = 0; alert < plan.Alerts; alert++)
        {
            id = await AlertAsync(plan, "firing", alert);
        }

        switch (plan.Kind)
        {
            case Kind.Unmatched:
                return;
            case Kind.Approve or Kind.Lease:
                await DecideAsync(plan, id, "ada", "approve");
                break;
            case Kind.Reject:
                await DecideAsync(plan, id, "ben", "reject");
                break;
            case Kind.Race:
                await Task.WhenAll(DecideAsync(plan, id, "ada", "approve"), DecideAsync(plan, id, "ben", "reject"));
                break;
            case Kind.Rotate:
                await Task.WhenAll(DecideAsync(plan, id, "ada", "approve"), DecideAsync(plan, id, "ben", "approve"));
                break;
            case Kind.Cancel when plan.Moment < 0.5:
                await Task.Delay(TimeSpan.FromSeconds(plan.Moment));
                await CancelAsync(plan, id);
                break;
            case Kind.Cancel:
                await DecideAsync(plan, id, "ada", "approve");
                await Task.Delay(TimeSpan.FromSeconds(plan.Moment - 0.5));
                await CancelAsync(plan, id);
                break;
            case Kind.Recovers:
                await EvictAsync(plan);
                for (var alert = 0; alert < plan.Alerts; alert++)
                {
                    await AlertAsync(plan, "resolved", alert);
                }

                break;
        }

        await UntilAsync("its end", async server => await server.GetAsync($"api/incidents/{id}?waitFor=final&timeout=5") is { Status: HttpStatusCode.OK } answer
            && answer.Json["final"]!.GetValue<bool>() ? answer.Text : null);
    }

    private async Task<string> AlertAsync(Plan plan, string status, int number)
    {
        var fingerprint = $"{plan.Target}-{number}";
        var body = new JsonObject
        {
            ["name"] = plan.Alert, ["status"] = status, ["fingerprint"] = fingerprint, ["startsAt"] = "2026-11-26T03:00:00Z",
            ["labels"] = new JsonObject { ["target"] = plan.Target },
        };
        var answer = await SendAsync(plan, status == "firing" ? "alert" : "resolved", fingerprint, "api/alerts/generic", body, HttpStatusCode.Accepted);
        return answer.Json["incidents"]![0]!["id"]?.ToString() ?? "";
    }

    /// <summary>Where the question is not open yet, it is tried again as a person would.</summary>
    private async Task DecideAsync(Plan plan, string id, string by, string decision)
    {
        await UntilAsync("a question", async server => await server.GetAsync($"api/incidents/{id}?waitFor=awaitingApproval&timeout=5") is { Status: HttpStatusCode.OK } answer
            && (answer.Json["final"]!.GetValue<bool>() || answer.Json["gates"]!.AsArray().Count > 0) ? answer.Text : null);
        await SendAsync(plan, "decision", $"{by} {decision}", $"api/incidents/{id}/decision", new JsonObject { ["decision"] = decision, ["by"] = by }, HttpStatusCode.OK, HttpStatusCode.Conflict);
    }

    private Task<Answer> CancelAsync(Plan plan, string id) =>
        SendAsync(plan, "cancel", "ada", $"api/incidents/{id}/cancel", new JsonObject { ["by"] = "ada", ["reason"] = "campaign" }, HttpStatusCode.OK, HttpStatusCode.Conflict);

    /// <summary>Somebody else mends the pod. The log tells them by their query.</summary>
    private async Task EvictAsync(Plan plan)
    {
        var path = $"kubernetes/b/api/v1/namespaces/inference/pods/{plan.Target}";
        using var gone = await world.Sandbox.DeleteAsync(new Uri($"{path}?by=somebody-else", UriKind.Relative));
        for (var began = DateTimeOffset.UtcNow; DateTimeOffset.UtcNow - began < patience; await Task.Delay(200))
        {
            if (await ReadyAsync(path))
            {
                return;
            }
        }

        throw new TimeoutException("waited for the sandbox to have the pod ready");
    }

    private async Task<bool> ReadyAsync(string path)
    {
        using var answer = await world.Sandbox.GetAsync(new Uri(path, UriKind.Relative));
        return answer.IsSuccessStatusCode
            && JsonNode.Parse(await answer.Content.ReadAsStringAsync()) is { } pod
            && pod["metadata"]!["deletionTimestamp"] is null
            && pod["status"]!["conditions"]!.AsArray().Any(condition => $"{condition!["type"]}" == "Ready" && $"{condition["status"]}" == "True");
    }

    private async Task<Answer> SendAsync(Plan plan, string what, string who, string path, JsonObject body, params HttpStatusCode[] answers) =>
        await UntilAsync($"an answer to {what} {who}", async server =>
        {
            var at = DateTimeOffset.UtcNow;
            var answer = await server.PostAsync(path, body);
            ledger.Add(new Sent(plan, what, who, at, answer));
            return answers.Contains(answer.Status) ? answer : null;
        });

    private async Task<T> UntilAsync<T>(string what, Func<Server, Task<T?>> attempt)
        where T : class
    {
        for (var began = DateTimeOffset.UtcNow; DateTimeOffset.UtcNow - began < patience; await Task.Delay(50))
        {
            if (await attempt(world.Servers[(uint)Interlocked.Increment(ref _turn) % world.Servers.Length]) is { } done)
            {
                return done;
            }
        }

        throw new TimeoutException($"waited {patience.TotalSeconds:0} s in vain for {what}");
    }
}
