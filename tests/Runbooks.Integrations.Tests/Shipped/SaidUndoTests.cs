using System.Text.Json;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using TestKit.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

/// <summary>A request whose undo the runbook says: taken back when the fix does not help, with the token that no record holds.</summary>
public sealed class SaidUndoTests
{
    private const string Token = "the-token-of-the-gateway";

    [Fact]
    public async Task FixThatDoesNotHelp_IsTakenBackByTheOtherRequestWithTheToken()
    {
        await using var gateway = await AnsweringServer.StartAsync();
        gateway.Answer = _ => Task.CompletedTask;
        await using var world = await SandboxWorld.StartAsync(new Dictionary<string, string?> { ["HttpRequest:AllowedHosts:0"] = "127.0.0.1", ["HttpRequest:PrivateHosts:0"] = "127.0.0.1" });
        var with = JsonSerializer.SerializeToElement(new { url = $"{gateway.Url}/throttle", body = new { on = true }, token = Token, undo = new { url = $"{gateway.Url}/throttle", method = "delete", expectStatus = 200 } });
        var opened = await world.OpenAsync(Given.Runbook() with
        {
            Mitigation = Given.Runbook().Mitigation with { Steps = [Given.Step("throttle", "http.request", with)] },
            Resolution = new(),
        });
        opened.OpenGate!.Plan.Steps[0].Undo.ShouldBe($"DELETE {gateway.Url}/throttle with no body.");

        await world.ApproveAsync(opened.Id);
        var ended = await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(1));

        ended.State.ShouldBe(IncidentState.Failed);
        ended.Steps.ShouldHaveSingleItem().Status.ShouldBe(StepStatus.Undone);
        gateway.Requests.Select(request => (request.Body, request.Headers["Authorization"])).ShouldBe([("{\"on\":true}", $"Bearer {Token}"), ("", $"Bearer {Token}")]);
        JsonSerializer.Serialize(ended).ShouldNotContain(Token);
    }
}
