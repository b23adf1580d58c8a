using System.Net.Http.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tickets;

namespace Runbooks.Integrations.Tests.Tickets;

public sealed class JiraTicketTests : OnTickets
{
    /// <summary>A project in which closing takes a resolution, once without one in the settings and once with it.</summary>
    protected override IReadOnlyDictionary<string, string?> Settings => new[] { ("changes", null), ("resolving", "Done") }.SelectMany(system => new Dictionary<string, string?>
    {
        [$"Tickets:Systems:{system.Item1}:Kind"] = "Jira",
        [$"Tickets:Systems:{system.Item1}:Url"] = $"{SandboxAddress}jira",
        [$"Tickets:Systems:{system.Item1}:User"] = "practice",
        [$"Tickets:Systems:{system.Item1}:Secret"] = "practice",
        [$"Tickets:Systems:{system.Item1}:Project"] = "CHG",
        [$"Tickets:Systems:{system.Item1}:CloseCode"] = system.Item2,
    }).ToDictionary();

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
    public async Task TicketThatCannotBeClosedAsItIs_SaysThatItWasWrittenOn()
    {
        await RunAsync(Create, new { system = "changes", title = "Hung GPU", text = "It hangs." });

        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, new { system = "changes", text = "Mended.", close = true }))).Message
            .ShouldBe("Wrote on the ticket CHG-1; it could not be closed: The ticket system 'changes' answered 400 to: close the ticket. resolution: Resolution is required.");
        (await TicketsAsync("jira"))[0].GetProperty("comments").GetArrayLength().ShouldBe(1);

        (await RunAsync(Update, new { system = "resolving", text = "Mended.", close = true })).Result.ShouldBe("Closed the ticket CHG-1.");
        (await SentAsync())[^1].Body.GetProperty("fields").GetProperty("resolution").GetProperty("name").GetString().ShouldBe("Done");
    }

    /// <summary>A person was faster.</summary>
    [Fact]
    public async Task TicketThatIsClosedAlready_IsNotCalledClosedByUs()
    {
        await RunAsync(Create, new { system = "jira", title = "Hung GPU", text = "It hangs." });
        using var done = new HttpRequestMessage(HttpMethod.Post, "/jira/rest/api/3/issue/OPS-1/transitions") { Content = JsonContent.Create(new { transition = new { id = "31" } }) };
        done.Headers.Authorization = new("Basic", "cHJhY3RpY2U6cHJhY3RpY2U=");
        (await Http.SendAsync(done, Cancel)).EnsureSuccessStatusCode();

        (await RunAsync(Update, new { system = "jira", text = "Mended.", close = true })).Result.ShouldBe("Wrote on the ticket OPS-1; it was closed already.");
    }

    [Fact]
    public async Task LabelsOfATicket_AreRefusedBeforeAnythingIsWritten()
    {
        await RunAsync(Create, new { system = "jira", title = "Hung GPU", text = "It hangs." });

        await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, new { system = "jira", text = "Other labels.", fields = new { labels = new[] { "gpu" } } }));

        (await TicketsAsync("jira"))[0].GetProperty("comments").GetArrayLength().ShouldBe(0);
    }
}
