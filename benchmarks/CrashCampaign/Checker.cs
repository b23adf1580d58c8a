using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace CrashCampaign;

/// <summary>
/// Compares, once everything has ended, what the driver was told with what the API says, what the sandbox was asked and which
/// cards are in the outbox. It knows nothing of how the product works.
/// </summary>
internal sealed class Checker(World world, Ledger ledger)
{
    private readonly List<string> _violations = [];
    private readonly Dictionary<string, int> _endings = [], _figures = [];

    public IReadOnlyList<string> Violations => _violations;

    /// <summary>How many incidents ended how.</summary>
    public IReadOnlyDictionary<string, int> Endings => _endings;

    public IReadOnlyDictionary<string, int> Figures => _figures;

    public async Task CheckAsync(IReadOnlyList<Plan> told)
    {
        var acts = (await File.ReadAllLinesAsync(world.RequestLog)).Select(Act.Parse).OfType<Act>().ToLookup(act => act.Target);
        var cards = Card.All(world.Servers.Select(server => server.Outbox)).ToLookup(card => card.Incident);
        var sent = ledger.Sent.ToLookup(each => each.Story);
        foreach (var plan in told.Where(plan => plan.Kind != Kind.Unmatched))
        {
            var incidents = await IncidentsAsync(plan.Target);
            if (incidents.Count != 1)
            {
                Violated(plan, $"{incidents.Count} incidents: {string.Join(", ", incidents.Select(incident => $"{incident["id"]} {incident["state"]}"))}");
            }

            foreach (var incident in incidents)
            {
                Count(_endings, $"{plan.Kind} {incident["state"]}");
                Check(plan, incident, [.. sent[plan]], [.. acts[plan.Target]]);
                CheckCards(plan, incident, [.. cards[$"{incident["id"]}"]]);
            }
        }

        await CheckUnmatchedAsync();
    }

    private void Check(Plan plan, JsonNode incident, List<Sent> sent, List<Act> acts)
    {
        var state = $"{incident["state"]}";
        if (!incident["final"]!.GetValue<bool>())
        {
            Violated(plan, $"has not ended: {state}");
            return;
        }

        var alerts = incident["alerts"]!.AsArray().Select(alert => $"{alert!["fingerprint"]}").ToHashSet();
        foreach (var lost in sent.Where(each => each is { What: "alert", Accepted: true } && !alerts.Contains(each.Who)))
        {
            Violated(plan, $"the accepted alert {lost.Who} is not in the incident");
        }

        var decisions = incident["gates"]!.AsArray().SelectMany(gate => gate!["decisions"]!.AsArray()).Select(decision => $"{decision!["by"]} {decision["decision"]}").ToList();
        foreach (var decision in sent.Where(each => each.What == "decision").GroupBy(each => each.Who))
        {
            var recorded = decisions.Count(each => each == decision.Key);
            if (recorded > 1 || (recorded == 0 && decision.Any(each => each.Accepted)))
            {
                Violated(plan, $"'{decision.Key}' was answered {string.Join(", ", decision.Select(each => (int)each.Answer.Status))} and is on record {recorded} times");
            }
        }

        foreach (var invented in decisions.Where(decision => sent.All(each => each.Who != decision)))
        {
            Violated(plan, $"'{invented}' is on record and nobody said so");
        }

        var numbers = incident["timeline"]!.AsArray().Select(entry => entry!["number"]!.GetValue<int>()).Order().ToList();
        if (!numbers.SequenceEqual(Enumerable.Range(numbers.FirstOrDefault(), numbers.Count)))
        {
            Violated(plan, $"the timeline has the numbers {string.Join(' ', numbers)}");
        }

        var closed = Time(incident["closedAt"]!);
        foreach (var late in acts.Where(act => act.At > closed + TimeSpan.FromSeconds(2)))
        {
            Violated(plan, $"acted after its end at {closed:HH:mm:ss.fff}: {late}");
        }

        var done = acts.Where(act => act.Done).ToList();
        var expected = Expected(plan, state, decisions, incident, done, [.. sent]);
        if (expected is not null)
        {
            Violated(plan, $"{expected}. It ended as {state}: {incident["reason"]} Decisions: {string.Join(", ", decisions)}. Acts: {string.Join("; ", done)}");
        }
    }

