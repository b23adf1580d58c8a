using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Digest;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Tests.Watchdog;
using TestKit;

namespace Runbooks.Tests.Digest;

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
        Lines(card.Card, "By runbook").ShouldBe([$"{Some.Runbook().Id}: 6 incidents: 5 resolved, 1 nothing to do; half of the resolved ones within 6m"]);
        Lines(card.Card, "Targets that come again").ShouldBe([$"llm-b-0: 5 times ({Some.Runbook().Id}). What is its cause?"]);
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
        foreach (var pod in new[] { "a", "b", "c", "d", "e" })
        {
            await EndedAsync(pod, IncidentState.Resolved, TimeSpan.FromMinutes(1), RunMode.DryRun);
        }

        await EndedAsync("f", IncidentState.Resolved, TimeSpan.FromMinutes(1));
        await PassAsync(TimeSpan.FromHours(5));

        var card = Cards.ShouldHaveSingleItem().Card;
        card.Title.ShouldBe("Last week: 6 incidents, 1 resolved");
        Lines(card, "In short").ShouldBe(["Resolved: 1 of 1 that had to be dealt with (100 %); the resolved one within 1m.", "5 dry runs: nothing was touched, so they do not count here."]);
        card.Sections.ShouldNotContain(section => section.Heading == "Suggestions");
    }

    [Theory]
    [InlineData(RunOutcome.Verified, true)]
    [InlineData(RunOutcome.Unverified, false)]
    [InlineData(RunOutcome.Recurred, false)]
    [InlineData(null, false)]
    public void RunbookThatEndedWellEachTime_MayHealByItselfOnlyIfItsChecksSaySo(RunOutcome? outcome, bool isReady)
    {
        var runbook = Some.Runbook() with
        {
            Diagnosis = [new CheckSpec("gpu-memory", "Is it full?", "prometheus.query", default, TimeSpan.FromSeconds(30))],
            Mitigation = new() { Approval = new() { Ask = "Recycle it?", From = ["on-call"], Timeout = TimeSpan.FromMinutes(15) } },
        };

        // Each was taken back when its cause was gone, whether or not a check showed that it had helped.
        List<IncidentSummary> week = [.. Enumerable.Range(0, 5).Select(at => IncidentSummary.Of(Some.Incident($"261122-{at:0000}-aaaaaaaa") with { State = IncidentState.Resolved, ClosedAt = Some.Time }) with { Headline = EndingText.TakenBack, MitigatedAt = Some.Time })];
        var history = new RunHistory { Runs = outcome is { } was ? [.. week.Select(one => new RecordedRun(one.Id, one.Target, was, Some.Time, Some.Time, TimeSpan.Zero))] : [] };

        var suggestions = DigestText.Of([runbook], week, new Dictionary<string, RunHistory> { [runbook.Id] = history }, new StepCatalog([], []))!.Sections.Where(section => section.Heading == "Suggestions").SelectMany(section => section.Lines);

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

    private async Task EndedAsync(string target, IncidentState state, TimeSpan took, RunMode mode = RunMode.Normal, IReadOnlyList<Finding>? findings = null, RunOutcome? outcome = null)
    {
        var opened = _world.Now - TimeSpan.FromHours(20) + TimeSpan.FromMinutes(_number);
        var ended = Some.Incident($"261122-{_number++:0000}-aaaaaaaa", target) with { Mode = mode, State = state, OpenedAt = opened, UpdatedAt = opened + took, ClosedAt = opened + took, Findings = findings ?? [] };
        await _world.OpenAsync(ended with { Reason = findings is null ? null : EndingText.Of(ended, "") });
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
