using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class SpillOverTests : OnTheSandbox
{
    private const string Spill = "azureOpenAI.spillOver";
    private static readonly string s_account = Resource("Microsoft.CognitiveServices/accounts", "assist-openai");
    private static readonly object s_on = new { account = s_account, deployment = "gpt-4o-ptu", to = "gpt-4o-paygo" };
    private static readonly object s_off = new { account = s_account, deployment = "gpt-4o-ptu", off = true };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzureOpenAI();

    private Task<JsonElement> DeploymentAsync() => ArmAsync($"{s_account}/deployments/gpt-4o-ptu", version: "2026-09-01");

    [Fact]
    public async Task SpillOver_IsSwitchedOnAndOffAgain()
    {
        var before = await DeploymentAsync();
        var preparation = await PrepareAsync(Spill, s_on);
        preparation.PlannedEffect.ShouldBe("Let gpt-4o-paygo take what deployment gpt-4o-ptu turns away, billed by token (now off).");
        preparation.Undo.ShouldBe("Switch spill-over off again.");

        (await ApplyAsync(Spill, s_on, preparation)).Result.ShouldBe("gpt-4o-paygo takes what deployment gpt-4o-ptu turns away.");
        (await SentAsync())[^1].Body.ShouldBeGolden("spill-over-on");
        (await ApplyAsync(Spill, s_on, preparation, interrupted: preparation)).Result.ShouldBe("gpt-4o-paygo took what deployment gpt-4o-ptu turns away when this attempt came to it, by an earlier attempt or by somebody else.");

        (await UndoAsync(Spill, preparation)).Result.ShouldBe("Spill-over of deployment gpt-4o-ptu is off again, as before.");
        (await SentAsync())[^1].Body.ShouldBeGolden("spill-over-off");
        (await DeploymentAsync()).GetProperty("properties").TryGetProperty("spilloverDeploymentName", out _).ShouldBeFalse();
        JsonElement.DeepEquals(await DeploymentAsync(), before).ShouldBeTrue("nothing else of the deployment has changed");
        (await UndoAsync(Spill, preparation)).Result.ShouldBe("Spill-over of deployment gpt-4o-ptu is off, as it was before.");
    }

    [Fact]
    public async Task SpillOverThatWasOn_IsSwitchedOffAndComesBackToTheSameDeployment()
    {
        await RunAsync(Spill, s_on);

        var off = await PrepareAsync(Spill, s_off);
        off.PlannedEffect.ShouldBe("Let nobody take any more what deployment gpt-4o-ptu turns away (now to gpt-4o-paygo).");
        (await ApplyAsync(Spill, s_off, off)).Result.ShouldBe("Switched spill-over of deployment gpt-4o-ptu off.");

        (await UndoAsync(Spill, off)).Result.ShouldBe("Spill-over of deployment gpt-4o-ptu is to gpt-4o-paygo again, as before.");
        (await DeploymentAsync()).GetProperty("properties").GetProperty("spilloverDeploymentName").GetString().ShouldBe("gpt-4o-paygo");
    }

    [Fact]
    public async Task SpillOverThatSomebodyElseChanged_IsLeft()
    {
        var on = await PrepareAsync(Spill, s_on);
        await ApplyAsync(Spill, s_on, on);
        var off = await PrepareAsync(Spill, s_off);
        await UndoAsync(Spill, on);

        (await UndoAsync(Spill, off with { UndoState = JsonSerializer.SerializeToElement(new { Deployment = $"{s_account}/deployments/gpt-4o-ptu", Before = "gpt-4o-mini", After = (string?)null }) })).Result.ShouldContain("again");
        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Spill, s_on, on))).Message
            .ShouldBe("deployment gpt-4o-ptu was changed by somebody else in the meantime: spill-over is to gpt-4o-mini. Nothing was overwritten.");
    }

    [Theory]
    [InlineData("gpt-4o-paygo", "gpt-4o-ptu", "deployment gpt-4o-paygo has no provisioned throughput: its SKU is GlobalStandard. Only such a deployment can spill over.")]
    [InlineData("gpt-4o-ptu", "gpt-4o-mini", "deployment gpt-4o-mini serves gpt-4o-mini 2024-07-18, and deployment gpt-4o-ptu gpt-4o 2024-11-20: both have to serve the same model and version.")]
    [InlineData("gpt-4o-ptu", "nobody", "There is no deployment nobody.")]
    [InlineData("gpt-4o-ptu", "gpt-4o-ptu", "deployment gpt-4o-ptu has the SKU GlobalProvisionedManaged. Beside GlobalProvisionedManaged it has to be GlobalStandard, so that data is processed in the same places.")]
    public async Task DeploymentThatAzureWouldNotTake_IsRefusedBefore(string deployment, string to, string why) =>
        (await PrepareAsync(Spill, new { account = s_account, deployment, to })).Refusal.ShouldBe(why);

    [Theory]
    [InlineData("403", "Cognitive Services Contributor", typeof(StepRefusedException))]
    [InlineData("lroFails", "ended as Failed", typeof(AzureRequestException))]
    public async Task FaultWhileWriting_IsSaidInWords(string fault, string words, Type exception)
    {
        var preparation = await PrepareAsync(Spill, s_on);
        await FaultAsync("arm", fault, on: "PUT ");

        (await Should.ThrowAsync(() => ApplyAsync(Spill, s_on, preparation), exception)).Message.ShouldContain(words);
    }

    [Fact]
    public async Task MissingRole_IsFoundInADryRun()
    {
        (await CheckPermissionsAsync(Spill, s_on)).ShouldBeNull();
        await FaultAsync("arm", "denied", on: "Microsoft.CognitiveServices/accounts/deployments/write");
        (await CheckPermissionsAsync(Spill, s_on)).ShouldNotBeNull().ShouldContain("Cognitive Services Contributor");
    }
}

public sealed class RotateKeyTests : OnTheSandbox
{
    private const string Rotate = "azureOpenAI.rotateKey";
    private static readonly string s_account = Resource("Microsoft.CognitiveServices/accounts", "assist-openai");
    private static readonly object s_key = new { account = s_account, key = "key2" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddAzureOpenAI();

    [Fact]
    public async Task Key_IsReplacedAndNothingOfItIsSaid()
    {
        var preparation = await PrepareAsync(Rotate, s_key);

        var result = await ApplyAsync(Rotate, s_key, preparation);

        (await SentAsync()).ShouldHaveSingleItem().Body.ShouldBeGolden("regenerate");
        System.Text.Json.JsonSerializer.Serialize(new { preparation, result }).ShouldNotContain("practice-secret");
        Action(Rotate).Repeatable.ShouldBeFalse();
        Action(Rotate).Reversible.ShouldBeFalse();
    }

    [Fact]
    public async Task AccountThatLetsNoKeysIn_IsRefused()
    {
        await ChangeAsync(HttpMethod.Patch, s_account, new { properties = new { disableLocalAuth = true } });

        (await PrepareAsync(Rotate, s_key)).Refusal.ShouldNotBeNull().ShouldEndWith("does not let keys in at all, so there is none to replace.");
    }

    [Fact]
    public async Task ServerError_IsNotSentAgain()
    {
        var preparation = await PrepareAsync(Rotate, s_key);
        await FaultAsync("arm", "500", on: "/regenerateKey");

        await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Rotate, s_key, preparation));

        (await RequestsAsync()).Count(request => request.Contains("/regenerateKey")).ShouldBe(1);
    }
}