    /// <returns>What should have been otherwise; null when all is well.</returns>
    private string? Expected(Plan plan, string state, List<string> decisions, JsonNode incident, List<Act> done, List<Sent> sent)
    {
        if (state == "failed" && $"{incident["reason"]}".Contains("10 times in a row", StringComparison.Ordinal))
        {
            // Work that was under way at ten deaths is given up, so that what kills its process does not kill it for ever.
            Count(_figures, "given up after ten deaths");
            return done.Count(act => !act.IsUndo) > 1 ? "What was given up was done once at most" : null;
        }

        switch (plan.Kind)
        {
            case Kind.Approve:
                return state != "resolved" || done.Count != 1 ? "An approved pod is recycled once" : null;
            case Kind.Reject:
                return state != "rejected" || done.Count != 0 ? "After a no nothing is done" : null;
            case Kind.Race:
                return decisions.Count != 1 || (decisions[0] == "ada approve" ? state != "resolved" || done.Count != 1 : state != "rejected" || done.Count != 0)
                    ? "Of two answers one counts" : null;
            case Kind.Rotate when state == "failed":
                Count(_figures, "unrepeatable steps whose outcome nobody knows");
                return $"{incident["steps"]!.AsArray().FirstOrDefault()?["status"]}" != "unknown" || done.Count > 1 ? "What cannot be repeated is done once or not known" : null;
            case Kind.Rotate:
                return state != "resolved" || decisions.Count != 2 || done.Count != 1 ? "Two people approve and the key is rotated once" : null;
            case Kind.Lease:
                return state != "resolved" || done is not [{ IsUndo: false }, .., { IsUndo: true }] ? "A lease is taken back" : null;
            case Kind.Heal:
                return state != "resolved" || done.Count(act => !act.IsUndo) < 2 || done.Any(act => act.IsUndo) ? "It heals itself" : null;
            case Kind.Cancel when sent.Any(each => each is { What: "cancel", Accepted: true }):
                return state != "cancelled" || done.Count > 1 || (decisions.Count == 0 && done.Count > 0) ? "What was cancelled ends so" : null;
            case Kind.Cancel:
                return done.Count > 1 ? "A pod is recycled at most once" : null;
            case Kind.Recovers:
                return state is not ("selfRecovered" or "notNeeded") || done.Count != 0 ? "What recovered by itself is left alone" : null;
            default:
                return null;
        }
    }

    /// <summary>
    /// Messages are sent at least once: a second copy is for a kill between sending the first and recording it, and for nothing else.
    /// On an account a kill may also cut a turn between sending its calls and recording them: both calls then run, once the locks lapse.
    /// </summary>
    private void CheckCards(Plan plan, JsonNode incident, List<Card> cards)
    {
        foreach (var same in cards.GroupBy(card => (card.To, card.Gate)))
        {
            foreach (var (first, second) in same.OrderBy(card => card.At).Zip(same.OrderBy(card => card.At).Skip(1)))
            {
                Count(_figures, "questions sent a second time, after a kill");
                if (!ledger.Kills.Any(kill => kill > first.At - (world.Servers.Length == 1 ? TimeSpan.FromSeconds(1) : TimeSpan.FromMinutes(1)) && kill < second.At))
                {
                    Violated(plan, $"{same.Key.To} got the question {same.Key.Gate} of {incident["id"]} at {first.At:HH:mm:ss.fff} and {second.At:HH:mm:ss.fff} with no kill between");
                }
            }
        }

        // Who answers at once may be quicker than the message, and then there is nothing to ask any more.
        foreach (var gate in incident["gates"]!.AsArray().Where(gate => gate!["closedAt"] is not null && cards.All(card => card.Gate != $"{gate["id"]}")))
        {
            var (opened, closed) = (Time(gate!["openedAt"]!), Time(gate["closedAt"]!));
            if (closed - opened > TimeSpan.FromSeconds(10) && !ledger.Kills.Any(kill => kill > opened - TimeSpan.FromSeconds(1) && kill < closed))
            {
                Violated(plan, $"nobody was sent the question {gate["id"]}");
            }
        }
    }

