using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Azure.Banner;

public sealed class PublishBannerTests : OnTheSandbox
{
    private const string Publish = "banner.publish";
    private const string Key = "/appconfiguration/kv/banner?api-version=2023-11-01";
    private static readonly object s_pause = new { message = "Creative writing is paused.", severity = "warning" };

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["AppConfiguration:Stores:us:Endpoint"] = $"{SandboxAddress}appconfiguration" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddBanner();

    /// <summary>A step that names no store was approved for the one that the settings named then.</summary>
    [Fact]
    public async Task SameBannerInAnotherStore_IsAnotherStep()
    {
        var approved = (await PrepareAsync(Publish, new { message = "Paused." })).Identity;

        (await PrepareAsync(Publish, new { message = "Paused.", store = "us" })).Identity.ShouldNotBe(approved);
    }

    [Fact]
    public async Task Banner_IsShownAndTakenAway()
    {
        var preparation = await PrepareAsync(Publish, s_pause);
        preparation.PlannedEffect.ShouldBe("Show users the banner “Creative writing is paused.” through 'banner' in App Configuration 'practice'.");

        await ApplyAsync(Publish, s_pause, preparation);

        (await Http.GetStringAsync(Key, Cancel)).ShouldContain("Creative writing is paused.");
        (await SentAsync())[^1].Body.ShouldBeGolden("key");
        (await UndoAsync(Publish, preparation)).Result.ShouldBe("Removed 'banner' in App Configuration 'practice' again.");
    }

    [Fact]
    public async Task LockedKey_IsRefusedBeforeAnybodyIsAsked()
    {
        (await Http.PutAsJsonAsync(Key, new { value = "{}" }, Cancel)).EnsureSuccessStatusCode();
        (await Http.PutAsync(Key.Replace("/kv/", "/locks/", StringComparison.Ordinal), null, Cancel)).EnsureSuccessStatusCode();

        (await PrepareAsync(Publish, s_pause)).Refusal.ShouldNotBeNull().ShouldContain("is locked");
    }

    [Fact]
    public async Task BlobWithoutAContainer_IsRefusedWithTheSetting() =>
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Publish, new { message = "x", blob = "other.json" })))
            .Message.ShouldBe("No container is configured for the blob 'other.json'. Set Banner:Container.");

    [Theory]
    [InlineData("http://127.0.0.1:10000/devstoreaccount1/banner")]
    [InlineData("https://a.blob.core.windows.net/banner?sv=2026&sig=x")]
    [InlineData("banner")]
    public void ContainerThatWouldLeakOrIsNone_IsRefusedAtTheStart(string container)
    {
        var options = new BannerOptions { Container = container };

        options.Validate(new(options)).ShouldHaveSingleItem().ErrorMessage!.ShouldContain("Banner:Container must be the https URL");
    }
}
