using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using TestKit;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.AzureStorage.Tests;

/// <summary>Records that are too large for a row, on an account that goes away in the middle.</summary>
public sealed class LargeDocumentTests(Azurite azurite)
{
    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AccountGoesAwayAtAnyWriteOfAChange_NothingThatIsOnRecordIsCalledUnavailable()
    {
        var account = new AzureAccount(azurite);
        var store = account.Incidents();
        await store.OpenAsync(New("a").OfSize(2_500_000), Runbook(), _ => null, Now);
        var failed = true;
        for (var write = 1; failed; write++)
        {
            var away = new FaultyNetwork { BeforeWrite = number => number >= write ? throw new RequestFailedException(0, "The account is away.") : Task.CompletedTask };
            failed = false;
            try
            {
                await account.Incidents(away).UpdateAsync("a", i => i.Note(Start, TimelineKind.Step, "x", $"change {write}"), Now);
            }
            catch (StoreUnavailableException)
            {
                failed = true;
            }

            (await store.GetAsync("a", Now)).Timeline.Any(line => line.What == $"change {write}").ShouldBe(!failed, $"write {write}");
        }
    }

    [Fact]
    public async Task AccountGoesAwayWhileARecordIsRead_IsSaidAsAnyOtherTimeThatItIsAway()
    {
        var account = new AzureAccount(azurite);
        await account.Incidents().OpenAsync(New("a").OfSize(2_500_000), Runbook(), _ => null, Now);

        await Should.ThrowAsync<StoreUnavailableException>(() => account.Incidents(new BlobsAway()).GetAsync("a", Now));
    }

    [Fact]
    public async Task BlobThatIsGone_IsSaidAndNotLookedForWithoutEnd()
    {
        var account = new AzureAccount(azurite);
        await account.Incidents().OpenAsync(New("a").OfSize(2_500_000), Runbook(), _ => null, Now);
        await account.RemoveDocumentBlobsAsync();

        var gone = await Should.ThrowAsync<InvalidDataException>(() => account.Incidents().GetAsync("a", Now).WaitAsync(Patience.Limit, Now));
        gone.Message.ShouldContain("is gone");
    }

    /// <summary>Rows can be read, properties of blobs can be asked, and what they hold cannot be read.</summary>
    private sealed class BlobsAway : HttpPipelinePolicy
    {
        public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) => throw new NotSupportedException();

        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
            message.Request.Method == RequestMethod.Get && !message.Request.Uri.Path.Contains('(')
                ? throw new RequestFailedException(0, "The connection was reset.")
                : ProcessNextAsync(message, pipeline);
    }
}
