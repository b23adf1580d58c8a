using System.Net;
using System.Text.RegularExpressions;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Notifications.Storms;
using Runbooks.SignedLinks;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <summary>All questions of a storm on one page.</summary>
public sealed partial class StormPageTests : IAsyncLifetime
{
    private const int Count = 30;
    private const string StormId = "storm-261123-031100-000";
    private readonly WebHost _host = new();
    private string _link = "";

    [Fact]
    public async Task Page_ListsEveryTargetAndDecidesNothing()
    {
        var writes = _host.Store.Writes;

        var page = await PageAsync();

        page.ShouldContain($">{Count} targets waiting for you</h1>");
        for (var i = 0; i < Count; i++)
        {
            page.ShouldContain($">inference/llm-b-{i}</label>");
        }

        page.Split("GPU memory is at 98 %.").Length.ShouldBe(2, "what was found on all of them is said once");
        page.ShouldContain($"<h3>Found on all {Count}</h3>");
        page.ShouldContain("Delete pod llm-b-0 in inference, keeping its logs.");
        _host.Store.Writes.ShouldBe(writes);
    }

    /// <summary>What was wrong before the mitigation is no ground for a later question.</summary>
    [Fact]
    public async Task LaterQuestion_ShowsWhatTheChecksSaidLastAndWhatWasDone()
    {
        foreach (var incident in _host.Store.All.ToList())
        {
            await _host.Store.UpdateAsync(incident.Id, current => (current with
            {
                Verification = [Some.Finding() with { Result = CheckResult.Failing("GPU memory is at 96 %."), At = Some.Time.AddMinutes(-1) }],
                Steps = [new() { Phase = Phase.Mitigation, Name = "recycle", Action = "x", GateId = "mitigation-1", Status = StepStatus.Done, Outcome = "Deleted the pod.", Preparation = new() { PlannedEffect = "Delete it." }, StartedAt = Some.Time }],
            }, true), Ct);
        }

        var page = await PageAsync();

        page.ShouldContain("<span class=\"verdict bad\"><span aria-hidden=\"true\">✗</span> Failing</span> <span class=\"question\">Is the GPU memory full?</span> GPU memory is at 96 %. <span class=\"hint\">The oldest answer is of <time datetime=\"2026-11-23T03:11:00Z\">03:11:00 UTC</time>");
        page.ShouldNotContain("GPU memory is at 98 %.");
        page.ShouldContain("Done so far: recycle: Deleted the pod.");
    }

    /// <summary>98 % of what, and is that bad? What is not known is told from what is wrong.</summary>
    [Fact]
    public async Task WhatWasFound_StandsBehindItsVerdictAndItsQuestion()
    {
        var unknown = Some.Finding("node", Verdict.Unknown) with { Ask = "Is the node healthy?", Result = new CheckResult(Verdict.Unknown, "No answer in 5 s.") };
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, current => (current with { Findings = [.. current.Findings, unknown] }, true), Ct);

        var page = await PageAsync();

