using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Azure.Banner;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Integrations.Tests.Azure.Banner;

public sealed partial class BannerBlobTests(Azurite azurite) : OnTheSandbox, IAsyncLifetime, IClassFixture<Azurite>
{
    private const string Publish = "banner.publish";
    private const string Key = "/appconfiguration/kv/banner?api-version=2023-11-01";
    private static readonly object s_pause = new { message = "Creative writing is paused.", severity = "warning" };
    private readonly string _name = $"b{Guid.NewGuid():N}";

    private BlobContainerClient Container => new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient(_name);

    private BlobClient Blob => Container.GetBlobClient("banner.json");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?>
    {
        ["Banner:Container"] = Container.Uri.ToString(),
        ["Banner:ConnectionString"] = azurite.ConnectionString,
    };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddBanner();

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        await Container.CreateAsync(cancellationToken: Cancel);
        await InitializeAsync();
    }

    private Task WriteAsync(string text, string type = "text/plain") => Blob.UploadAsync(
        BinaryData.FromString(text), new BlobUploadOptions { HttpHeaders = new BlobHttpHeaders { ContentType = type } }, Cancel);

    private async Task<(string Text, string Type)?> ReadAsync() => await Blob.ExistsAsync(Cancel)
        ? (await Blob.DownloadContentAsync(Cancel)).Value is { } found ? (found.Content.ToString(), found.Details.ContentType) : null
        : null;

    private async Task<bool> KeyExistsAsync() => (await Http.GetAsync(Key, Cancel)).IsSuccessStatusCode;

    private async Task<Preparation> PublishAsync(object? with = null)
    {
        var preparation = await PrepareAsync(Publish, with ?? s_pause);
        await ApplyAsync(Publish, with ?? s_pause, preparation);
        return preparation;
    }

    [Fact]
    public async Task Banner_IsAlsoABlobThatAPageCanRead()
    {
        var preparation = await PublishAsync();

        preparation.PlannedEffect.ShouldBe(
            $"Show users the banner “Creative writing is paused.” through 'banner' in App Configuration 'practice' and the blob {_name}/banner.json of storage account 'devstoreaccount1'.");
        (await ReadAsync()).ShouldBe(("""{"message":"Creative writing is paused.","severity":"warning","incident":"inc-1"}""", "application/json"));
        (await Blob.GetPropertiesAsync(cancellationToken: Cancel)).Value.CacheControl.ShouldBe("no-cache");
        (await KeyExistsAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task Undo_RemovesABlobThatWasNotThere()
    {
        var preparation = await PublishAsync();

        await UndoAsync(Publish, preparation);

        (await ReadAsync(), await KeyExistsAsync()).ShouldBe((null, false));
    }

    /// <summary>Pages that read the one place would show it, and pages that read the other would not, for as long as the switch is on.</summary>
    [Fact]
    public async Task Undo_TheKeyFollowsTheBlobWhateverIsPausedInBetween()
    {
        var preparation = await PublishAsync();
        var context = ContextOf("inc-1") with { Time = new SkippingTime(Clock), FindPause = async _ => await Blob.ExistsAsync(Cancel) ? null : "The kill switch is on." };

        await Action(Publish).UndoAsync(preparation.UndoState!.Value, context, Cancel);

        (await ReadAsync(), await KeyExistsAsync()).ShouldBe((null, false));
    }

    [Fact]
    public async Task Undo_BringsBackExactlyWhatWasThere()
    {
        await WriteAsync("\uFEFF{ \"message\":\"Maintenance on Sunday – 10 °C\" }\r\n");
        var preparation = await PublishAsync();
        preparation.Undo.ShouldBe("Bring the previous banner back.");

        await UndoAsync(Publish, preparation);

        (await ReadAsync()).ShouldBe(("\uFEFF{ \"message\":\"Maintenance on Sunday – 10 °C\" }\r\n", "text/plain"));
    }

    [Fact]
    public async Task WhatBelongsToTheBlob_StaysWhileTheBannerIsUpAndAfterwards()
    {
        await Blob.UploadAsync(BinaryData.FromString("before"), new BlobUploadOptions
        {
            HttpHeaders = new BlobHttpHeaders { ContentType = "text/plain", CacheControl = "max-age=30", ContentLanguage = "en", ContentDisposition = "inline" },
            Metadata = new Dictionary<string, string> { ["owner"] = "web" },
        }, Cancel);

        var preparation = await PublishAsync();
        await ShouldBeKeptAsync();

        await UndoAsync(Publish, preparation);
        await ShouldBeKeptAsync();

        async Task ShouldBeKeptAsync()
        {
            var found = (await Blob.GetPropertiesAsync(cancellationToken: Cancel)).Value;
            (found.CacheControl, found.ContentLanguage, found.ContentDisposition, found.Metadata["owner"]).ShouldBe(("max-age=30", "en", "inline", "web"));
        }
    }

    [Fact]
    public async Task Undo_LeavesWhatSomebodyElseWroteAndTakesTheKeyBackAllTheSame()
    {
        var preparation = await PublishAsync();
        await WriteAsync("theirs");

        (await Should.ThrowAsync<StepRefusedException>(() => UndoAsync(Publish, preparation))).Message.ShouldContain("changed by somebody else since");

        (await ReadAsync())!.Value.Text.ShouldBe("theirs");
        (await KeyExistsAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task Undo_ThatOnePlaceRefusesIsNotLeftAloneForTheOther()
    {
        var preparation = await PublishAsync();
        await WriteAsync("theirs");
        await FaultAsync("appconfiguration", "403", on: "DELETE ");

        var refused = await Should.ThrowAsync<StepRefusedException>(() => UndoAsync(Publish, preparation));

        refused.ShouldNotBeOfType<ChangedSinceException>("the key is ours and still there, so it is tried again");
        refused.Message.ShouldContain("lacks the role");
        refused.Message.ShouldContain("changed by somebody else since");
    }

    [Fact]
    public async Task BlobThatChangedSinceTheApproval_IsNotOverwritten()
    {
        var preparation = await PrepareAsync(Publish, s_pause);
        await WriteAsync("theirs");

        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync(Publish, s_pause, preparation))).Message.ShouldContain("Nothing was overwritten");

        (await ReadAsync())!.Value.Text.ShouldBe("theirs");
    }

    [Fact]
    public async Task InterruptedAttempt_IsFinishedAndStillGoesBackToTheFirstValue()
    {
        await WriteAsync("before");
        var first = await PublishAsync();

        var again = await PrepareAsync(Publish, s_pause, interrupted: first);
        await ApplyAsync(Publish, s_pause, again, interrupted: first);
        await UndoAsync(Publish, again);

        (await ReadAsync())!.Value.Text.ShouldBe("before");
    }

    [Fact]
    public async Task StepThatNamesABlob_WritesThatOne()
    {
        await PublishAsync(new { message = "x", blob = "eu.json" });

        (await Container.GetBlobClient("eu.json").ExistsAsync(Cancel)).Value.ShouldBeTrue();
        (await ReadAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task EmptyBlob_IsReplacedAndComesBackEmpty()
    {
        await WriteAsync("");
        var preparation = await PublishAsync();

        await UndoAsync(Publish, preparation);

        (await ReadAsync())!.Value.Text.ShouldBe("");
    }

    [Fact]
    public async Task SomethingElseUnderTheName_IsRefusedBeforeAnythingIsTouched()
    {
        await WriteAsync(new string('x', 17 * 1024));
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Publish, s_pause))).Message.ShouldContain("so it is no banner");

        await Blob.UploadAsync(BinaryData.FromBytes([0xFF, 0xFE, 0x00]), overwrite: true, Cancel);
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Publish, s_pause))).Message.ShouldContain("not text");
    }

    [Fact]
    public async Task ContainerThatIsNotThere_IsForTryingAgain()
    {
        var preparation = await PrepareAsync(Publish, s_pause);
        await Container.DeleteAsync(cancellationToken: Cancel);

        (await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Publish, s_pause, preparation))).Message.ShouldContain("404 ContainerNotFound");
    }

    [Fact]
    public async Task WrongKey_NamesTheRoleAndTheContainer()
    {
        var wrong = AccountKey().Replace(azurite.ConnectionString, $"AccountKey={Convert.ToBase64String(new byte[64])}");
        var blobs = ActivatorUtilities.CreateInstance<BannerBlobs>(
            Services, Options.Create(new BannerOptions { Container = Container.Uri.ToString(), ConnectionString = wrong }));

        (await Should.ThrowAsync<StepRefusedException>(() => blobs.ReadAsync(blobs.Address(null)!, Cancel)))
            .Message.ShouldStartWith($"This identity lacks the role Storage Blob Data Contributor on the container {_name}, so it may not read the blob {_name}/banner.json");
    }

    [GeneratedRegex("AccountKey=[^;]+")]
    private static partial Regex AccountKey();
}
