using System.Net.Http.Json;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure.AppConfiguration;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Tests.Support;
using TestKit;

namespace Runbooks.Integrations.Tests.Azure.Banner;

/// <summary>The banner is in two places, and nobody answers in one of them.</summary>
public sealed class BannerBlobDownTests : OnTheSandbox
{
    private const string Key = "/appconfiguration/kv/banner?api-version=2023-11-01";
    private const string Banner = """{"message":"Paused.","severity":"warning","incident":"inc-1"}""";
    private readonly string _account = $"http://127.0.0.1:{FreePort.Next()}/account";

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Banner:Container"] = $"{_account}/web",
        ["Banner:ConnectionString"] = $"DefaultEndpointsProtocol=http;AccountName=account;AccountKey=a2V5;BlobEndpoint={_account};",
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddBanner();

    [Fact]
    public async Task Undo_TakesTheKeyBackAndSaysThatTheBlobIsTriedAgain()
    {
        (await Http.PutAsJsonAsync(Key, new { value = Banner }, Cancel)).EnsureSuccessStatusCode();
        var change = new BannerChange(Of("practice", "banner"), Of("web", "banner.json"));

        var left = await Should.ThrowAsync<AttemptFailedException>(() => Action("banner.publish").UndoAsync(change.ToState(), ContextOf("inc-1"), Cancel));

        left.Message.ShouldContain("'banner' in App Configuration 'practice'");
        left.Message.ShouldContain("The blob web/banner.json of storage account 'account' cannot be reached to read it");
        (await Http.GetAsync(Key, Cancel)).IsSuccessStatusCode.ShouldBeFalse();
    }

    private static SettingChange Of(string store, string key) => new(new(store, key, ""), null, null, Banner, "application/json");
}
