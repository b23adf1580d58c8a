using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.OpenAI;

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
