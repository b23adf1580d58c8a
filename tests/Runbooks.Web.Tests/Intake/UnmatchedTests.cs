using System.Net;
using System.Net.Http.Json;
using Runbooks.Intake;
using Runbooks.Model.Storage;

namespace Runbooks.Web.Tests.Intake;

/// <summary>Whoever wonders why an alert opened nothing finds it, with the reason.</summary>
public sealed class UnmatchedTests : IAsyncLifetime
{
    private readonly WebHost _host = new();

    public ValueTask InitializeAsync() => _host.InitializeAsync();

    [Fact]
    public async Task AlertWithoutARunbook_IsListedWithTheReasonAndHowOften()
    {
        await PostAsync("DiskFull");
        _host.Time.Advance(TimeSpan.FromMinutes(5));
        await PostAsync("DiskFull");
        await PostAsync("<b>Rain</b>");
        await PostAsync("HighLatency_B");
        await PostAsync("Sun", "resolved");

        var page = await _host.Browser.GetStringAsync("/unmatched", Cancel);

        page.ShouldContain("No runbook is triggered by &#x27;DiskFull&#x27; from generic.");
        page.ShouldContain("from generic, 2&#xD7;, last");
        page.ShouldContain("pod=llm-b-0");
        page.ShouldContain("&lt;b&gt;Rain&lt;/b&gt;");
        page.IndexOf("Rain", StringComparison.Ordinal).ShouldBeLessThan(page.IndexOf("DiskFull", StringComparison.Ordinal));
        page.ShouldNotContain("HighLatency_B");
        page.ShouldNotContain("Sun");
        (await _host.Browser.GetStringAsync("/", Cancel)).ShouldContain("href=\"/unmatched\"");
    }

    [Fact]
    public async Task NothingUnmatched_IsSaid() =>
        (await _host.Browser.GetStringAsync("/unmatched", Cancel)).ShouldContain("No unmatched alerts on record");

    [Fact]
    public async Task ManyAtOnce_AreAllCountedAndOnlyTheLatestKindsStay()
    {
        await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => PostAsync("DiskFull")));
        (await _host.Get<UnmatchedAlerts>().ReadAsync(Cancel)).ShouldHaveSingleItem().Count.ShouldBe(40);

        for (var i = 0; i < UnmatchedAlerts.MaxLines + 5; i++)
        {
            await PostAsync($"Kind{i}");
        }

        var kept = await _host.Get<UnmatchedAlerts>().ReadAsync(Cancel);
        kept.Count.ShouldBe(UnmatchedAlerts.MaxLines);
        kept[0].Name.ShouldBe($"Kind{UnmatchedAlerts.MaxLines + 4}");
    }

    [Fact]
    public async Task WhatCannotBeKept_CostsNoSenderItsAnswer()
    {
        _host.State.Fault = () => new StoreUnavailableException("away");

        (await PostAsync("DiskFull")).StatusCode.ShouldBe(HttpStatusCode.Accepted);

        _host.State.Fault = null;
        (await _host.Get<UnmatchedAlerts>().ReadAsync(Cancel)).ShouldBeEmpty();
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Task<HttpResponseMessage> PostAsync(string name, string status = "firing") =>
        _host.Api.PostAsJsonAsync("/api/alerts/generic", new { name, status, labels = new { @namespace = "inference", pod = "llm-b-0" } }, Cancel);
}
