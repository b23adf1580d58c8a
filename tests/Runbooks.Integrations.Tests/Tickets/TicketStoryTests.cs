using System.Text.Json;
using Runbooks.Approvals;
using Runbooks.Execution;
using Runbooks.Integrations.Tests.Shipped;
using Runbooks.Integrations.Tickets;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit.Incidents;

namespace Runbooks.Integrations.Tests.Tickets;

/// <summary>A ticket over the whole of an incident: what happens to it at each end.</summary>
public sealed class TicketStoryTests
{
    [Theory]
    [InlineData("close", true, "Closed the ticket INC0010001.", "6")]
    [InlineData("comment", true, "Wrote on the ticket INC0010001 how this ended.", "1")]
    [InlineData("close", false, "Wrote on the ticket INC0010001 how this ended.", "1")]
    [InlineData("nothing", true, null, "1")]
    public async Task End_IsToldToTheTicketAsTheRunbookSays(string atEnd, bool helps, string? said, string state)
    {
        await using var world = await SandboxWorld.StartAsync();
        var ended = await EndAsync(world, atEnd, helps);

        ended.State.ShouldBe(helps ? IncidentState.Resolved : IncidentState.Failed);
        var ticket = (await TicketsAsync(world)).ShouldHaveSingleItem();
        ticket.GetProperty("state").GetString().ShouldBe(state);
        ticket.GetRawText().Split($"runbooks:{ended.Id}:end").Length.ShouldBe(said is null ? 1 : said.StartsWith("Closed", StringComparison.Ordinal) ? 3 : 2, "the work note, and where it is closed the close notes");
        ended.Timeline.Select(line => line.What).Where(line => line.Contains("INC0010001", StringComparison.Ordinal) && !line.StartsWith("ticket:", StringComparison.Ordinal)).ShouldBe(said is null ? [] : [said]);
    }

    /// <summary>Whatever it told of is still to be done.</summary>
    [Fact]
    public async Task RunbookThatOnlyTells_LeavesItsTicketOpen()
    {
        await using var world = await SandboxWorld.StartAsync();
        var runbook = WithTicket("close", helps: true);
        var opened = await world.OpenAsync(runbook with { Mitigation = runbook.Mitigation with { Steps = [.. runbook.Mitigation.Steps.Take(1)] } });
        await world.ApproveAsync(opened.Id);
        var ended = await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        EndingText.Headline(ended).ShouldBe("Told, nothing changed");
        (await TicketsAsync(world)).ShouldHaveSingleItem().GetProperty("state").GetString().ShouldBe("1");
        ended.Timeline.ShouldContain(line => line.What == "Wrote on the ticket INC0010001 how this ended.");
    }

    /// <summary>What was left to a person is done when they say so.</summary>
    [Theory]
    [InlineData("close", "Closed the ticket INC0010001.", "6")]
    [InlineData("comment", "Wrote on the ticket INC0010001 that this is closed.", "1")]
    [InlineData("nothing", null, "1")]
    public async Task IncidentThatIsClosedByHand_IsToldToTheTicketToo(string atEnd, string? said, string state)
    {
        await using var world = await SandboxWorld.StartAsync();
        var ended = await EndAsync(world, atEnd, helps: false);

        await world.Get<IncidentVerbService>().CloseAsync(ended.Id, "ada", "Restarted it by hand.", TestContext.Current.CancellationToken);

        var closed = await world.Get<IIncidentStore>().GetAsync(ended.Id, TestContext.Current.CancellationToken);
        var ticket = (await TicketsAsync(world)).ShouldHaveSingleItem();
        ticket.GetProperty("state").GetString().ShouldBe(state);
        ticket.GetRawText().Contains("Closed by ada: Restarted it by hand.", StringComparison.Ordinal).ShouldBe(said is not null);
        closed.Timeline.Skip(ended.Timeline.Count).Select(line => line.What).Where(line => line.Contains("INC0010001", StringComparison.Ordinal)).ShouldBe(said is null ? [] : [said]);
    }

