using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class TrafficSplitTests : OnTheSandbox
{
    private const string Split = "azureMl.trafficSplit";
    private static readonly string s_workspace = Resource("Microsoft.MachineLearningServices/workspaces", "assist-ml");
    private static readonly string s_endpoint = $"{s_workspace}/onlineEndpoints/answers";
    private static readonly object s_away = With("blue", 0);

    protected override IServiceCollection Add(IServiceCollection services) => services.AddMachineLearning();

    private static object With(string deployment, int percent) => new { workspace = s_workspace, endpoint = "answers", deployment, percent };

    private async Task<string> TrafficAsync() => (await ArmAsync(s_endpoint)).GetProperty("properties").GetProperty("traffic").GetRawText();

    private async Task SomebodyElseAsync(int blue)
    {
        var endpoint = JsonNode.Parse((await ArmAsync(s_endpoint)).GetRawText())!;
        endpoint["properties"]!["traffic"] = new JsonObject { ["blue"] = blue, ["green"] = 100 - blue };
        await ChangeAsync(HttpMethod.Put, s_endpoint, endpoint);
        Clock.Advance(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Traffic_IsMovedAndGoesBackToTheExactNumbers()
    {
        var before = (await ArmAsync(s_endpoint)).GetRawText();
        var preparation = await PrepareAsync(Split, s_away);
        preparation.PlannedEffect.ShouldBe("Split the requests to online endpoint answers as blue 0 %, green 100 % (now blue 90 %, green 10 %).");
        preparation.Undo.ShouldBe("Split them as blue 90 %, green 10 % again.");

        (await ApplyAsync(Split, s_away, preparation)).Result.ShouldBe("Split the requests as blue 0 %, green 100 %.");
        (await SentAsync())[^1].Body.ShouldBeGolden("traffic-split");
        (await ApplyAsync(Split, s_away, preparation, interrupted: preparation)).Result.ShouldBe("The requests were split as blue 0 %, green 100 % when this attempt came to it, by an earlier attempt or by somebody else.");

        (await UndoAsync(Split, preparation)).Result.ShouldBe("Split the requests as blue 90 %, green 10 % again, as before.");
        (await ArmAsync(s_endpoint)).GetRawText().ShouldBe(before, "nothing else of the endpoint has changed");
        (await UndoAsync(Split, preparation)).Result.ShouldBe("The requests are split as blue 90 %, green 10 %, as it was before.");
    }

    [Fact]
    public async Task EndpointThatSomebodyElseChanged_IsLeft()
    {
        var preparation = await PrepareAsync(Split, s_away);
        await SomebodyElseAsync(blue: 50);

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Split, s_away, preparation))).Message
            .ShouldBe("online endpoint answers was changed by somebody else in the meantime: its requests are split as blue 50 %, green 50 %. Nothing was overwritten.");
        (await TrafficAsync()).ShouldBe("""{"blue":50,"green":50}""");
    }

    [Theory]
    [InlineData("grey", 100, "deployment grey is not ready for more requests: its state is Creating.")]
    [InlineData("purple", 10, "There is no deployment purple.")]
    public async Task DeploymentThatCannotTakeThem_IsRefused(string deployment, int percent, string why) =>
        (await PrepareAsync(Split, With(deployment, percent))).Refusal.ShouldBe(why);

    [Theory]
    [InlineData("403", "AzureML Data Scientist", """{"blue":90,"green":10}""", typeof(StepRefusedException))]
    // Azure shows what was asked for, and beside it that this failed.
    [InlineData("lroFails", "ended as Failed", """{"blue":0,"green":100}""", typeof(AzureRequestException))]
    public async Task FaultWhileWriting_IsSaidInWords(string fault, string words, string shown, Type exception)
    {
        var preparation = await PrepareAsync(Split, s_away);
        await FaultAsync("arm", fault, on: "PUT ");

        (await Should.ThrowAsync(() => ApplyAsync(Split, s_away, preparation), exception)).Message.ShouldContain(words);
        (await TrafficAsync()).ShouldBe(shown);
    }

    [Fact]
    public async Task MissingRole_IsFoundInADryRun()
    {
        (await CheckPermissionsAsync(Split, s_away)).ShouldBeNull();
        await FaultAsync("arm", "denied", on: "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/write");
        (await CheckPermissionsAsync(Split, s_away)).ShouldNotBeNull().ShouldContain("AzureML Data Scientist");
    }

    /// <summary>Azure asks about each identity that is written, also where it was there before.</summary>
    [Fact]
    public async Task MissingRoleOnTheEndpointsIdentity_IsFoundInADryRun()
    {
        var endpoint = JsonNode.Parse((await ArmAsync(s_endpoint)).GetRawText())!;
        endpoint["identity"] = new JsonObject
        {
            ["type"] = "UserAssigned",
            ["userAssignedIdentities"] = new JsonObject { [Resource("Microsoft.ManagedIdentity/userAssignedIdentities", "id-answers")] = new JsonObject() },
        };
        await ChangeAsync(HttpMethod.Put, s_endpoint, endpoint);
        Clock.Advance(TimeSpan.FromSeconds(2));
        (await CheckPermissionsAsync(Split, s_away)).ShouldBeNull();

        await FaultAsync("arm", "denied", on: "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action");

        (await CheckPermissionsAsync(Split, s_away)).ShouldNotBeNull().ShouldContain("Managed Identity Operator on user assigned identity id-answers");
    }

    [Theory]
    [InlineData("blue 90, green 10", "blue", 20, "blue 20 %, green 80 %")]
    [InlineData("blue 50, green 30, red 20", "blue", 25, "blue 25 %, green 45 %, red 30 %")]
    [InlineData("blue 34, green 33, red 33", "blue", 1, "blue 1 %, green 50 %, red 49 %")]
    [InlineData("blue 100, green 0", "blue", 0, "blue 0 %, green 100 %")]
    [InlineData("blue 100, green 0, red 0", "blue", 0, null)]
    [InlineData("blue 100", "blue", 50, null)]
    [InlineData("blue 100", "green", 100, "blue 0 %, green 100 %")]
    public void Rest_IsSharedByTheOthersAsTheyShareNow(string before, string deployment, int percent, string? after)
    {
        var shares = before.Split(", ").Select(one => one.Split(' ')).ToDictionary(one => one[0], one => int.Parse(one[1], System.Globalization.CultureInfo.InvariantCulture));

        var split = TrafficShares.With(shares, deployment, percent);

        (split is null ? null : TrafficShares.Text(split)).ShouldBe(after);
        split?.Values.Sum().ShouldBe(100);
    }
}
