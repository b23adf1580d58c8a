using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tickets;

namespace Runbooks.Integrations.Tests.Tickets;

public sealed class JiraTicketTests : OnTickets
{
    /// <summary>Changing fields and writing a comment are two requests.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FieldsThatCouldNotBeSet_AreSetByTheNextAttempt(bool close)
    {
        await RunAsync(Create, new { system = "jira", title = "Hung GPU", text = "It hangs." });
        var with = new { system = "jira", text = "Sooner, please.", fields = new { priority = new { name = "High" } }, close };
        await FaultAsync("jira", "503", on: "PUT ");
        await Should.ThrowAsync<TicketException>(() => RunAsync(Update, with));

        await RunAsync(Update, with);

        var ticket = (await TicketsAsync("jira"))[0];
        ticket.GetProperty("fields").GetProperty("priority").GetProperty("name").GetString().ShouldBe("High");
        ticket.GetProperty("comments").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task LabelsOfATicket_AreRefusedBeforeAnythingIsWritten()
    {
        await RunAsync(Create, new { system = "jira", title = "Hung GPU", text = "It hangs." });

        await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, new { system = "jira", text = "Other labels.", fields = new { labels = new[] { "gpu" } } }));

        (await TicketsAsync("jira"))[0].GetProperty("comments").GetArrayLength().ShouldBe(0);
    }
}
