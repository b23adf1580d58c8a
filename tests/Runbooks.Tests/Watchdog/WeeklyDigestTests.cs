using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Watchdog;
using TestKit;

namespace Runbooks.Tests.Watchdog;

/// <summary>The week in one message, to whoever owns the runbooks. 23 November 2026 is a Monday.</summary>
public sealed class WeeklyDigestTests : IAsyncDisposable
{
    private readonly WatchdogWorld _world = new();
    private int _number;

    public WeeklyDigestTests() => (_world.Get<IOptions<DigestOptions>>().Value.On, _world.Get<IOptions<DigestOptions>>().Value.Hour) = (DayOfWeek.Monday, 7);

    [Fact]
    public async Task OnItsDay_TheOwnerIsToldOnceHowTheWeekWas()
    {
        for (var day = 0; day < 5; day++)
        {
            await EndedAsync("llm-b-0", IncidentState.Resolved, TimeSpan.FromMinutes(6));
        }

        await EndedAsync("llm-b-1", IncidentState.NotNeeded, TimeSpan.FromSeconds(5));
        await PassAsync(TimeSpan.FromHours(3.7));
        Cards.ShouldBeEmpty("it is not seven o'clock yet");

        await PassAsync(TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(1), TimeSpan.FromHours(30));

        var card = Cards.ShouldHaveSingleItem();
        card.To.ShouldBe("fallback", "nobody owns it");
        card.Card.Title.ShouldBe("Last week: 6 incidents, 5 resolved");
        Lines(card.Card, "In short").ShouldBe(["Resolved: 5 of 5 that had to be dealt with (100 %); half of the resolved ones within 6m."]);
        Lines(card.Card, "By runbook").ShouldBe([$"{Some.Runbook().Id}: 6 incidents: 5 resolved; 1 nothing to do; half of the resolved ones within 6m"]);
        Lines(card.Card, "Targets with several incidents").ShouldBe([$"llm-b-0: 5 incidents ({Some.Runbook().Id}). What is its cause?"]);
    }

    [Fact]
    public async Task WhatNobodyAnswers_IsSaid_AndIsNoCureThatDidNotHelp()
    {
        foreach (var pod in new[] { "a", "b", "c" })
        {
            await EndedAsync(pod, IncidentState.Expired, TimeSpan.FromMinutes(20));
        }

        await PassAsync(TimeSpan.FromHours(5));

        Lines(Cards.ShouldHaveSingleItem().Card, "Suggestions").ShouldHaveSingleItem().ShouldEndWith("ask somebody else, or escalate sooner.");
    }

    /// <summary>An incident that failed, was rejected or taken over says nothing about the cure: it may never have acted.</summary>
    [Theory]
    [InlineData(IncidentState.Failed, RunOutcome.Ineffective, true)]
    [InlineData(IncidentState.TakenOver, null, false)]
    [InlineData(IncidentState.Rejected, null, false)]
    [InlineData(IncidentState.Failed, null, false)]
    [InlineData(IncidentState.Failed, RunOutcome.Verified, false)]
    public async Task CureThatActedAndNeverHelped_IsAskedAbout(IncidentState state, RunOutcome? outcome, bool isAskedAbout)
    {
        foreach (var pod in new[] { "a", "b", "c" })
        {
            await EndedAsync(pod, state, TimeSpan.FromMinutes(20), outcome: outcome);
        }

        await PassAsync(TimeSpan.FromHours(5));

        var suggestions = Cards.ShouldHaveSingleItem().Card.Sections.Where(section => section.Heading == "Suggestions").SelectMany(section => section.Lines);
        suggestions.ShouldBe(isAskedAbout ? [$"{Some.Runbook().Id} acted in 3 incidents that can be judged, and helped in none: is it the right cure?"] : []);
    }

    /// <summary>Also of incidents that ended before an upgrade: what an older version has listed of them does not say it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ChecksThatSeeNothingTimeAndAgain_AreAskedAbout(bool isOlder)
    {
        _world.Store.AsListed = summary => isOlder ? summary with { SawNothing = null } : summary;
        foreach (var pod in new[] { "a", "b", "c" })
        {
            await EndedAsync(pod, IncidentState.NotNeeded, TimeSpan.FromMinutes(2), findings: [Some.Finding(verdict: Verdict.Passing)]);
        }

        await PassAsync(TimeSpan.FromHours(5));

        Lines(Cards.ShouldHaveSingleItem().Card, "Suggestions").ShouldHaveSingleItem()
            .ShouldBe($"{Some.Runbook().Id} saw nothing to do 3 times although its alert had fired: does the alert fire too early, or do the checks not see what it sees?");
    }

