using System.Net;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;

namespace Runbooks.Web.Tests.Incidents;

public sealed partial class IncidentsTests
{
    [Fact]
    public async Task Decision_CountsOnceAndTheSecondIsToldWho()
    {
        var first = await DecideAsync(Id, new { gate = "mitigation-1", decision = "approve", by = "ada", reason = "seen it" });
        var second = await DecideAsync(Id, new { decision = "takeOver", by = "grace" });

        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        second.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var told = await WebHost.JsonOf(second);
        told.GetProperty("decidedBy")[0].GetString().ShouldBe("ada");
        told.GetProperty("message").GetString().ShouldBe("ada approved this at 03:12:00 UTC.");
        _host.Engine.Woken.Count.ShouldBe(1);
    }

    [Fact]
    public async Task SameDecisionSentAgain_IsASuccessAndSaysThatItCountedBefore()
    {
        var body = new { decision = "approve", by = "ada", reason = "seen it" };
        await DecideAsync(Id, body);

        var again = await DecideAsync(Id, body);

        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        var told = await WebHost.JsonOf(again);
        told.GetProperty("status").GetString().ShouldBe("alreadyClosed");
        told.GetProperty("message").GetString().ShouldBe("ada approved this at 03:12:00 UTC.");
        _host.Store.All[0].LatestGate!.Decisions.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task ApprovalThatAnothersNoHasOvertaken_IsNoSuccessWhenItIsSentAgain()
    {
        await _host.Store.UpdateAsync(Id, i => i.Replace(i.OpenGate! with { Required = 2 }), Ct);
        await DecideAsync(Id, new { decision = "approve", by = "ada" });
        (await DecideAsync(Id, new { decision = "approve", by = "ada" })).StatusCode.ShouldBe(HttpStatusCode.OK, "hers counts, and one more is needed");
        await DecideAsync(Id, new { decision = "reject", by = "grace" });

        (await DecideAsync(Id, new { decision = "approve", by = "ada" })).StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    /// <summary>The first answer was recorded and its own answer lost; by the time that it is sent again the plan has changed, and nobody has seen the new one.</summary>
    [Fact]
    public async Task DecisionSentAgainWhileTheNextQuestionIsOpen_AnswersNothing()
    {
        var body = new { decision = "approve", by = "ada", reason = "seen it" };
        await DecideAsync(Id, body);
        await _host.Store.UpdateAsync(Id, i => i.AddGate(Some.Gate(2) with { Difference = "The pod is another one." }, Some.Time), Ct);

        var again = await DecideAsync(Id, body);

        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var told = await WebHost.JsonOf(again);
        told.GetProperty("status").GetString().ShouldBe("incomplete");
        told.GetProperty("message").GetString()!.ShouldContain("look at 'mitigation-2', and name it as 'gate'");
        told.GetProperty("gate").GetProperty("id").GetString().ShouldBe("mitigation-2");
        _host.Store.All[0].OpenGate!.Decisions.ShouldBeEmpty();

        (await DecideAsync(Id, new { gate = "mitigation-1", body.decision, body.by, body.reason })).StatusCode.ShouldBe(HttpStatusCode.OK, "it counted");
        (await DecideAsync(Id, new { gate = "mitigation-2", body.decision, body.by, body.reason })).StatusCode.ShouldBe(HttpStatusCode.OK);
        _host.Store.All[0].LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
    }

    [Fact]
    public async Task AnotherPersonWhoNamesNoQuestion_AnswersTheOpenOne()
    {
        await DecideAsync(Id, new { decision = "approve", by = "ada" });
        await _host.Store.UpdateAsync(Id, i => i.AddGate(Some.Gate(2), Some.Time), Ct);

        (await DecideAsync(Id, new { decision = "approve", by = "grace" })).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task DoneAfterAnApproval_IsNoApprovalSentAgain()
    {
        await DecideAsync(Id, new { decision = "approve", by = "ada" });
        await _host.Store.UpdateAsync(Id, i => i.AddGate(Some.Gate() with { Id = "mitigation-swap", Task = new ManualTask("swap", "Swap the card.", []) }, Some.Time), Ct);

        (await DecideAsync(Id, new { decision = "done", by = "ada" })).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("""{"decision":"maybe","by":"ada"}""", "approve, reject or takeOver")]
    [InlineData("""{"decision":"approve"}""", "$.by")]
    [InlineData("""{"decision":7,"by":"ada"}""", "$.decision")]
    [InlineData("not json", "Send JSON")]
    public async Task UnclearDecision_IsRefused(string body, string said)
    {
        using var content = new StringContent(body);
        var answer = await _host.Api.PostAsync($"/api/incidents/{Id}/decision", content, Ct);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync(Ct)).ShouldContain(said);
        _host.Store.All[0].OpenGate.ShouldNotBeNull();
    }
}
