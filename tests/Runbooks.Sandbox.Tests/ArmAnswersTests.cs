using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Runbooks.Sandbox.Tests;

/// <summary>What the sandbox notes for itself beside a resource is not what Azure would say of it.</summary>
public sealed class ArmAnswersTests : OnVirtualSandbox
{
    private const string Group = "/arm/subscriptions/00000000-0000-0000-0000-00000000c0de/resourceGroups/rg/providers/";

    [Theory]
    [InlineData("Microsoft.CognitiveServices/accounts/ai", "2024-10-01")]
    [InlineData("Microsoft.ApiManagement/service/apim/subscriptions/user-1", "2024-05-01")]
    [InlineData("Microsoft.Cdn/profiles/fd/originGroups/clusters", "2025-04-15")]
    [InlineData("Microsoft.Web/sites/web", "2025-03-01")]
    [InlineData("Microsoft.App/containerApps/app", "2025-01-01")]
    [InlineData("Microsoft.Compute/virtualMachines/vm", "2025-04-01")]
    public async Task Resource_ShowsNothingThatOnlyTheSandboxKnows(string resource, string version)
    {
        var answer = await JsonAsync($"{Group}{resource}?api-version={version}");

        answer.GetProperty("name").GetString().ShouldBe(resource.Split('/')[^1]);
        answer.GetRawText().ShouldNotContain("\"_");
    }

    /// <summary>Azure lists the items of a blocklist, and refuses to show one of them, whether it is there or not.</summary>
    [Fact]
    public async Task ItemOfABlocklist_IsShownInItsListAlone()
    {
        const string Items = Group + "Microsoft.CognitiveServices/accounts/ai/raiBlocklists/incidents/raiBlocklistItems";
        (await Http.PutAsJsonAsync($"{Items}/one?api-version=2024-10-01", new { properties = new { pattern = "x", isRegex = false } }, Cancel)).EnsureSuccessStatusCode();

        (await Http.GetAsync($"{Items}/one?api-version=2024-10-01", Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var list = await JsonAsync($"{Items}?api-version=2024-10-01");
        list.GetProperty("value").EnumerateArray().Single().GetProperty("properties").GetProperty("pattern").GetString().ShouldBe("x");
        list.GetRawText().ShouldNotContain("\"_");
    }

    [Theory]
    [InlineData("Microsoft.Network/trafficManagerProfiles/global", "?api-version=2024-05-01", "NoRegisteredProviderFound", "API version '2024-05-01' for type 'trafficManagerProfiles'. The supported api-versions are '2015-11-01, 2017-03-01,")]
    [InlineData("Microsoft.CognitiveServices/accounts/ai/deployments/gpt-4o-ptu", "?api-version=2020-01-01", "NoRegisteredProviderFound", "for type 'accounts/deployments'.")]
    [InlineData("Microsoft.Web/sites/web", "?api-version=2025-03-02", "NoRegisteredProviderFound", "API version '2025-03-02' for type 'sites'.")]
    [InlineData("Microsoft.Web/sites/web", "", "MissingApiVersionParameter", "is required for all requests.")]
    public async Task VersionThatTheTypeDoesNotHave_IsRefusedInAzuresWords(string resource, string query, string code, string words)
    {
        using var answer = await Http.GetAsync($"{Group}{resource}{query}", Cancel);

        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        var error = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("error");
        error.GetProperty("code").GetString().ShouldBe(code);
        error.GetProperty("message").GetString()!.ShouldContain(words);
    }

    /// <summary>It is written whole, and has ids only where the system assigns it.</summary>
    [Fact]
    public async Task EndpointsIdentity_IsTheOneThatWasWrittenLast()
    {
        const string Endpoint = Group + "Microsoft.MachineLearningServices/workspaces/ml/onlineEndpoints/answers?api-version=2024-10-01";

        (await WriteAsync(new { type = "UserAssigned", userAssignedIdentities = new Dictionary<string, object> { ["/subscriptions/s/id-answers"] = new() } })).ShouldBe("type, userAssignedIdentities");
        (await WriteAsync(new { type = "SystemAssigned" })).ShouldBe("type, principalId, tenantId");

        async Task<string> WriteAsync(object identity)
        {
            var body = new { location = "westeurope", identity, properties = new { authMode = "Key", traffic = new { blue = 100 } } };
            (await Http.PutAsJsonAsync(Endpoint, body, Cancel)).EnsureSuccessStatusCode();
            Clock.Advance(TimeSpan.FromSeconds(2));
            return string.Join(", ", (await JsonAsync(Endpoint)).GetProperty("identity").EnumerateObject().Select(one => one.Name));
        }
    }

    /// <summary>All that counts is what the provisioned backend no longer gets; one whose weight nobody has said is used like the others.</summary>
    [Theory]
    [InlineData(1, 100, 2, 100, true)]
    [InlineData(1, 100, 1, 50, false)]
    [InlineData(1, 100, 1, null, false)]
    [InlineData(1, 100, 0, 100, false)]
    [InlineData(3, 100, 2, 100, false)]
    [InlineData(1, 0, 2, 100, false)]
    [InlineData(1, 100, 1, 0, true)]
    public async Task ProvisionedBackend_TurnsRequestsAwayUnlessThePoolUsesAnother(int? priority, int? weight, int? otherPriority, int? otherWeight, bool turnedAway)
    {
        const string Service = Group + "Microsoft.ApiManagement/service/apim";
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"{Service}/backends/llm?api-version=2024-05-01")
        {
            Content = JsonContent.Create(new
            {
                properties = new
                {
                    pool = new
                    {
                        services = new object[]
                        {
                            new { id = $"{Service}/backends/openai-ptu", priority, weight }, new { id = $"{Service}/backends/openai-paygo", priority = otherPriority, weight = otherWeight },
                        },
                    },
                },
            }),
        };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();

        var answer = await JsonAsync(
            $"{Service}/providers/microsoft.insights/metrics?api-version=2024-02-01&metricnames=Requests&aggregation=total&interval=PT1M&$filter=BackendResponseCode eq '429'"
            + $"&timespan={Clock.GetUtcNow().AddMinutes(-5):yyyy-MM-ddTHH:mm:ssZ}/{Clock.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ}");

        var series = answer.GetProperty("value")[0].GetProperty("timeseries");
        (series.GetArrayLength() > 0).ShouldBe(turnedAway);
    }
}