    [Fact]
    public async Task DryRunsAndWhatWasNotVerified_RecommendNothing()
    {
        for (var run = 0; run < 5; run++)
        {
            await EndedAsync("llm-b-0", IncidentState.Resolved, TimeSpan.FromMinutes(1), RunMode.DryRun);
        }

        await EndedAsync("llm-b-0", IncidentState.AwaitingApproval, TimeSpan.FromMinutes(1), RunMode.DryRun);
        await EndedAsync("f", IncidentState.Resolved, TimeSpan.FromMinutes(1), isFixed: false);
        await PassAsync(TimeSpan.FromHours(5));

        var card = Cards.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("Last week: 1 incident, 0 resolved");
        Lines(card, "In short").ShouldBe(["1 only told people; what came of it is not known here.", "6 dry runs: nothing was touched, so they do not count here."]);
        card.Sections.Select(section => section.Heading).ShouldBe(["In short", "By runbook"]);
    }

    [Fact]
    public async Task WhatOnlyTold_IsNeitherResolvedNorAmongThoseThatHadToBe()
    {
        await EndedAsync("a", IncidentState.Resolved, TimeSpan.FromMinutes(20));
        for (var day = 0; day < 2; day++)
        {
            await EndedAsync("certificate", IncidentState.Resolved, TimeSpan.FromSeconds(2), isFixed: false);
        }

        await PassAsync(TimeSpan.FromHours(5));

        var card = Cards.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("Last week: 3 incidents, 1 resolved");
        Lines(card, "In short").ShouldBe(["Resolved: 1 of 1 that had to be dealt with (100 %); the resolved one within 20m.", "2 only told people; what came of them is not known here."]);
        Lines(card, "By runbook").ShouldBe([$"{Some.Runbook().Id}: 3 incidents: 2 told, nothing changed; 1 resolved; the resolved one within 20m"]);
    }

    /// <summary>Whoever stops one has dealt with it, and a runbook that is stopped time and again is not ready to heal by itself.</summary>
    [Theory]
    [InlineData(IncidentState.Cancelled, "Resolved: 0 of 3 that had to be dealt with (0 %).")]
    [InlineData(IncidentState.SelfRecovered, "None of those that have ended had to be dealt with.")]
    [InlineData(IncidentState.AwaitingApproval, "3 are still open.")]
    public async Task WeekOfOneKind_IsSaidAsItWas(IncidentState state, string line)
    {
        foreach (var pod in new[] { "a", "b", "c" })
        {
            await EndedAsync(pod, state, TimeSpan.FromMinutes(1));
        }

        await PassAsync(TimeSpan.FromHours(5));

        Lines(Cards.ShouldHaveSingleItem().Card, "In short").ShouldBe([line]);
    }

    /// <summary>Somebody may have had to deal with it: nothing ran, and that says nothing about its checks.</summary>
    [Fact]
    public void WhatAWindowHeldBack_IsNotCalledNothingToDo()
    {
        var held = Some.Waiting().CloseGate("mitigation-1", GateOutcome.DiagnosedOnly, "A window.", Some.Time).End(IncidentState.NotNeeded, "A window.", Some.Time);

        var text = DigestText.Of([], [IncidentSummary.Of(held), IncidentSummary.Of(held)], new Dictionary<string, RunHistory>(), new StepCatalog([], []), isCut: false)!;

        text.Sections[0].Lines.ShouldBe(["2 were held back by a maintenance window or a limit: nothing was done about them."]);
        text.Sections[1].Lines.ShouldBe([$"{held.RunbookId}: 2 incidents: 2 held back, nothing changed"]);
    }

    [Fact]
    public void MoreThanIsCountedOrListed_IsSaid()
    {
        List<IncidentSummary> week = [.. Enumerable.Range(0, 12).SelectMany(runbook => Enumerable.Range(0, 3).Select(at => IncidentSummary.Of(Some.Incident(target: at == 0 ? "llm-b-0" : "LLM-B-0") with { RunbookId = $"r-{runbook:00}", State = IncidentState.Failed }) with { TargetKey = "llm-b-0" }))];

        var text = DigestText.Of([], week, new Dictionary<string, RunHistory>(), new StepCatalog([], []), isCut: true)!;

        text.Sections[0].Lines[^1].ShouldBe("There were more incidents than are counted here; the first days of the week lack some.");
        text.Sections.Skip(1).Select(section => (section.Heading, section.Lines.Count, section.Lines[^1])).ShouldBe([("By runbook", 11, "and 2 more"), ("Targets with several incidents", 11, "and 2 more")]);
        text.Sections[2].Lines[0].ShouldBe("llm-b-0: 3 incidents (r-00). What is its cause?", "however its name is written");
    }

