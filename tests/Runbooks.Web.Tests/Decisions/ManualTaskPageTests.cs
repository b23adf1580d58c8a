using System.Net;
using System.Net.Http.Json;
using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using TestKit;
using static Runbooks.Web.Tests.WebHost;

namespace Runbooks.Web.Tests.Decisions;

/// <summary>What a person is asked to do by hand: ticked and answered on the link's page, on the incident's page and over the API, by name.</summary>
public sealed class ManualTaskPageTests : IAsyncLifetime
{
    private static readonly Recipient s_room = new("ops-room", [new("test", "ops", "ops-room")]) { IsRoom = true, Members = ["ada"] };

    private readonly WebHost _host = new()
    {
        Book = new ContactBook([new("oncall", [Person("ada"), s_room]), new(ContactBook.Fallback, [Person("grace")])]),
    };

    private string _id = "";

    [Fact]
    public async Task LinkOfAPerson_TicksUnderTheirNameAndIsDoneWithTheLastItem()
    {
        var link = $"/decide?token={_host.Token(Incident, "ada")}";
        var page = await _host.Browser.GetStringAsync(link, Cancel);
        page.ShouldContain("Done so far: 0 of 2");
        page.ShouldNotContain("name=\"by\"");
        page.ShouldNotContain("value=\"approve\"");

        (await PostAsync(link, ("decision", "done"))).StatusCode.ShouldBe(HttpStatusCode.Conflict);
        var ticked = await PostAsync(link, ("decision", "done"), ("item", "2"));
        (await TextAsync(ticked)).ShouldContain("It is on record. 1 item left: The power is off.");
        (await TextAsync(ticked)).ShouldContain("Done so far: 1 of 2");
        Task.Items.Select(item => item.DoneBy).ShouldBe([null, "ada"]);

        (await TextAsync(await PostAsync(link, ("decision", "done"), ("item", "1")))).ShouldContain("You did this at 03:12:00 UTC.");
        Incident.LatestGate!.Outcome.ShouldBe(GateOutcome.Approved);
        (await _host.Browser.GetStringAsync(link, Cancel)).ShouldContain("ada did this at 03:12:00 UTC.");
    }