    /// <summary>The next incident has a ticket of its own, and nobody comes back to this one.</summary>
    [Theory]
    [InlineData("close", "Closed the ticket INC0010001.", "6")]
    [InlineData("comment", "Wrote on the ticket INC0010001 that this is tried again.", "1")]
    public async Task IncidentThatIsTriedAgain_IsToldToTheTicketToo(string atEnd, string said, string state)
    {
        await using var world = await SandboxWorld.StartAsync();
        var ended = await EndAsync(world, atEnd, helps: false);
        var store = world.Get<IIncidentStore>();
        var retried = await store.UpdateAsync(ended.Id, i => i.NoteRetried("next", "ada", "The node is back.", ended.UpdatedAt), TestContext.Current.CancellationToken);

        await world.Get<IncidentVerbService>().ShowAcknowledgedAsync(retried, TestContext.Current.CancellationToken);

        var ticket = (await TicketsAsync(world)).ShouldHaveSingleItem();
        ticket.GetProperty("state").GetString().ShouldBe(state);
        ticket.GetRawText().ShouldContain("Tried again as incident next: ");
        (await store.GetAsync(ended.Id, TestContext.Current.CancellationToken)).Timeline[^1].What.ShouldBe(said);
    }

    /// <summary>By the ticket the next team works: it must not say for ever that nobody knows.</summary>
    [Fact]
    public async Task WhatBecomesKnownAfterTheEnd_IsToldToTheTicketOnce()
    {
        await using var world = await SandboxWorld.StartAsync();
        var ended = await EndAsync(world, "comment", helps: false);
        var lost = ended.FindStep(Phase.Mitigation, "fix")! with { Status = StepStatus.Unknown, CutOff = true };
        var known = (ended with { Steps = [.. ended.Steps.Where(step => step.Name != "fix"), lost] }).FinishStep(lost, StepStatus.Done, new("Turned the key."), ended.UpdatedAt.AddMinutes(5));

        await world.Get<EndHooks>().RunAsync(known, TestContext.Current.CancellationToken);
        await world.Get<EndHooks>().RunAsync(known, TestContext.Current.CancellationToken);

        (await TicketsAsync(world)).ShouldHaveSingleItem().GetRawText().Split("fix is known now: Turned the key.").Length.ShouldBe(2);
        (await world.Get<IIncidentStore>().GetAsync(ended.Id, TestContext.Current.CancellationToken)).Timeline[^1].What.ShouldBe("Wrote on the ticket INC0010001 how this ended, and what is known since.");
    }

    /// <summary>The answer to the last attempt came too late: the ticket is there, and no step knows its number.</summary>
    [Theory]
    [InlineData("comment", "Wrote on the ticket INC0010001 how this ended.")]
    [InlineData("nothing", null)]
    public async Task TicketOfWhichNobodyHeard_IsFoundAtTheEnd(string atEnd, string? said)
    {
        await using var world = await SandboxWorld.StartAsync();
        var opened = await world.OpenAsync(WithTicket(atEnd, helps: true));
        await world.Get<TicketClient>().Open("servicenow").CreateAsync(new(opened.Id, "A ticket", "What happened.", null), TestContext.Current.CancellationToken);
        await world.FaultAsync("servicenow", "500", on: "GET ", count: StepRetry.Default.Attempts);
        await world.ApproveAsync(opened.Id);
        var ended = await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.FindStep(Phase.Mitigation, "ticket")!.Outputs.ShouldBeEmpty();
        ended.Timeline.Select(line => line.What).Where(line => line.Contains("INC0010001", StringComparison.Ordinal)).ShouldBe(said is null ? [] : [said]);
    }

    /// <summary>The incident is over all the same, and says that the ticket does not know.</summary>
    [Fact]
    public async Task SystemThatIsAwayAtTheEnd_IsOnRecord()
    {
        await using var world = await SandboxWorld.StartAsync();
        var opened = await world.OpenAsync(WithTicket("close", helps: true));
        await world.FaultAsync("servicenow", "500", on: "GET ", count: 50, skip: 1);
        await world.ApproveAsync(opened.Id);
        var ended = await world.AdvanceAsync(opened.Id, TimeSpan.FromMinutes(30));

        ended.State.ShouldBe(IncidentState.Resolved);
        ended.Timeline[^1].What.ShouldStartWith("The ticket INC0010001 may not have been told how this ended: The ticket system 'servicenow' answered 500");
    }

