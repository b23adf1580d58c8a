namespace Infra.Tests;

public class ScaleTests
{
    /// <summary>Flex Consumption scales HTTP and Durable apart: kept for one alone, alerts or timers wait for a cold start.</summary>
    [Fact]
    public async Task Production_KeepsAnInstanceForAlertsAndOneForIncidents() =>
        (await KeptAsync(Plan.Production)).ShouldBe(["durable: 1", "http: 1"]);

    [Fact]
    public async Task WithoutAlwaysReady_NoneIsKept() => (await KeptAsync(Plan.Development)).ShouldBeEmpty();

    private static async Task<IEnumerable<string>> KeptAsync(string parameters) =>
        (await Plan.OfAsync(parameters)).All("Microsoft.Web/sites").Select(site => site.Properties["functionAppConfig"]).OfType<System.Text.Json.Nodes.JsonObject>().Single()
            ["scaleAndConcurrency"]!["alwaysReady"]!.AsArray().Select(group => $"{group!["name"]}: {group["instanceCount"]}");
}
