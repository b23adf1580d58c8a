using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RunbookServer.Commands;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook approve</c>: what is shown is what is approved, and nothing is approved that nobody agreed to.</summary>
public sealed class ApproveCommandTests
{
    [Fact]
    public async Task WithoutATerminal_ExactlyTheStepsThatAreShownAreApproved()
    {
        await using var host = await RunningHost.StartAsync();
        var opened = await host.Client.StuckAsync("llm-b-0");
        var id = opened["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        string[] approve = ["approve", id, "--by", "ada", "--url", $"{host.Client.Http.BaseAddress}", "--data", host.DataFolder];

        var (code, shown, error) = await ProgramRun.StartAsync(approve);

        (code, error).ShouldBe((0, ""));
        shown.ShouldContain("  1. ");
        shown.ShouldContain("Cannot be undone.");
        (await host.Client.GetAsync($"api/incidents/{id}"))["gates"]![0]!["outcome"]!.ToString().ShouldBe("approved");
    }

    [Fact]
    public async Task PlanThatChangesMeanwhile_IsNotApprovedAndSaidSo()
    {
        JsonNode? sent = null;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        await using var host = builder.Build();
        host.MapGet("/api/incidents/one", () => Results.Text("""
            { "title": "Hung GPU", "target": "llm-b-0", "gate": { "id": "mitigation-1", "question": "Recycle pod llm-b-0?", "outcome": "pending", "planHash": "as-shown",
              "plan": [{ "will": "Delete pod llm-b-0.", "action": "kubernetes.recyclePod", "parameters": { "pod": "llm-b-0" }, "undo": null }, { "will": "Open a ticket.", "action": "ticket", "undo": "Close it." }], "warnings": ["It is the last one."] } }
            """, "application/json"));
        host.MapPost("/api/incidents/one/decision", async (HttpRequest request) =>
        {
            sent = await JsonSerializer.DeserializeAsync<JsonNode>(request.Body);
            return Results.Json(new { status = "planChanged", message = "changed" }, statusCode: 409);
        });
        await host.StartAsync(TestContext.Current.CancellationToken);

        var (code, shown, error) = await ProgramRun.RunAsync("approve", "one", "--yes", "--url", host.Urls.Single(), "--key", "any");

        code.ShouldBe(1);
        error.Trim().ShouldBe("error: The plan has changed since it was shown here; nothing was approved. Run this again to see the plan as it is now.");
        sent!["planHash"]!.ToString().ShouldBe("as-shown");
        sent["gate"]!.ToString().ShouldBe("mitigation-1");
        shown.ShouldBe("""
            Hung GPU on llm-b-0
            Recycle pod llm-b-0?
              1. Delete pod llm-b-0. (kubernetes.recyclePod {"pod":"llm-b-0"})
                 Cannot be undone.
              2. Open a ticket. (ticket)
                 Undo: Close it.
              Warning: It is the last one.

            """, StringCompareShould.IgnoreLineEndings);
    }

    [Theory]
    [InlineData("approve", """{ "id": "one", "final": false }""", "Incident one asks nothing at the moment.")]
    [InlineData("done", """{ "id": "one", "final": false }""", "Incident one asks nothing at the moment.")]
    [InlineData("could-not", """{ "id": "one", "final": false }""", "Incident one asks nothing at the moment.")]
    [InlineData("approve", """{ "id": "one", "final": true, "headline": "Recovered by itself", "reason": "No check failed." }""", "Incident one ended: Recovered by itself. No check failed.")]
    public async Task NothingIsAsked_NothingIsSentThatMightMeetAQuestionThatOpensMeanwhile(string verb, string incident, string words)
    {
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents/one"] = incident,
            ["POST /api/incidents/one/decision"] = """{ "message": "You approved this." }""",
        });

        var (code, output, error) = await ProgramRun.RunAsync([verb, "one", .. verb == "could-not" ? ["--reason", "x"] : Array.Empty<string>(), "--url", host.Address, "--key", "any"]);