        page.ShouldContain("<span class=\"verdict bad\"><span aria-hidden=\"true\">✗</span> Failing</span> <span class=\"question\">Is the GPU memory full?</span> GPU memory is at 98 %.");
        page.ShouldContain("<span class=\"verdict calm\"><span aria-hidden=\"true\">?</span> Unknown</span> <span class=\"question\">Is the node healthy?</span> No answer in 5 s.");
    }

    /// <summary>Its own steps ran, or it only told: it never waited, so it does not wait no longer.</summary>
    [Fact]
    public async Task WhatNeverWaited_IsNotAmongWhatWaitsNoLonger()
    {
        var unasked = Some.Gate() with { Outcome = GateOutcome.Approved, ClosedAt = Some.Time, ClosedBy = "This runbook heals by itself; nobody had to be asked." };
        await _host.OpenAsync(Some.Waiting("261123-0312-99999998", unasked) with { State = IncidentState.Resolved, Target = "healed", Storm = StormId });
        await _host.OpenAsync(Some.Waiting("261123-0312-99999999") with { Target = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/virtualMachines/vm-batch-1", Storm = StormId });

        var page = await PageAsync();

        page.ShouldContain($">{Count + 1} targets waiting for you</h1>");
        page.ShouldNotContain("nobody had to be asked");
        page.ShouldContain(">vm-batch-1</label>");
    }

    [Fact]
    public async Task ApproveWithEveryTick_ApprovesEach()
    {
        var answer = await PostAsync("approve", await TicketsAsync());

        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain($"You approved {Count} targets.");
        _host.Store.All.ShouldAllBe(incident => incident.LatestGate!.Outcome == GateOutcome.Approved && incident.LatestGate.Decisions[0].Person == "oncall");
        _host.Engine.Woken.Count.ShouldBe(Count);
    }

    [Fact]
    public async Task SomeTicks_DecideTheseAndLeaveTheOthers()
    {
        var tickets = await TicketsAsync();

        await PostAsync("reject", tickets.Take(10));

        _host.Store.All.Count(incident => incident.LatestGate!.Outcome == GateOutcome.Rejected).ShouldBe(10);
        _host.Store.All.Count(incident => incident.OpenGate is not null).ShouldBe(Count - 10);
        (await PageAsync()).ShouldContain($">{Count - 10} targets waiting for you</h1>");
    }

    [Fact]
    public async Task TargetThatSomebodyDecidedMeanwhile_IsSaidAndStaysDecided()
    {
        var tickets = await TicketsAsync();
        await _host.Browser.PostAsync($"/decide?token={_host.Token(_host.Store.All[3], "linus")}", WebHost.Form("reject"), Ct);

        var answer = await PostAsync("approve", tickets);

        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain($"You approved {Count - 1} of {Count} targets. Not counted for 1: linus rejected this at 03:12:00 UTC.");
        _host.Store.All[3].LatestGate!.Outcome.ShouldBe(GateOutcome.Rejected);
    }

    [Fact]
    public async Task NoTick_DecidesNothing()
    {
        var answer = await PostAsync("approve", []);

        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("No target was ticked, so nothing was decided.");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    [Fact]
    public async Task PlanThatChangedSinceItWasShown_IsNotApproved()
    {
        var tickets = await TicketsAsync();
        await _host.Store.UpdateAsync(_host.Store.All[0].Id, i => (i.Replace(i.OpenGate! with { Plan = new Plan("other", [Some.Step()]) }), true), Ct);

        var answer = await PostAsync("approve", tickets);

        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("The plan has changed since it was shown to you");
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
    }

    [Fact]
    public async Task SeveralRunbooks_EachHasItsOwnListAndButtons()
    {
        var other = Some.Runbook() with { Id = "disk-full", Title = "Disk full", Hash = "other" };
        await _host.OpenAsync(Some.Waiting("261123-0312-99999999") with { RunbookId = other.Id, RunbookHash = other.Hash, Target = "vm-1", Storm = StormId }, other);

        var page = await PageAsync();

        page.ShouldContain($"<h1 id=\"title\">{Count + 1} targets waiting for you</h1>");
        // By its id the script tells a form that has come from one that was there.
        FormIds().Matches(page).Select(form => form.Groups[1].Value).Distinct().Count().ShouldBe(2);
        page.ShouldContain("1 of 1</span></b>");
    }

    [Fact]
    public async Task TwoHundredTargets_FitOnAPhone()
    {
        await using var host = await OpenAsync(new WebHost(), 200);

        var page = await host.Browser.GetStringAsync(LinkOf(host, "oncall"), Ct);

        page.Length.ShouldBeLessThan(60_000);
        page.ShouldContain("200 targets waiting for you");
        page.ShouldContain("120 more wait. They come up as these are decided.");
    }

    [Fact]
    public async Task OneOfThem_OpensItsOwnPage()
    {
        var answer = await _host.Browser.GetAsync($"{_link}&one={_host.Store.All[3].Id}", Ct);
        answer.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        answer.Headers.Location!.ToString().ShouldStartWith("/decide?token=", Case.Sensitive, "traces hold paths");
        var page = WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(answer.Headers.Location!.ToString(), Ct));
        page.ShouldContain("inference/llm-b-3");
        _host.Logged.ShouldEach(line => !line.Contains(answer.Headers.Location!.ToString()));

        await _host.OpenAsync(Some.Waiting("261123-0312-99999999") with { Target = "elsewhere" });
        (await _host.Browser.GetAsync($"{_link}&one=261123-0312-99999999", Ct)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    /// <summary>A storm goes on for hours, and most of what came first is decided.</summary>
    [Fact]
    public async Task WhatWaitsAfterMoreThanAPageHolds_IsThere()
    {
        await using var host = new WebHost();
        await OpenAsync(host, StormMembers.MaxMembers + 23);
        foreach (var incident in host.Store.All.Take(StormMembers.MaxMembers + 20))
        {
            await host.Store.UpdateAsync(incident.Id, i => (i.Decide(i.OpenGate!.Id, new(DecisionVerb.Reject, "ada", "link", Some.Time)).Incident with { State = IncidentState.Rejected }, true), Ct);
        }

        var (listings, reads) = (host.Store.Listings.Count, host.Store.Reads);
        var page = await host.Browser.GetStringAsync(LinkOf(host, "oncall"), Ct);

        page.ShouldContain("3 targets waiting for you");
        Ticket().Count(page).ShouldBe(3);
        page.ShouldContain("No longer waiting (the latest)");
        (host.Store.Listings.Count - listings).ShouldBe(2, "once, by pages");
        (host.Store.Reads - reads).ShouldBeLessThan(130);
    }

    [Fact]
    public async Task SomebodyElsesQuestions_AreNotListed()
    {
        await using var other = await OpenAsync(new WebHost { Book = new([new("oncall", [new("ada", [new("test", "ada", "ada")])]), new("lead", [new("linus", [new("test", "linus", "linus")])])]) }, 3);
        await other.Store.UpdateAsync(other.Store.All[0].Id, i => (i.Replace(i.OpenGate! with { Approvers = ["lead"] }), true), Ct);

        var page = await other.Browser.GetStringAsync(LinkOf(other, "linus"), Ct);

        page.ShouldContain("1 target waiting for you");
        page.ShouldNotContain("llm-b-1<");
    }

    [Fact]
    public async Task LinkOfARoomWherePeopleAreCounted_SaysWhyAndOffersNoYes()
    {
        await using var other = await OpenAsync(new WebHost { Book = new([new("oncall", [new("ops-room", [new("test", "ops", "ops-room")]) { IsRoom = true }, new("ada", [new("test", "ada", "ada")])])]) }, 3);
        foreach (var incident in other.Store.All.ToList())
        {
            await other.Store.UpdateAsync(incident.Id, i => (i.Replace(i.OpenGate! with { Required = 2 }), true), Ct);
        }

        var page = WebUtility.HtmlDecode(await other.Browser.GetStringAsync(LinkOf(other, "ops-room"), Ct));

        page.ShouldContain("<p>This link was sent to ops-room and does not show who you are");
        page.ShouldNotContain("value=\"approve\"");
    }

    [Fact]
    public async Task WorkByHand_IsListedApartAndOutOfReachOfTheButtons()
    {
        var (id, before) = (_host.Store.All[5].Id, await TicketsAsync());
        await _host.Store.UpdateAsync(id, i => (i.Replace(i.OpenGate! with { Question = "Swap the card.", Task = new ManualTask("swap", "Swap the card.", []) }), true), Ct);

        var page = await PageAsync();
        page.ShouldContain($">{Count - 1} targets waiting for you</h1>");
        page.ShouldContain("<h2>To do by hand <span class=\"count\">1</span></h2>");
        page.ShouldContain($"<a href=\"{_link}&one={id}\">Say what became of it");
        (await TicketsAsync()).Count.ShouldBe(Count - 1);

        await PostAsync("approve", before);
        _host.Store.All.Count(incident => incident.LatestGate!.Outcome == GateOutcome.Approved).ShouldBe(Count - 1, "nobody has said of the card that it was swapped");
    }

    public async ValueTask InitializeAsync()
    {
        await OpenAsync(_host, Count);
        _link = LinkOf(_host, "oncall");
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static async Task<WebHost> OpenAsync(WebHost host, int count)
    {
        await host.InitializeAsync();
        for (var i = 0; i < count; i++)
        {
            await host.OpenAsync(Some.Waiting($"261123-0312-{i:00000000}") with { Target = $"inference/llm-b-{i}", OpenedAt = Some.Time.AddMilliseconds(i), Storm = StormId });
        }

        return host;
    }

    private static string LinkOf(WebHost host, string recipient) =>
        $"/decide?token={host.Get<LinkSigner>().SignStorm(new StormGrant(StormId, Some.Time.AddMinutes(-1), recipient, Some.Time.AddDays(1)))}";

    private async Task<string> TextAsync(WebHost host, IEnumerable<string> tickets) => await (await PostAsync("approve", tickets, host)).Content.ReadAsStringAsync(Ct);

    private async Task<string> PageAsync(WebHost? host = null) => WebUtility.HtmlDecode(await (host ?? _host).Browser.GetStringAsync(_link, Ct));

    private async Task<IReadOnlyList<string>> TicketsAsync(WebHost? host = null) =>
        [.. Ticket().Matches(await PageAsync(host)).Select(match => match.Groups[1].Value)];

    private async Task<HttpResponseMessage> PostAsync(string decision, IEnumerable<string> tickets, WebHost? host = null)
    {
        using var form = new FormUrlEncodedContent([new("decision", decision), new("reason", ""), .. tickets.Select(ticket => KeyValuePair.Create("ticket", ticket))]);
        return await (host ?? _host).Browser.PostAsync(_link, form, Ct);
    }

    [GeneratedRegex("<form method=\"post\" id=\"([^\"]+)\"")]
    private static partial Regex FormIds();

    [GeneratedRegex("name=\"ticket\" value=\"([^\"]+)\"")]
    private static partial Regex Ticket();
}
