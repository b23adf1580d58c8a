using System.Net;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Web.Pages;
using TestKit;

namespace Runbooks.Web.Tests.Console;

public sealed class StatisticsTests
{
    [Fact]
    public void EachDay_CountsWhatOpenedOnItByHowItEnded()
    {
        var model = StatisticsModel.Of(
        [
            Of(IncidentState.Resolved, Some.Time), Of(IncidentState.Expired, Some.Time), Of(IncidentState.Failed, Some.Time.AddDays(-1)),
            Of(IncidentState.Resolved, Some.Time, isFixed: false), Of(IncidentState.Resolved, Some.Time) with { IsDryRun = true }, Of(IncidentState.Holding, Some.Time.AddDays(-13)), Of(IncidentState.Resolved, Some.Time.AddDays(-14)),
        ], cut: false, Some.Time);

        model.Days.Count.ShouldBe(14);
        model.Days[^1].ByGroup.ShouldBe([1, 1, 0, 0, 1, 0]);
        model.Days[^2].ByGroup.ShouldBe([0, 0, 0, 0, 1, 0]);
        model.Days[0].ByGroup.ShouldBe([0, 0, 0, 0, 0, 1]);
        model.Days.Sum(day => day.Total).ShouldBe(5);
        model.Parts(model.Days[^1]).ShouldBe([(0, "104", "46"), (1, "58", "46"), (4, "12", "46")]);
    }

    [Fact]
    public void Times_AreMedianAndNineOfTenOfThoseThatCameThatFar()
    {
        var model = StatisticsModel.Of(
            [.. Enumerable.Range(1, 10).Select(minutes => Of(IncidentState.Resolved, Some.Time) with { ClosedAt = Some.Time.AddMinutes(minutes) }), Of(IncidentState.Failed, Some.Time), Of(IncidentState.Resolved, Some.Time, isFixed: false) with { ClosedAt = Some.Time.AddSeconds(2) }],
            cut: false, Some.Time);

        var resolve = model.Times.Single(time => time.What == "resolve");
        (resolve.Count, resolve.Median, resolve.Ninety).ShouldBe((10, TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(9)));
        model.Times.Single(time => time.What == "acknowledge").ShouldSatisfyAllConditions(time => time.Count.ShouldBe(0), time => time.Median.ShouldBeNull());
    }

    /// <summary>As the metric has it, which was told when it ended.</summary>
    [Fact]
    public void EndThatAPersonClosedLater_TookAsLongAsItTook()
    {
        var kept = Some.Fixed(Some.Incident()) with { ClosedAt = Some.Time.AddMinutes(55), Attention = new(Some.Time.AddMinutes(55), "It stays suspended.") };

        var model = StatisticsModel.Of([IncidentSummary.Of(kept.CloseByHand("ada", "reactivated it", Some.Time.AddHours(6)))], cut: false, Some.Time);

        model.Times.Single(time => time.What == "resolve").Median.ShouldBe(TimeSpan.FromMinutes(55));
    }

    [Fact]
    public async Task Page_IsCountedAtMostOnceAMinute()
    {
        await using var host = new WebHost();
        await host.InitializeAsync();
        await PageAsync(host);
        await host.OpenAsync(Some.Fixed(Some.Incident()) with { ClosedAt = Some.Time.AddMinutes(2) });

        (await PageAsync(host)).ShouldContain("Resolved <span class=\"count\">0</span>");
        host.Time.Advance(TimeSpan.FromMinutes(1));
        var page = await PageAsync(host);
        page.ShouldContain("Resolved <span class=\"count\">1</span>");
        page.ShouldContain("<td>2m</td>");
    }

    [Fact]
    public async Task ManyViewersAtOnce_AreCountedForOnce()
    {
        var release = new TaskCompletionSource();
        await using var host = new WebHost();
        await host.InitializeAsync();
        host.Store.BeforeListing = _ => release.Task;

        var pages = Enumerable.Range(0, 5).Select(_ => PageAsync(host)).ToList();
        await PageAsync(host, "/healthz");
        release.SetResult();
        await Task.WhenAll(pages);

        host.Store.Listings.Count.ShouldBe(1);
    }

    [Fact]
    public async Task CountingThatFailed_IsTriedAgain()
    {
        await using var host = new WebHost();
        await host.InitializeAsync();
        host.Store.Fault = () => new StoreUnavailableException("away");
        (await host.Browser.GetAsync("/statistics", TestContext.Current.CancellationToken)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        host.Store.Fault = null;

        (await PageAsync(host)).ShouldContain("Resolved");
    }

    private static Task<string> PageAsync(WebHost host, string address = "/statistics") => host.Browser.GetStringAsync(address, TestContext.Current.CancellationToken);

    private static IncidentSummary Of(IncidentState state, DateTimeOffset opened, bool isFixed = true) =>
        IncidentSummary.Of((state == IncidentState.Resolved && isFixed ? Some.Fixed(Some.Incident()) : Some.Incident()) with { State = state, OpenedAt = opened });
}