        (code, output, error.Trim()).ShouldBe((1, "", $"error: {words}"));
        host.Asked.ShouldBe(["GET /api/incidents/one"]);
    }

    [Fact]
    public async Task GateThatIsNotThere_IsSaidWithThoseThatAre()
    {
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents/one"] = """{ "id": "one", "final": false, "gates": [{ "id": "mitigation-1", "outcome": "pending" }] }""",
        });

        var (code, _, error) = await ProgramRun.RunAsync("approve", "one", "--gate", "mitigation-2", "--url", host.Address, "--key", "any");

        (code, error.Trim()).ShouldBe((1, "error: Incident one has no question 'mitigation-2'; it has mitigation-1."));
    }

    /// <summary>Run again because the answer to the first approval was lost.</summary>
    [Theory]
    [InlineData("api", false)]
    [InlineData("slack", true)]
    public async Task AnotherQuestionIsOpenByNow_AScriptHasToNameIt(string via, bool approves)
    {
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents/one"] = $$"""
                { "id": "one", "final": false, "gate": { "id": "mitigation-2", "outcome": "pending" },
                  "gates": [{ "id": "mitigation-1", "outcome": "approved", "decisions": [{ "decision": "approve", "by": "ada", "via": "{{via}}" }] }, { "id": "mitigation-2", "outcome": "pending" }] }
                """,
            ["POST /api/incidents/one/decision"] = """{ "message": "You approved this." }""",
        });

        var (code, _, error) = await ProgramRun.RunAsync("approve", "one", "--yes", "--url", host.Address, "--key", "any");

        (code, error.Trim()).ShouldBe(approves ? (0, "") : (1, "error: A yes to 'mitigation-1' came this way before, and another question is open by now. Nothing was approved. Name the one that is meant: --gate mitigation-2"));
        (await ProgramRun.RunAsync("approve", "one", "--yes", "--gate", "mitigation-2", "--url", host.Address, "--key", "any")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task GateThatHasClosed_IsTheOneThatTheHostIsAskedAbout()
    {
        await using var host = await AnsweringHost.StartAsync(async context =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
            {
                await context.Response.WriteAsJsonAsync(new { id = "one", gate = new { id = "mitigation-1", outcome = "approved" } });
                return;
            }

            var sent = await JsonSerializer.DeserializeAsync<JsonNode>(context.Request.Body);
            context.Response.StatusCode = 409;
            await context.Response.WriteAsJsonAsync(new { message = $"linus approved {sent!["gate"]}." });
        });

        var (code, _, error) = await ProgramRun.RunAsync("approve", "one", "--url", host.Address, "--key", "any");

        code.ShouldBe(1);
        error.ShouldContain("linus approved mitigation-1.");
    }

    /// <summary>A script looks for the words in it.</summary>
    [Fact]
    public async Task LongAnswer_IsOneLine()
    {
        const string Answer = "You approved this at 03:12:07 UTC. The steps are rehearsed: nothing outside is touched.";
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string> { ["POST /api/incidents/one/decision"] = $$"""{ "message": "{{Answer}}" }""" });

        (await ProgramRun.RunAsync("reject", "one", "--url", host.Address, "--key", "any")).Output.ShouldBe($"{Answer}\n");
    }

    [Theory]
    [InlineData("approve")]
    [InlineData("show")]
    public async Task WhatSpeaksAgainstIt_IsShownAsOnThePage(string command)
    {
        await using var host = await AnsweringHost.StartAsync(new Dictionary<string, string>
        {
            ["GET /api/incidents/one"] = """
                { "id": "one", "title": "Hung GPU", "target": "llm-b-0", "state": "awaitingApproval", "heldBack": ["The kill switch is on."],
                  "gate": { "id": "mitigation-1", "question": "Recycle pod llm-b-0?", "outcome": "pending", "planHash": "x", "blocker": "the budget of its group is used up.", "plan": [], "warnings": [] } }
                """,
            ["POST /api/incidents/one/decision"] = """{ "message": "You approved this." }""",
        });

        var (_, shown, _) = await ProgramRun.RunAsync([command, "one", .. command == "approve" ? ["--yes"] : Array.Empty<string>(), "--url", host.Address, "--key", "any"]);

        shown.ShouldContain("  It must not run as things are: the budget of its group is used up.\n");
        shown.ShouldContain("  It cannot run at the moment: The kill switch is on.\n");
    }

    /// <summary>Whoever goes back to bed has to know that nothing was repaired, and decides on what the checks said last.</summary>
    [Fact]
    public void DryRunAndWhatTheChecksSaidLast_AreShown()
    {
        var incident = JsonNode.Parse("""
            { "title": "Hung GPU", "target": "llm-b-0", "mode": "dryRun", "steps": [{ "name": "recycle", "outcome": "Deleted pod llm-b-0." }],
              "findings": [{ "verdict": "failing", "ask": "Is it full?", "summary": "98 %.", "at": "2026-11-23T03:12:00+00:00" }],
              "verification": [{ "verdict": "passing", "ask": "Is it full?", "summary": "41 %.", "at": "2026-11-23T03:16:00+00:00", "measuredAt": "2026-11-23T03:15:00+00:00" }] }
            """)!;

        DecideCommand.QuestionLines(incident, JsonNode.Parse("""{ "question": "Run the resolution on llm-b-0?" }""")!).ShouldBe([
            "DRY RUN: nothing outside is touched.", "Hung GPU on llm-b-0", "Run the resolution on llm-b-0?",
            "  Done so far: recycle: Deleted pod llm-b-0.", "  ✓ Is it full? 41 %. (2026-11-23 03:15:00 UTC)"]);
        ShowCommand.IncidentLines(incident, TimeProvider.System.GetUtcNow()).ShouldContain("  ✗ Is it full? 98 %. (2026-11-23 03:12:00 UTC)");
        ShowCommand.IncidentLines(incident, TimeProvider.System.GetUtcNow()).ShouldContain("Verification");
    }

    [Theory]
    [InlineData("y", true)]
    [InlineData("Yes ", true)]
    [InlineData("", false)]
    [InlineData("n", false)]
    [InlineData("yep", false)]
    [InlineData(null, false)]
    public void AnswerAtTheTerminal_CountsOnlyWhenItIsYes(string? typed, bool agrees)
    {
        using var input = new StringReader(typed is null ? "" : typed + "\n");

        DecideCommand.Agrees(input, isDryRun: false).ShouldBe(agrees);
    }
}
