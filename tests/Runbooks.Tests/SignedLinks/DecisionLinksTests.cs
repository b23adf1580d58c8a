using Microsoft.Extensions.Options;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.SignedLinks;

public sealed class DecisionLinksTests
{
    /// <summary>Traces of requests hold the path of each: whoever may read them must not find a link there that decides.</summary>
    [Fact]
    public void Token_StandsInTheQueryAndNotInThePath()
    {
        var signer = new LinkSigner(Options.Create(ApprovalOffice.Keys("k1")));
        var links = new DecisionLinks(signer, Options.Create(new PublicAddressOptions { PublicUrl = "https://runbooks.example.com/" }));
        var incident = Some.Waiting();

        signer.TryRead(TokenIn(links.For(incident, incident.OpenGate!, "ada")), out var grant).ShouldBeTrue();
        signer.TryReadStorm(TokenIn(links.ForStorm("storm-1", Some.Time, Some.Time, "ada")), out var storm).ShouldBeTrue();

        (grant!.IncidentId, storm!.StormId).ShouldBe((incident.Id, "storm-1"));
    }

    private static string TokenIn(string link)
    {
        link.ShouldStartWith("https://runbooks.example.com/decide?token=");
        return link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..];
    }
}
