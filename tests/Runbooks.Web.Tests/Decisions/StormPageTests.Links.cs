using System.Net;
using Runbooks.SignedLinks;
using TestKit;

namespace Runbooks.Web.Tests.Decisions;

/// <content>What a link and a ticket are good for.</content>
public sealed partial class StormPageTests
{
    [Fact]
    public async Task TicketOfAnotherRecipientOrForged_IsRefused()
    {
        var tickets = await TicketsAsync();
        string[] bad = [_host.Token(_host.Store.All[0], "linus"), tickets[1][..^2] + "AA", "nonsense", _link[(_link.LastIndexOf('=') + 1)..]];

        var answer = await PostAsync("approve", bad);

        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain("Your answer counts for none of 4 targets. Not counted for 4: A line was changed on its way.");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    [Fact]
    public async Task LinksOnThePage_OpenItAgainAndHoldNoTokenInTheirPath()
    {
        foreach (var page in new[] { await PageAsync(), WebUtility.HtmlDecode(await _host.Browser.GetStringAsync(_link.Replace("?token=", "/", StringComparison.Ordinal), Ct)) })
        {
            page.ShouldContain($"<a href=\"{_link}&tick=none\">");
            page.ShouldContain($"<a href=\"{_link}&one={_host.Store.All[3].Id}\">");
            page.ShouldNotContain("href=\"?");
        }
    }

    [Fact]
    public async Task LinkOfAnEarlierStorm_ShowsAndDecidesNothingOfALaterOne()
    {
        var later = Some.Waiting("261123-0412-99999999") with { Target = "inference/later", Storm = "storm-261123-041100-000" };
        await _host.OpenAsync(later);
        var ticket = _host.Get<LinkSigner>().Sign(new LinkGrant(later.Id, later.OpenGate!.Id, "oncall", later.OpenGate.Plan.Hash, later.OpenGate.ExpiresAt));

        (await PageAsync()).ShouldNotContain("inference/later");
        (await (await PostAsync("approve", [ticket])).Content.ReadAsStringAsync(Ct)).ShouldContain("Your answer counts for none of 1 target.");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    [Fact]
    public async Task TicketThatHasExpired_DecidesNothingAndIsNotCalledForged()
    {
        var one = _host.Store.All[0];
        var ticket = _host.Get<LinkSigner>().Sign(new LinkGrant(one.Id, one.OpenGate!.Id, "oncall", one.OpenGate.Plan.Hash, _host.Time.GetUtcNow()));

        (await (await PostAsync("approve", [ticket])).Content.ReadAsStringAsync(Ct)).ShouldContain(
            "Your answer counts for none of 1 target. Not counted for 1: Its link has expired. This question is still open. Decide from the newest message.");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    [Fact]
    public async Task LinkThatHasExpired_DecidesNothing()
    {
        var token = _host.Get<LinkSigner>().SignStorm(new StormGrant(StormId, Some.Time.AddMinutes(-1), "oncall", Some.Time));
        var tickets = await TicketsAsync();
        _link = $"/decide?token={token}";

        (await (await PostAsync("approve", tickets)).Content.ReadAsStringAsync(Ct)).ShouldContain("This link has expired");
        _host.Store.All.ShouldAllBe(incident => incident.OpenGate != null);
    }

    [Fact]
    public async Task StormLink_OpensNoSingleQuestionAndIsBoundInTime()
    {
        var token = _link[(_link.LastIndexOf('=') + 1)..];
        _host.Get<LinkSigner>().TryRead(token, out _).ShouldBeFalse();
        _host.Get<LinkSigner>().TryReadStorm(_host.Token(_host.Store.All[0]), out _).ShouldBeFalse();

        _host.Time.Advance(TimeSpan.FromDays(3));

        (await PageAsync()).ShouldContain("This link has expired");
    }
}