    /// <summary>A search does not see a ticket of a moment ago: whatever comes after it was opened goes by its id.</summary>
    [Theory]
    [InlineData("servicenow", "GET ", "sysparm_query")]
    [InlineData("jira", "POST ", "search/jql")]
    [InlineData("azuredevops", "POST ", "wiql")]
    public async Task TicketThatNoSearchSeesYet_IsWrittenOnAndToldTheEnd(string system, string method, string search)
    {
        await using var world = await SandboxWorld.StartAsync();
        var runbook = WithTicket("comment", helps: true, system);
        var update = Given.Step("note", "ticket.update", JsonSerializer.SerializeToElement(new { system, text = "It is looked at." }));
        runbook = runbook with { Mitigation = runbook.Mitigation with { Steps = [.. runbook.Mitigation.Steps, update, runbook.Mitigation.Steps[0] with { Name = "again" }] } };
        var opened = await world.OpenAsync(runbook);
        await world.ApproveAsync(opened.Id);
        var ended = await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Resolved);
        var requests = (await world.GetAsync("/_sandbox/state")).GetProperty("requests").EnumerateArray().Select(request => request.ToString()).ToList();
        requests.Count(request => request.Contains(method, StringComparison.Ordinal) && request.Contains(search, StringComparison.Ordinal)).ShouldBe(1, "before it was opened");
        ended.Timeline[^1].What.ShouldEndWith(" how this ended.");
    }

    /// <summary>Its ticket was opened, and then a window began: what is wrong is still wrong.</summary>
    [Fact]
    public async Task IncidentThatAWindowHeldBack_LeavesItsTicketOpen()
    {
        await using var world = await SandboxWorld.StartAsync();
        var opened = await world.OpenAsync(WithTicket("close", helps: false));
        var ticket = await world.Get<TicketClient>().Open("servicenow").CreateAsync(new(opened.Id, "A ticket", "What happened.", null), TestContext.Current.CancellationToken);
        var step = new StepRecord
        {
            Phase = Phase.Mitigation, Name = "ticket", Action = CreateTicket.Name, GateId = "mitigation-1", Status = StepStatus.Done, StartedAt = opened.OpenedAt, Preparation = new() { PlannedEffect = "Open a ticket.", TellsOnly = true },
            Outputs = new Dictionary<string, string> { [TicketEnd.System] = "servicenow", [TicketEnd.Key] = ticket.Key, [TicketEnd.Id] = ticket.Id, [TicketEnd.AtEnd] = "close" },
        };
        var held = (opened with { Steps = [step] }).CloseGate(opened.OpenGate!.Id, GateOutcome.DiagnosedOnly, "A window.", opened.OpenedAt).End(IncidentState.NotNeeded, "A window.", opened.OpenedAt);

        (await world.Get<IEnumerable<IEndHook>>().OfType<TicketEnd>().Single().EndedAsync(held, TestContext.Current.CancellationToken)).ShouldBe(["Wrote on the ticket INC0010001 how this ended."]);
        (await TicketsAsync(world)).ShouldHaveSingleItem().GetProperty("state").GetString().ShouldBe("1");
    }

    private static async Task<List<JsonElement>> TicketsAsync(SandboxWorld world) =>
        [.. (await world.GetAsync("/_sandbox/state")).GetProperty("apis").GetProperty("servicenow").EnumerateArray()];

    private static async Task<Incident> EndAsync(SandboxWorld world, string atEnd, bool helps)
    {
        var opened = await world.OpenAsync(WithTicket(atEnd, helps));
        await world.ApproveAsync(opened.Id);
        return await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));
    }

    private static Runbook WithTicket(string atEnd, bool helps, string? system = null)
    {
        var runbook = Given.Runbook();
        var ticket = Given.Step("ticket", "ticket.create", JsonSerializer.SerializeToElement(new { system, title = "A ticket", text = "What happened.", atEnd }));
        return runbook with
        {
            Mitigation = runbook.Mitigation with { Steps = [ticket, Given.Step("fix")], Verify = helps ? null : runbook.Mitigation.Verify },
            Resolution = new(),
        };
    }
}
