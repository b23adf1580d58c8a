using Microsoft.Extensions.DependencyInjection;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.OpenAI;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.OpenAI;

public sealed class RotateKeyTests : OnTheSandbox
{
    private const string Rotate = "azureOpenAI.rotateKey";
    private static readonly object s_key = new { account = Resource("Microsoft.CognitiveServices/accounts", "assist-openai"), key = "key2" };

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
    public async Task ServerError_IsNotSentAgain()
    {
        var preparation = await PrepareAsync(Rotate, s_key);
        await FaultAsync("arm", "500", on: "/regenerateKey");

        await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Rotate, s_key, preparation));

        (await RequestsAsync()).Count(request => request.Contains("/regenerateKey")).ShouldBe(1);
    }
}
