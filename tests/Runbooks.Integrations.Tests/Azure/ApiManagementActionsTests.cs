using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure;

public sealed class BackendPoolTests : OnTheSandbox
{
    private const string Share = "apim.backendPool";
    private static readonly string s_service = Resource("Microsoft.ApiManagement/service", "assist-apim");
    private static readonly object s_spillOver = new { service = s_service, pool = "llm", backend = "openai-paygo", priority = 1, weight = 50 };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddApiManagement();

    private async Task<string> SharesAsync() => string.Join("; ", (await ArmAsync($"{s_service}/backends/llm")).GetProperty("properties").GetProperty("pool").GetProperty("services").EnumerateArray()
        .Select(one => $"{one.GetProperty("id").GetString()!.Split('/')[^1]} {one.GetProperty("priority")} {one.GetProperty("weight")}"));

    private Task SomebodyElseAsync() => SetAsync(7);

    private Task SetAsync(int priority) => SetPoolAsync(("openai-paygo", priority, 1));

    private async Task SetPoolAsync(params (string Name, int Priority, int Weight)[] services)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/arm{s_service}/backends/llm?api-version=2024-05-01")
        {
            Content = new StringContent(JsonSerializer.Serialize(new { properties = new { pool = new { services = services.Select(one => new { id = $"{s_service}/backends/{one.Name}", priority = one.Priority, weight = one.Weight }) } } }), System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        (await Http.SendAsync(request, Cancel)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task SpillOver_IsSwitchedOnAndBackToTheExactNumbers()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        preparation.PlannedEffect.ShouldBe("Give openai-paygo in the backend pool llm priority 1 and weight 50 (now priority 2 and weight 100). The traffic then goes to: openai-ptu 67 %, openai-paygo 33 % (now openai-ptu 100 %).");
        preparation.Undo.ShouldBe("Give it priority 2 and weight 100 again.");

        (await ApplyAsync(Share, s_spillOver, preparation)).Result.ShouldBe("Gave openai-paygo priority 1 and weight 50.");
        (await SharesAsync()).ShouldBe("openai-ptu 1 100; openai-paygo 1 50");
        (await SentAsync())[^1].Body.ShouldBeGolden("backend-pool");
        (await ApplyAsync(Share, s_spillOver, preparation, interrupted: preparation)).Result.ShouldBe("openai-paygo had priority 1 and weight 50 when this attempt came to it, by an earlier attempt or by somebody else.");

        (await UndoAsync(Share, preparation)).Result.ShouldBe("Gave openai-paygo priority 2 and weight 100 again, as before.");
        (await SharesAsync()).ShouldBe("openai-ptu 1 100; openai-paygo 2 100");
        (await UndoAsync(Share, preparation)).Result.ShouldBe("openai-paygo has priority 2 and weight 100, as it was before.");
    }

    [Fact]
    public async Task SharesOfTheOthers_BelongToWhatIsApproved()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        await SetPoolAsync(("openai-ptu", 3, 10), ("openai-paygo", 2, 100));
        var changed = await PrepareAsync(Share, s_spillOver);

        changed.PlannedEffect.ShouldEndWith("The traffic then goes to: openai-paygo 100 % (now openai-paygo 100 %).");
        changed.Identity.ShouldNotBe(preparation.Identity);
    }

    [Fact]
    public async Task LastOneWithAWeight_KeepsIt()
    {
        await SetPoolAsync(("openai-ptu", 1, 0), ("openai-paygo", 1, 100));

        (await PrepareAsync(Share, new { service = s_service, pool = "llm", backend = "openai-paygo", weight = 0 })).Refusal
            .ShouldBe("Nobody would be left in the pool: all the others have the weight 0.");
    }

    /// <summary>Whoever has files or threads with one of the backends stays with it.</summary>
    [Fact]
    public async Task SessionAffinity_StaysDuringTheIncidentAndAfterwards()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        var before = await AffinityAsync();
        before.ShouldContain("SessionId");

        await ApplyAsync(Share, s_spillOver, preparation);
        (await AffinityAsync()).ShouldBe(before);

        await UndoAsync(Share, preparation);
        (await AffinityAsync()).ShouldBe(before);
    }

