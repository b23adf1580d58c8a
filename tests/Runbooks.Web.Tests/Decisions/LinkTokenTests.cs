using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Microsoft.Extensions.Options;
using Runbooks.Model.Incidents;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.People;

namespace Runbooks.Web.Tests.Decisions;

/// <summary>Whatever a token is that was not made for this question: refused, logged, and nothing is changed.</summary>
public sealed class LinkTokenTests : IAsyncLifetime
{
    private static readonly Gen<string> s_decision = Gen.Int[0, 2].Select(n => new[] { "approve", "reject", "takeOver" }[n]);
    private static readonly Incident s_incident = Some.Waiting();
    private readonly WebHost _host = new() { Settings = { ["LinkSigning:Keys:1:Id"] = "k0", ["LinkSigning:Keys:1:Secret"] = OldKey.Keys[0].Secret } };

    [Fact]
    public Task AnyFlippedBit_IsRefused()
    {
        var token = _host.Token(s_incident);
        return RefusedAsync(Gen.Int[0, (token.Length * 8) - 1].Select(bit =>
        {
            var bytes = Encoding.ASCII.GetBytes(token);
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            return Encoding.Latin1.GetString(bytes);
        }));
    }

    [Fact]
    public Task AnySwappedField_IsRefused()
    {
        // Valid links of another incident, gate, recipient, plan, expiry and key: fields of one under the signature of the other.
        var (mine, yours) = (_host.Token(s_incident).Split('.'), OldKeySigner.Sign(new("261123-0312-another0", "mitigation-2", "linus", "plan-2", Some.Time.AddYears(1))).Split('.'));
        var names = Fields(mine[0]).Select(field => field.Key).ToArray();
        return RefusedAsync(Gen.Select(Gen.Int[1, (1 << names.Length) - 1], Gen.Bool, (chosen, signature) =>
        {
            var (swapped, others) = (Fields(mine[0]), Fields(yours[0]));
            foreach (var name in names.Where((_, place) => (chosen & (1 << place)) != 0))
            {
                swapped[name] = others[name]!.DeepClone();
            }

            // All fields under their own signature would be the other link itself.
            var all = chosen == (1 << names.Length) - 1;
            return $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(swapped.ToJsonString()))}.{(signature && !all ? yours[1] : mine[1])}";
        }));
    }

    [Fact]
    public Task KeyThatWasTakenAway_IsRefused()
    {
        var gone = new LinkSigner(Options.Create(ApprovalOffice.Keys("gone")));
        return RefusedAsync(Gen.String[Gen.Char.AlphaNumeric, 1, 20].Select(recipient => gone.Sign(Grant with { Recipient = recipient })));
    }

    [Fact]
    public async Task KeyThatWasRotatedOut_StillDecidesUntilItIsTakenAway()
    {
        (await PostAsync(OldKeySigner.Sign(Grant), "approve")).StatusCode.ShouldBe(HttpStatusCode.OK);

        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Theory]
    [InlineData("another incident", HttpStatusCode.NotFound)]
    [InlineData("another gate", HttpStatusCode.NotFound)]
    [InlineData("an earlier plan", HttpStatusCode.Conflict)]
    [InlineData("an expired question", HttpStatusCode.Conflict)]
    public async Task LinkThatIsRightlySignedForSomethingElse_IsRefused(string what, HttpStatusCode status)
    {
        var grant = what switch
        {
            "another incident" => Grant with { IncidentId = "261123-0312-another0" },
            "another gate" => Grant with { GateId = "mitigation-2" },
            "an earlier plan" => Grant with { PlanHash = "plan-0" },
            _ => Grant,
        };
        if (what == "an expired question")
        {
            _host.Time.Advance(TimeSpan.FromMinutes(20));
        }

        var (before, writes) = (_host.Store.All[0], _host.Store.Writes);
        (await PostAsync(_host.Get<LinkSigner>().Sign(grant), "approve")).StatusCode.ShouldBe(status);

        _host.Store.All[0].ShouldBe(before);
        _host.Store.Writes.ShouldBe(writes);
        _host.Logged.ShouldContain(line => line.Contains("did not count") || line.StartsWith("A decision link was refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LinkWhoseOwnTimeIsOver_DecidesNothingAlthoughTheQuestionIsStillOpen()
    {
        await _host.Store.UpdateAsync(s_incident.Id, incident => (incident.Replace(incident.OpenGate! with { ExpiresAt = Some.Time.AddDays(3) }), true), Cancel);
        _host.Time.Advance(TimeSpan.FromDays(2));

        using var answer = await PostAsync(_host.Token(s_incident), "approve");

        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("Decide from the newest message");
        _host.Store.All[0].OpenGate!.Decisions.ShouldBeEmpty();
    }

    /// <summary>There is no newer message before the window ends.</summary>
    [Fact]
    public async Task LinkWhoseOwnTimeIsOverWhileAWindowHoldsTheQuestion_SaysWhenItIsAskedAgain()
    {
        await _host.Store.UpdateAsync(s_incident.Id, incident => (incident.Replace(incident.OpenGate! with { ExpiresAt = Some.Time.AddDays(3), HeldUntil = Some.Time.AddDays(2).AddHours(12) }), true), Cancel);
        _host.Time.Advance(TimeSpan.FromDays(2));

        using var answer = await PostAsync(_host.Token(s_incident), "reject");

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("Nothing can run until 15:12:00 UTC; then it is asked again, with a new link.");
        _host.Store.All[0].OpenGate!.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task LinkOfTheQuestionBefore_DecidesNothingAboutTheNextOne()
    {
        await PostAsync(_host.Token(s_incident), "approve");
        await _host.Store.UpdateAsync(s_incident.Id, incident => (incident.AddGate(Some.Gate(round: 2), Some.Time), true), Cancel);

        (await PostAsync(_host.Token(s_incident), "reject")).StatusCode.ShouldBe(HttpStatusCode.Conflict);

        _host.Store.All[0].OpenGate!.Decisions.ShouldBeEmpty();
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        await _host.OpenAsync(s_incident);
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static LinkSigningOptions OldKey { get; } = ApprovalOffice.Keys("k0");

    private static LinkSigner OldKeySigner => new(Options.Create(OldKey));

    private static LinkGrant Grant => new(s_incident.Id, s_incident.LatestGate!.Id, "oncall", s_incident.LatestGate.Plan.Hash, s_incident.LatestGate.ExpiresAt);

    private static JsonObject Fields(string payload) => JsonNode.Parse(Base64Url.DecodeFromChars(payload))!.AsObject();

    private async Task RefusedAsync(Gen<string> tokens)
    {
        var (before, writes) = (_host.Store.All[0], _host.Store.Writes);
        await Gen.Select(tokens, s_decision).SampleAsync(
            async (token, decision) =>
            {
                using var answer = await PostAsync(token, decision);
                answer.StatusCode.ShouldBe(HttpStatusCode.NotFound, token);
            },
            iter: 300);

        _host.Store.All[0].ShouldBe(before);
        _host.Store.Writes.ShouldBe(writes);
        _host.Engine.Woken.ShouldBeEmpty();
        _host.Logged.Count(line => line.StartsWith("A decision link was refused", StringComparison.Ordinal)).ShouldBeGreaterThanOrEqualTo(300);
    }

    private async Task<HttpResponseMessage> PostAsync(string token, string decision)
    {
        using var form = WebHost.Form(decision);
        return await _host.Browser.PostAsync($"/decide?token={Uri.EscapeDataString(token)}", form, Cancel);
    }
}