    /// <summary>The page keeps the latest 60 names. What was sent at the same time may have been written in another order, so the latest 50 are looked for.</summary>
    private async Task CheckUnmatchedAsync()
    {
        var page = (await AskAsync("unmatched")).Text;
        var latest = ledger.Sent.Where(each => each is { What: "alert", Accepted: true, Story.Kind: Kind.Unmatched })
            .GroupBy(each => each.Story, each => each.At).OrderByDescending(sent => sent.Max()).Take(50).Select(sent => sent.Key);
        foreach (var plan in latest.Where(plan => !page.Contains($"{plan.Alert}<", StringComparison.Ordinal)))
        {
            Violated(plan, $"{plan.Alert} is not on the page of unmatched alerts");
        }
    }

    private async Task<List<JsonNode>> IncidentsAsync(string target)
    {
        var lines = (await AskAsync($"api/incidents?limit=100&q={target}")).Json["incidents"]!.AsArray().Where(line => $"{line!["target"]}" == target);
        var incidents = new List<JsonNode>();
        foreach (var line in lines)
        {
            incidents.Add((await AskAsync($"api/incidents/{line!["id"]}")).Json);
        }

        return incidents;
    }

    private async Task<Answer> AskAsync(string path)
    {
        var answer = await world.Servers[0].GetAsync(path);
        return answer.Status == HttpStatusCode.OK ? answer : throw new InvalidOperationException($"{path}: {(int)answer.Status} {answer.Text}");
    }

    private void Violated(Plan plan, string what) => _violations.Add($"{plan.Kind} {plan.Target}: {what}");

    private static void Count(Dictionary<string, int> counts, string what) => counts[what] = counts.GetValueOrDefault(what) + 1;

    private static DateTimeOffset Time(JsonNode text) => DateTimeOffset.Parse(text.ToString(), CultureInfo.InvariantCulture);
}

/// <summary>Something that was done to the sandbox, out of its log.</summary>
internal sealed partial record Act(string Target, DateTimeOffset At, string Request, int Status)
{
    public bool Done => Status is >= 200 and < 300;

    public bool IsUndo => Request.StartsWith("DELETE /appconfiguration", StringComparison.Ordinal);

    [GeneratedRegex("llm-b-[0-9]+")]
    private static partial Regex Targets();

    public override string ToString() => $"{At:HH:mm:ss.fff} {Request} {Status}";

    /// <returns>Null for what only looks, and for what somebody else did.</returns>
    public static Act? Parse(string line)
    {
        var entry = JsonNode.Parse(line)!;
        var request = $"{entry["request"]}";
        if (request.StartsWith("GET", StringComparison.Ordinal) || request.Contains("by=somebody-else", StringComparison.Ordinal) || request.Contains("selfsubjectaccessreviews", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var at = DateTimeOffset.Parse($"{entry["at"]}", CultureInfo.InvariantCulture);
        return new Act(Targets().Match(request).Value, at, request, entry["status"]!.GetValue<int>());
    }
}

/// <summary>A question that somebody was sent, out of the outbox.</summary>
internal sealed record Card(string Incident, string Gate, string To, DateTimeOffset At)
{
    public static IEnumerable<Card> All(IEnumerable<string> outboxes) =>
        from folder in outboxes
        where Directory.Exists(folder)
        from file in Directory.EnumerateFiles(folder, "*.json")
        let message = JsonNode.Parse(File.ReadAllText(file))!
        where message["approvalLink"] is not null
        select new Card($"{message["incident"]}", $"{message["gate"]}", $"{message["to"]}", DateTimeOffset.Parse($"{message["at"]}", CultureInfo.InvariantCulture));
}