    private async Task<string> AffinityAsync() =>
        (await Http.GetFromJsonAsync<JsonElement>($"/arm{s_service}/backends/llm?api-version=2025-09-01-preview", Cancel)).GetProperty("properties").GetProperty("pool").GetProperty("sessionAffinity").GetRawText();

    [Fact]
    public async Task PoolThatSomebodyElseChanged_IsLeft()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        await SomebodyElseAsync();

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Share, s_spillOver, preparation))).Message.ShouldContain("openai-paygo has priority 7 and weight 1. Nothing was overwritten.");
        (await PrepareAsync(Share, s_spillOver)).Refusal.ShouldBe("openai-paygo is the only backend of the pool: its share changes nothing.");
    }

    [Fact]
    public async Task MissingRole_IsNamed()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        await FaultAsync("arm", "403", on: "PATCH ");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Share, s_spillOver, preparation));
        refused.Message.ShouldContain("API Management Service Contributor");
        refused.NothingDone.ShouldBeTrue();
    }

    /// <summary>Two incidents may end at once, each with a backend of the pool: the loser tries again, instead of leaving its own change for ever.</summary>
    [Fact]
    public async Task OtherChangeOfThePoolAtTheSameMoment_IsTriedAgain()
    {
        var preparation = await PrepareAsync(Share, s_spillOver);
        await ApplyAsync(Share, s_spillOver, preparation);
        await FaultAsync("arm", "412", on: "PATCH ");

        (await Should.ThrowAsync<AzureRequestException>(() => UndoAsync(Share, preparation))).Message.ShouldContain("was changed by somebody else at this moment");
        (await UndoAsync(Share, preparation)).Result.ShouldBe("Gave openai-paygo priority 2 and weight 100 again, as before.");
    }

    [Fact]
    public async Task WeightOfTheOnlyBackendOfItsPriority_IsRefused()
    {
        (await PrepareAsync(Share, new { service = s_service, pool = "llm", backend = "openai-paygo", weight = 1 })).Refusal.ShouldBe(
            "openai-paygo is the only backend with the priority 2, and weights count only among those of one priority: its weight changes nothing. Give it the priority of others.");
        (await PrepareAsync(Share, new { service = s_service, pool = "llm", backend = "openai-paygo", priority = 1 })).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task WeightOfABackendThatHadNone_TakesItIn()
    {
        await RunAsync(Share, new { service = s_service, pool = "llm", backend = "openai-paygo", weight = 0 });

        (await PrepareAsync(Share, new { service = s_service, pool = "llm", backend = "openai-paygo", weight = 50 })).Refusal.ShouldBeNull();
    }

    [Fact]
    public async Task UnknownBackend_IsRefusedNamingThoseThatThereAre() =>
        (await PrepareAsync(Share, new { service = s_service, pool = "llm", backend = "nobody", weight = 1 })).Refusal.ShouldBe("There is no nobody in the backend pool llm. There are: openai-ptu, openai-paygo.");
}

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

        var failed = await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Suspend, s_user, preparation));

        failed.NothingDone.ShouldBeTrue();
        failed.Message.ShouldContain("was changed by somebody else at this moment");
        (await KeyStateAsync()).ShouldBe("active");
    }

    [Theory]
    [InlineData("403", typeof(StepRefusedException), "This identity lacks the role ")]
    [InlineData("429", typeof(AzureRequestException), " answered 429 to: ")]
    [InlineData("500", typeof(AzureRequestException), " answered 500 to: ")]
    public async Task Fault_IsSaidInWords(string fault, Type exception, string words)
    {
        await FaultAsync("arm", fault);

        var failed = await Should.ThrowAsync(() => PrepareAsync(Suspend, s_user), exception);
        failed.Message.ShouldContain(words);
        (failed is StepRefusedException { NothingDone: true }).ShouldBeFalse("a read may come after a change");
    }
}
