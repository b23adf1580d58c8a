using System.Text.Json;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Integrations.Tickets;

namespace Runbooks.Integrations.Tests.Tickets;

/// <summary>What all systems do alike.</summary>
public sealed class TicketTests : OnTickets
{
    /// <summary>What an alert may say: markup of each of the systems, and the end of a query.</summary>
    private const string Hostile = "Pod <b>llm-b-0</b> hangs.\n[code]<script>alert(1)</script>[/code] {panel} '; ORDER BY \"";

    public static TheoryData<string> Systems => ["servicenow", "jira", "azuredevops"];

    private static object New(string system, object? fields = null, string atEnd = "comment") => new { system, title = "Hung GPU on llm-b-0", text = Hostile, fields, atEnd };

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Ticket_IsOpenedOnceForAnIncident(string system)
    {
        object fields = system switch
        {
            "servicenow" => new { urgency = "1", assignment_group = "ml-platform" },
            "jira" => new { labels = new[] { "gpu" }, priority = new { name = "High" } },
            _ => new Dictionary<string, object> { ["System.Tags"] = "gpu", ["Microsoft.VSTS.Common.Priority"] = 1 },
        };
        var with = New(system, fields);
        (await PrepareAsync(Create, with)).PlannedEffect.ShouldEndWith($"'{system}': Hung GPU on llm-b-0");

        var opened = await RunAsync(Create, with);
        (await SentAsync())[^1].ShouldSatisfyAllConditions(
            sent => sent.Request.ShouldStartWith("POST "),
            sent => sent.Body.ShouldBeGolden($"create-{system}"));
        var again = await RunAsync(Create, with);

        var key = opened.Outputs["ticket"];
        opened.Result.ShouldBe($"Opened the ticket {key}: {opened.Outputs["url"]}");
        again.Result.ShouldBe($"The ticket {key} is there already.");
        again.Outputs.ShouldBe(opened.Outputs);
        Uri.IsWellFormedUriString(opened.Outputs["url"], UriKind.Absolute).ShouldBeTrue();
        (await TicketsAsync(system)).GetArrayLength().ShouldBe(1);

        // Another incident has a ticket of its own.
        await Action(Create).ApplyAsync(Bind(with, Action(Create).ParametersType), await PrepareAsync(Create, with), ContextOf("inc-2"), Cancel);
        (await TicketsAsync(system)).GetArrayLength().ShouldBe(2);
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task Comment_IsWrittenOnce_AndTheTicketClosed(string system)
    {
        await RunAsync(Create, New(system));
        var comment = new { system, text = Hostile };
        (await RunAsync(Update, comment)).Result.ShouldStartWith("Wrote on the ticket ");
        (await SentAsync())[^1].Body.ShouldBeGolden($"comment-{system}");
        await RunAsync(Update, comment);
        JsonSerializer.Serialize(await TicketsAsync(system)).Split("runbooks:inc-1:mitigation:step").Length.ShouldBe(2);

        var close = new { system, text = "Mended.", close = true };
        (await Action(Update).ApplyAsync(Bind(close, Action(Update).ParametersType), await PrepareAsync(Update, close), Context(Clock) with { IdempotencyKey = "inc-1:resolution:close" }, Cancel))
            .Result.ShouldStartWith("Closed the ticket ");
        (await SentAsync())[^1].Body.ShouldBeGolden($"close-{system}");
        JsonSerializer.Serialize(await TicketsAsync(system)).ShouldContain(system switch { "servicenow" => "\"state\":\"6\"", "jira" => "\"name\":\"Done\"", _ => "\"System.State\":\"Done\"" });
        var before = (await RequestsAsync()).Count(IsWrite);
        await RunAsync(Update, close);
        (await RequestsAsync()).Count(IsWrite).ShouldBe(before, "nothing is left to do");

        static bool IsWrite(string request) => !request.StartsWith("GET ", StringComparison.Ordinal) && !request.Contains("search/jql", StringComparison.Ordinal) && !request.Contains("wiql", StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task StepWhoseNameBeginsThatOfAnEarlierOne_WritesItsOwnComment(string system)
    {
        await RunAsync(Create, New(system));
        foreach (var step in new[] { "note-start", "note" })
        {
            var comment = new { system, text = $"This is of {step}." };
            await Action(Update).ApplyAsync(Bind(comment, Action(Update).ParametersType), await PrepareAsync(Update, comment), Context(Clock) with { IdempotencyKey = $"inc-1:mitigation:{step}" }, Cancel);
        }

        JsonSerializer.Serialize(await TicketsAsync(system)).ShouldContain("This is of note.");
    }

    /// <summary>Jira takes two requests to close a ticket with a comment.</summary>
    [Fact]
    public async Task CutOffBetweenTheCommentAndTheClosing_IsFinishedWithoutASecondComment()
    {
        await RunAsync(Create, New("jira"));
        var close = new { system = "jira", text = "Mended.", close = true };
        await FaultAsync("jira", "500", on: "POST /jira/rest/api/3/issue/OPS-1/transitions");
        await Should.ThrowAsync<TicketException>(() => RunAsync(Update, close));

        await RunAsync(Update, close);

        var tickets = JsonSerializer.Serialize(await TicketsAsync("jira"));
        tickets.Split("runbooks:inc-1:mitigation:step").Length.ShouldBe(2);
        tickets.ShouldContain("\"name\":\"Done\"");
    }

    [Theory]
    [MemberData(nameof(Systems))]
    public async Task AttemptThatWasCutOff_FindsItsTicket(string system)
    {
        var with = New(system);
        var preparation = await PrepareAsync(Create, with);
        await ApplyAsync(Create, with, preparation);

        (await ApplyAsync(Create, with, preparation, interrupted: preparation)).Result.ShouldEndWith(" is there already.");
        (await TicketsAsync(system)).GetArrayLength().ShouldBe(1);
    }

    /// <summary>A search may not see a ticket of a moment ago: who was cut off looks for a while before another one is opened.</summary>
    [Fact]
    public async Task AttemptThatWasCutOff_LooksAgainBeforeItOpensOne()
    {
        var with = New("jira");
        var preparation = await PrepareAsync(Create, with);

        (await ApplyAsync(Create, with, preparation, interrupted: preparation)).Result.ShouldStartWith("Opened the ticket ");
        (await RequestsAsync()).Count(request => request.Contains("search/jql", StringComparison.Ordinal)).ShouldBeGreaterThan(12, "for a minute");
    }

    [Theory]
    [InlineData("servicenow", "401", "does not know the user or the secret. Look at Tickets:Systems:servicenow.", typeof(StepRefusedException))]
    [InlineData("servicenow", "403", "answered 403 to: open a ticket. Operation Failed ACL Exception", typeof(StepRefusedException))]
    [InlineData("jira", "401", "does not know the user or the secret", typeof(StepRefusedException))]
    [InlineData("jira", "500", "answered 500 to: open a ticket. Internal server error", typeof(TicketException))]
    [InlineData("azuredevops", "401", "does not know the user or the secret", typeof(StepRefusedException))]
    [InlineData("azuredevops", "unreachable", "cannot be reached to open a ticket", typeof(TicketException))]
    public async Task Fault_IsSaidInWords(string system, string fault, string words, Type exception)
    {
        var with = New(system);
        var preparation = await PrepareAsync(Create, with);
        await FaultAsync(system, fault, on: system switch { "servicenow" => "POST ", "jira" => "/issue", _ => "/workitems/$" });

        (await Should.ThrowAsync(() => ApplyAsync(Create, with, preparation), exception)).Message.ShouldContain(words);
        (await TicketsAsync(system)).GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("servicenow", "correlation_id")]
    [InlineData("jira", "labels")]
    [InlineData("azuredevops", "System.Tags")]
    public async Task FieldByWhichItIsFound_IsKept(string system, string field)
    {
        await RunAsync(Create, New(system));
        var with = new { system, text = "Other fields.", fields = new Dictionary<string, string> { [field] = "elsewhere" } };

        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, with))).Message.ShouldContain($"'fields' may not set {field}");
    }

