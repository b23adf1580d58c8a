using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tickets;

namespace Runbooks.Integrations.Tests.Tickets;

public sealed class ServiceNowTicketTests : OnTickets
{
    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Tickets:Systems:requests:Kind"] = "ServiceNow",
        ["Tickets:Systems:requests:Url"] = $"{SandboxAddress}servicenow",
        ["Tickets:Systems:requests:User"] = "practice",
        ["Tickets:Systems:requests:Secret"] = "practice",
        ["Tickets:Systems:requests:Type"] = "u_ai_requests",
    };

    /// <summary>An instance leaves out a condition on a field that the table does not have, so that the search finds what it was not asked for.</summary>
    [Fact]
    public async Task TableThatCannotBeSearchedByTheIncident_NeverGivesSomebodyElsesTicket()
    {
        var with = new { system = "requests", title = "Hung GPU", text = "It hangs." };
        await Services.GetRequiredService<TicketClient>().Open("requests").CreateAsync(new("inc-of-others", "Theirs", "Not ours.", null), Cancel);
        var before = (await TicketsAsync("servicenow")).GetRawText();

        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Create, with))).Message
            .ShouldBe("The table 'u_ai_requests' of the ticket system 'requests' cannot be searched by correlation_id: name a table that extends 'task', and let the user read that field.");
        (await CheckPermissionsAsync(Create, with)).ShouldNotBeNull().ShouldContain("cannot be searched by correlation_id");
        (await TicketsAsync("servicenow")).GetRawText().ShouldBe(before);
    }

    /// <summary>A number of the file is one in what is sent, and the Table API gives every value as a text.</summary>
    [Fact]
    public async Task StateThatTheStepNames_IsTheOneThatClosesIt()
    {
        await RunAsync(Create, new { system = "servicenow", title = "Hung GPU", text = "It hangs." });

        (await RunAsync(Update, new { system = "servicenow", text = "Mended.", close = true, fields = new { state = 7 } })).Result.ShouldBe("Closed the ticket INC0010001.");
    }

    /// <summary>The instance's data policy holds for a state as a number, too.</summary>
    [Fact]
    public async Task StateThatResolvesItWithoutACode_IsRefused()
    {
        await RunAsync(Create, new { system = "servicenow", title = "Hung GPU", text = "It hangs." });

        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, new { system = "servicenow", text = "Mended.", fields = new { state = 7 } }))).Message.ShouldContain("Data Policy Exception");
    }

    /// <summary>A field that the user may not write is left out of the change, and the answer is 200 all the same.</summary>
    [Fact]
    public async Task StateThatMayNotBeWritten_IsNotCalledClosed()
    {
        var with = new { system = "servicenow", text = "Mended.", close = true };
        await RunAsync(Create, new { system = "servicenow", title = "Hung GPU", text = "It hangs." });
        await FaultAsync("servicenow", "denied", on: "write incident.state");

        for (var time = 0; time < 2; time++)
        {
            (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, with))).Message
                .ShouldBe("Wrote on the ticket INC0010001; it could not be closed: ServiceNow 'servicenow' shows the state '1' after it: the user may not write it, or a rule of the table sets another.");
        }

        (await TicketsAsync("servicenow")).GetRawText().Split("(Work notes)").Length.ShouldBe(2);
    }
}