    [Theory]
    [InlineData(RunOutcome.Verified, 0, true)]
    [InlineData(RunOutcome.Verified, 1, false)]
    [InlineData(RunOutcome.Unverified, 0, false)]
    [InlineData(RunOutcome.Recurred, 0, false)]
    [InlineData(null, 0, false)]
    public void RunbookThatEndedWellEachTime_MayHealByItselfOnlyIfItsChecksSaySo(RunOutcome? outcome, int stopped, bool isReady)
    {
        var runbook = Some.Runbook() with
        {
            Diagnosis = [new CheckSpec("gpu-memory", "Is it full?", "prometheus.query", default, TimeSpan.FromSeconds(30))],
            Mitigation = new() { Approval = new() { Ask = "Recycle it?", From = ["on-call"], Timeout = TimeSpan.FromMinutes(15) } },
        };

        // Each was taken back when its cause was gone, whether or not a check showed that it had helped.
        List<IncidentSummary> week = [.. Enumerable.Range(0, 5).Select(at => IncidentSummary.Of(Some.Incident($"261122-{at:0000}-aaaaaaaa") with { State = IncidentState.Resolved, ClosedAt = Some.Time }) with { Headline = EndingText.TakenBack, MitigatedAt = Some.Time })];
        week.AddRange(Enumerable.Range(0, stopped).Select(at => IncidentSummary.Of(Some.Incident($"261122-{at:0000}-stopped0") with { State = IncidentState.Cancelled })));
        var history = new RunHistory { Runs = outcome is { } was ? [.. week.Take(5).Select(one => new RecordedRun(one.Id, one.Target, was, Some.Time, Some.Time, TimeSpan.Zero))] : [] };

        var suggestions = DigestText.Of([runbook], week, new Dictionary<string, RunHistory> { [runbook.Id] = history }, new StepCatalog([], []), isCut: false)!.Sections.Where(section => section.Heading == "Suggestions").SelectMany(section => section.Lines);

        suggestions.Any(line => line.Contains("ready to heal by itself", StringComparison.Ordinal)).ShouldBe(isReady);
    }

    [Fact]
    public async Task ChannelThatIsDown_IsTriedAgainAndAQuietWeekIsNoMessage()
    {
        await EndedAsync("a", IncidentState.Resolved, TimeSpan.FromMinutes(1));
        _world.ChannelIsDown = true;
        await PassAsync(TimeSpan.FromHours(5));
        Cards.ShouldBeEmpty();

        _world.ChannelIsDown = false;
        await PassAsync(TimeSpan.FromMinutes(1));
        Cards.Count.ShouldBe(1);

        await PassAsync(TimeSpan.FromDays(7));
        Cards.Count.ShouldBe(1, "nothing happened in that week");
    }

    [Fact]
    public async Task NoDay_NoDigest()
    {
        _world.Get<IOptions<DigestOptions>>().Value.On = null;
        await EndedAsync("a", IncidentState.Resolved, TimeSpan.FromMinutes(1));

        await PassAsync(TimeSpan.FromDays(8));

        Cards.ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    private List<(string To, Runbooks.Notifications.Card Card)> Cards => [.. _world.Sent.Where(sent => sent.Card.Title.StartsWith("Last week", StringComparison.Ordinal))];

    private static IReadOnlyList<string> Lines(Runbooks.Notifications.Card card, string heading) => card.Sections.Single(section => section.Heading == heading).Lines;

    private async Task EndedAsync(string target, IncidentState state, TimeSpan took, RunMode mode = RunMode.Normal, IReadOnlyList<Finding>? findings = null, RunOutcome? outcome = null, bool isFixed = true)
    {
        var opened = _world.Now - TimeSpan.FromHours(20) + TimeSpan.FromMinutes(_number);
        var ended = Some.Incident($"261122-{_number++:0000}-aaaaaaaa", target) with { Mode = mode, State = state, OpenedAt = opened, UpdatedAt = opened + took, ClosedAt = opened + took, Findings = findings ?? [] };
        ended = state == IncidentState.Resolved && isFixed ? Some.Fixed(ended) : ended;
        await _world.OpenAsync(ended with { Reason = findings is null ? null : EndingText.Of(ended, "", inResolution: false) });
        if (outcome is { } was)
        {
            await _world.State.UpdateAsync<RunHistory, bool>(
                $"ledger:{ended.RunbookId}", known => ((known ?? new()) with { Runs = [.. known?.Runs ?? [], new(ended.Id, target, was, opened, opened + took, took)] }, true), CancellationToken.None);
        }
    }

    private async Task PassAsync(params TimeSpan[] times)
    {
        foreach (var time in times)
        {
            _world.Time.Advance(time);
            await _world.Get<IEnumerable<IWatchdogJob>>().OfType<WeeklyDigest>().Single().RunAsync(CancellationToken.None);
        }
    }
}