    /// <summary>Fields take what an alert says as well: as text, in whatever way the system would show it, and without secrets.</summary>
    [Theory]
    [InlineData("servicenow", "comments", "Pod <b>llm-b-0</b> hangs.\n[ code]<script>alert(1)</script>[ /code] {panel} '; ORDER BY \" password=•••")]
    [InlineData("azuredevops", "Microsoft.VSTS.TCM.ReproSteps", "Pod < b>llm-b-0< /b> hangs.\n[code]< script>alert(1)< /script>[/code] {panel} '; ORDER BY \" password=•••")]
    [InlineData("jira", "customfield_10001", "Pod <b>llm-b-0</b> hangs.\n[code]<script>alert(1)</script>[/code] {panel} '; ORDER BY \" password=•••")]
    public async Task FieldsOfATicket_AreTextWithoutSecrets(string system, string field, string shown)
    {
        var fields = new Dictionary<string, string> { [field] = $"{Hostile} password=hunter2hunter2" };

        await RunAsync(Create, New(system, fields));
        Texts((await SentAsync())[^1].Body).ShouldContain(shown);

        await RunAsync(Update, new { system, text = "Again.", fields });
        Texts((await SentAsync()).Last(sent => !sent.Request.StartsWith("POST ", StringComparison.Ordinal)).Body).ShouldContain(shown);

        static IEnumerable<string> Texts(JsonElement body) => body.ValueKind switch
        {
            JsonValueKind.Object => body.EnumerateObject().SelectMany(field => Texts(field.Value)),
            JsonValueKind.Array => body.EnumerateArray().SelectMany(Texts),
            JsonValueKind.String => [body.GetString()!],
            _ => [],
        };
    }

    [Fact]
    public async Task IncidentWithoutATicket_IsSaid() =>
        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(Update, new { text = "Hello." }))).Message.ShouldBe("The incident has no ticket in 'servicenow'. Open one with ticket.create in a step before.");

    [Fact]
    public async Task UnknownSystem_IsSaidWithTheSettingThatIsMissing() =>
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Create, New("elsewhere")))).Message.ShouldBe("No ticket system is configured as 'elsewhere'. Add Tickets:Systems:elsewhere.");

    [Fact]
    public async Task SecretThatIsNoGood_IsFoundInADryRun()
    {
        (await CheckPermissionsAsync(Create, New("jira"))).ShouldBeNull();
        await FaultAsync("jira", "401");
        (await CheckPermissionsAsync(Create, New("jira"))).ShouldNotBeNull().ShouldContain("Tickets:Systems:jira");
    }
}
