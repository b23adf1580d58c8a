using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.ApiManagement;

public sealed class SuspendSubscriptionTests : OnTheSandbox
{
    private const string Suspend = "apim.suspendSubscription";
    private static readonly string s_service = Resource("Microsoft.ApiManagement/service", "assist-apim");
    private static readonly object s_user = new { service = s_service, subscription = "user-4711" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddApiManagement();

    private async Task<string?> KeyStateAsync() => (await ArmAsync($"{s_service}/subscriptions/user-4711")).GetProperty("properties").GetProperty("state").GetString();

    [Fact]
    public async Task Subscription_IsSuspendedAndReactivated()
    {
        var preparation = await PrepareAsync(Suspend, s_user);

        await ApplyAsync(Suspend, s_user, preparation);

        preparation.PlannedEffect.ShouldBe("Suspend subscription user-4711 of API Management: its keys stop working at once (now active).");
        (await KeyStateAsync()).ShouldBe("suspended");
        var (request, body) = (await SentAsync())[^1];
        request.ShouldBe($"PATCH /arm{s_service}/subscriptions/user-4711?api-version=2024-05-01");
        body.ShouldBeGolden("suspend");
        await UndoAsync(Suspend, preparation);
        (await KeyStateAsync()).ShouldBe("active");
    }

    /// <summary>The portal makes names up that nobody knows.</summary>
    [Fact]
    public async Task SubscriptionOfAMadeUpName_IsCalledAsPeopleKnowIt()
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/arm{s_service}/subscriptions/user-4711?api-version=2024-05-01") { Content = JsonContent.Create(new { properties = new { displayName = "Ada's notebook" } }) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
        var preparation = await PrepareAsync(Suspend, s_user);

        preparation.PlannedEffect.ShouldStartWith("Suspend subscription user-4711 (“Ada's notebook”) of API Management: ");
        (await ApplyAsync(Suspend, s_user, preparation)).Result.ShouldBe("Suspended subscription user-4711 (“Ada's notebook”) of API Management.");
        (await UndoAsync(Suspend, preparation)).Result.ShouldBe("Made subscription user-4711 (“Ada's notebook”) active again.");
    }

    [Fact]
    public async Task Keep_LeavesItForAPerson()
    {
        var with = new { service = s_service, subscription = "user-4711", keep = true };
        var preparation = await PrepareAsync(Suspend, with);
        await ApplyAsync(Suspend, with, preparation);

        (await UndoAsync(Suspend, preparation)).Result.ShouldContain("reactivate it by hand");

        (await KeyStateAsync()).ShouldBe("suspended");
        (await PrepareAsync(Suspend, with)).Undo.ShouldBe("Left as it is: it was so before, unless another incident did that and leaves it to this one.");
    }

    [Fact]
    public async Task MasterSubscription_IsNeverSuspended()
    {
        (await PrepareAsync(Suspend, new { service = s_service, subscription = "master" })).Refusal.ShouldNotBeNull().ShouldContain("more than one user");
    }

    [Fact]
    public async Task ChangeBetweenReadAndWrite_IsNotOverwritten()
    {
        var preparation = await PrepareAsync(Suspend, s_user);
        await FaultAsync("arm", "412", on: "PATCH ");

        await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Suspend, s_user, preparation));

        (await KeyStateAsync()).ShouldBe("active");
    }

    [Theory]
    [InlineData("403", typeof(StepRefusedException))]
    [InlineData("429", typeof(AzureRequestException))]
    [InlineData("500", typeof(AzureRequestException))]
    public async Task Fault_IsSaidInWords(string fault, Type exception)
    {
        await FaultAsync("arm", fault);

        await Should.ThrowAsync(() => PrepareAsync(Suspend, s_user), exception);
    }
}