    [Fact]
    public async Task LinkOfARoom_CountsUnderTheNameOfAMemberAndUnderNoOther()
    {
        var link = $"/decide?token={_host.Token(Incident, "ops-room")}";
        (await _host.Browser.GetStringAsync(link, Cancel)).ShouldContain("name=\"by\"");

        (await PostAsync(link, ("decision", "done"), ("item", "1"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await PostAsync(link, ("decision", "done"), ("item", "1"), ("by", "grace"))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        Task.IsBegun.ShouldBeFalse();
        (await PostAsync(link, ("decision", "done"), ("item", "1"), ("by", "ada"))).StatusCode.ShouldBe(HttpStatusCode.OK);
        Task.Items[0].DoneBy.ShouldBe("ada");

        // A person's own link takes no other name.
        await PostAsync($"/decide?token={_host.Token(Incident, "ada")}", ("decision", "done"), ("item", "2"), ("by", "mallory"));
        Task.Items[1].DoneBy.ShouldBe("ada");
    }

    [Fact]
    public async Task CouldNot_NeedsAReasonOnThePageAndInTheApi()
    {
        var refused = await PostAsync($"/incidents/{_id}/decision", ("gate", "mitigation-swap"), ("plan", "plan-1"), ("decision", "couldNot"), ("by", "ada"));
        refused.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await TextAsync(refused)).ShouldContain("Say why it could not be done. Nothing was recorded.");
        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{_id}/decision", new { decision = "done", by = "ada", items = new[] { 7 } }, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await WebHost.JsonOf(answer)).GetProperty("status").GetString().ShouldBe("incomplete");
        Incident.OpenGate!.Decisions.ShouldBeEmpty();

        (await _host.Api.PostAsJsonAsync($"/api/incidents/{_id}/decision", new { decision = "couldNot", by = "ada", reason = "no spare card" }, Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _host.Browser.GetStringAsync($"/incidents/{_id}", Cancel)).ShouldContain("ada could not do this at 03:12:00 UTC.");
    }

    [Fact]
    public async Task FormSentTwice_IsNoRefusalAndAnotherAnswerOfTheSamePersonIs()
    {
        (string, string)[] form = [("gate", "mitigation-swap"), ("plan", "plan-1"), ("decision", "done"), ("by", "ada")];
        foreach (var _ in new[] { 1, 2 })
        {
            (await PostAsync($"/incidents/{_id}/decision", [.. form, ("item", "1")])).StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        }

        Incident.OpenGate!.Decisions.ShouldHaveSingleItem();
        var nothing = await PostAsync($"/incidents/{_id}/decision", form);
        nothing.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await TextAsync(nothing)).ShouldContain("Say which items are done: 1 item of 2 is left. Nothing was recorded.");

        await PostAsync($"/decide?token={_host.Token(Incident, "ada")}", ("decision", "couldNot"), ("reason", "no spare card"));
        (await PostAsync($"/incidents/{_id}/decision", [.. form, ("item", "2")])).StatusCode.ShouldBe(HttpStatusCode.Conflict, "it was not ticked any more");
    }

    [Fact]
    public async Task WordsOfWorkByHand_DecideNoOtherQuestion()
    {
        var asks = await _host.OpenAsync(Some.Waiting("261123-0313-00000000d") with { Target = "d" });
        foreach (var word in new[] { "done", "couldNot" })
        {
            var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{asks}/decision", new { decision = word, by = "ada", reason = "meant for another" }, Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.Conflict);
            (await WebHost.JsonOf(answer)).GetProperty("status").GetString().ShouldBe("incomplete");
        }

        _host.Store.All.Single(incident => incident.Id == asks).OpenGate!.Decisions.ShouldBeEmpty();
    }

    [Fact]
    public async Task WhatIsTickedWithACouldNot_IsDone()
    {
        (await PostAsync($"/decide?token={_host.Token(Incident, "ada")}", ("decision", "couldNot"), ("item", "1"), ("reason", "no spare card"))).StatusCode.ShouldBe(HttpStatusCode.OK);

        Incident.LatestGate!.Outcome.ShouldBe(GateOutcome.Rejected);
        Task.Items.Select(item => item.DoneBy).ShouldBe(["ada", null]);
    }

    /// <summary>The automation takes back the rest all the same, so nobody would own it.</summary>
    [Fact]
    public async Task WhatIsToBeTakenBack_IsNotOfferedToBeTakenOver()
    {
        var gate = Some.Gate() with { Id = "undo-mitigation-swap", Task = new ManualTask("swap", "Take the card out.", []) { Undoes = true } };
        var id = await _host.OpenAsync(Some.Waiting("261123-0313-00000000d", gate) with { Target = "d" });

        var page = await _host.Browser.GetStringAsync($"/incidents/{id}", Cancel);

        page.ShouldContain("Could not");
        page.ShouldNotContain("value=\"takeOver\"");
        var answer = await _host.Api.PostAsJsonAsync($"/api/incidents/{id}/decision", new { decision = "takeOver", by = "ada" }, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("takes back the rest all the same");
        (await _host.Browser.GetStringAsync($"/incidents/{_id}", Cancel)).ShouldContain("value=\"takeOver\"");
    }

    public async ValueTask InitializeAsync()
    {
        await _host.InitializeAsync();
        _id = await _host.OpenAsync(Some.Waiting(gate: Some.Gate() with
        {
            Id = "mitigation-swap",
            Question = "Swap the card.",
            Task = new ManualTask("swap", "Swap the card.", [new("The power is off"), new("The card answers")]),
        }));
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private Incident Incident => _host.Store.All[0];

    private ManualTask Task => Incident.LatestGate!.Task!;

    private static Recipient Person(string name) => new(name, [new("test", name, name)]);

    private Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) =>
        _host.Browser.PostAsync(path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), Cancel);
}
