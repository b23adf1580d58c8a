using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox.Tests;

public sealed class RequestLogTests
{
    [Fact]
    public async Task EveryRequestToAnApi_IsALineWithItsAnswer()
    {
        var file = Path.GetTempFileName();
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));
        await File.WriteAllTextAsync(file, "from before\n", TestContext.Current.CancellationToken);
        await using (var sandbox = await SandboxServer.StartAsync(new SandboxOptions { Port = 0, Time = clock, LogFile = file }, TestContext.Current.CancellationToken))
        {
            using var http = new HttpClient { BaseAddress = sandbox.BaseAddress };
            await http.GetAsync("/prometheus/-/healthy?a=%C3%A9", TestContext.Current.CancellationToken);
            await http.GetAsync("/_sandbox/state", TestContext.Current.CancellationToken);
            await http.DeleteAsync("/kubernetes/b/api/v1/namespaces/inference/pods/nothing", TestContext.Current.CancellationToken);
        }

        var lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        File.Delete(file);

        lines[0].ShouldBe("from before");
        lines[1..].Select(line => JsonNode.Parse(line)!).Select(entry => $"{entry["at"]} {entry["request"]} {entry["status"]}").ShouldBe(
        [
            "2026-11-26T03:00:00+00:00 GET /prometheus/-/healthy?a=%C3%A9 200",
            "2026-11-26T03:00:00+00:00 DELETE /kubernetes/b/api/v1/namespaces/inference/pods/nothing 404",
        ]);
    }
}
