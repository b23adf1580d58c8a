using System.Net;
using Azure.Core.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Storage;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.AzureStorage.Tests;

public sealed class RefusedByAzureTests
{
    private const int FirstAttemptAndRetries = 4;

    private const string Keeper = "AzureFunctionsJobHost:extensions:durableTask:storageProvider:type";

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    public async Task Throttling_IsTriedAgainAndThenUnavailable(int status)
    {
        using var network = new AnswersOnly(status);
        var stores = new Stores(network);

        (await stores.Incidents.OpenAsync(New("a"), Runbook(), _ => null, Now).ShouldThrowAsync<StoreUnavailableException>())
            .Message.ShouldContain($"{status}");

        network.Requests.ShouldBe(FirstAttemptAndRetries);
    }

    [Fact]
    public async Task NoPermission_IsUnavailableAtOnce()
    {
        using var network = new AnswersOnly(403);
        var stores = new Stores(network);

        await stores.Incidents.UpdateAsync("a", i => i, Now).ShouldThrowAsync<StoreUnavailableException>();
        network.Requests.ShouldBe(1);
        (await stores.Incidents.CheckHealthAsync(Now))!.ShouldContain("403");
        await stores.State.FindAsync<string>("key", Now).ShouldThrowAsync<StoreUnavailableException>();
        await stores.Evidence.OpenAsync("i1/pod.log", Now).ShouldThrowAsync<StoreUnavailableException>();
        await stores.Evidence.SaveAsync("i1", "pod.log", Stream.Null, Now).ShouldThrowAsync<StoreUnavailableException>();
    }

    [Fact]
    public async Task MissingRole_IsNamed()
    {
        using var network = new AnswersOnly(403, "AuthorizationPermissionMismatch");

        (await new Stores(network).Evidence.OpenAsync("i1/pod.log", Now).ShouldThrowAsync<StoreUnavailableException>())
            .Message.ShouldContain("lacks the role Storage Table Data Contributor, Storage Blob Data Owner or Storage Queue Data Contributor");
    }

    [Fact]
    public async Task NoNetwork_IsUnavailable()
    {
        using var network = new AnswersOnly(null);
        (await new Stores(network).Incidents.ListAsync(new IncidentQuery(), Now).ShouldThrowAsync<StoreUnavailableException>())
            .Message.ShouldBe("Azure Storage cannot be reached.");
    }

    /// <summary>A role of one service may be missing, and a record that is too large for a row needs both.</summary>
    [Theory]
    [InlineData(10_000, "Blobs: Azure Storage answered 403 .")]
    [InlineData(10_002, "Tables: Azure Storage answered 403 .")]
    public async Task Health_NamesTheServiceThatRefuses(int port, string trouble)
    {
        using var network = new AnswersOnly(403) { Refuses = uri => uri.Port == port };

        (await new Stores(network).Incidents.CheckHealthAsync(Now)).ShouldBe(trouble);
    }

    /// <summary>Whoever balances the load asks every few seconds.</summary>
    [Fact]
    public async Task HealthOfWhatDoesNotAnswer_IsKnownInTime()
    {
        var time = new FakeTimeProvider();
        using var network = new NeverAnswers();
        var asked = new Stores(network, time).Incidents.CheckHealthAsync(Now);
        time.Advance(TimeSpan.FromSeconds(8));

        (await asked).ShouldBe("Tables: Azure Storage did not answer in time. Blobs: Azure Storage did not answer in time.");
    }

    /// <summary>The Functions host works off the queues, and this program never touches them.</summary>
    [Theory]
    [InlineData(403, null, "Queues of the task hub: Azure Storage answered 403 .", 1)]
    [InlineData(404, null, null, 1)]
    [InlineData(403, "AzureStorage", "Queues of the task hub: Azure Storage answered 403 .", 1)]
    [InlineData(403, "azureManaged", null, 0)]
    public async Task QueuesOfTheHostsTaskHub_AreTried(int status, string? keeper, string? trouble, int requests)
    {
        using var network = new AnswersOnly(status);
        var hub = new HostTaskHub(Host(("AzureWebJobsStorage", "UseDevelopmentStorage=true"), (Keeper, keeper)), TimeProvider.System, client => client.Transport = new HttpClientTransport(network));

        (await hub.CheckQueuesAsync(Now)).ShouldBe(trouble);
        network.Requests.ShouldBe(requests);
    }

    [Theory]
    [InlineData("AzureWebJobsStorage", "UseDevelopmentStorage=true", "http://127.0.0.1:10001/devstoreaccount1/ml-workitems")]
    [InlineData("AzureWebJobsStorage:queueServiceUri", "https://a.queue.core.usgovcloudapi.net/", "https://a.queue.core.usgovcloudapi.net/ml-workitems")]
    [InlineData("AzureWebJobsStorage:accountName", "a", "https://a.queue.core.windows.net/ml-workitems")]
    [InlineData("AzureWebJobsStorage:blobServiceUri", "https://a.blob.core.windows.net/", null)]
    public void QueuesOfTheHostsTaskHub_AreWhereItsSettingsSay(string setting, string value, string? address) =>
        (HostTaskHub.FindWorkItems(Host((setting, value), ("AzureWebJobsStorage:clientId", "c"), ("AzureFunctionsJobHost:extensions:durableTask:hubName", "ML")), null)?.Uri.ToString()).ShouldBe(address);

    /// <summary>The Durable extension looks under the host's own prefix first.</summary>
    [Theory]
    [InlineData("HubAccount", "HubAccount")]
    [InlineData("HubAccount", "AzureWebJobsHubAccount")]
    [InlineData("HubAccount", "ConnectionStrings:HubAccount")]
    [InlineData("AzureWebJobsStorage", "AzureWebJobsStorage")]
    public void QueuesOfAHubWithAnAccountOfItsOwn_AreThere(string name, string setting) =>
        (HostTaskHub.FindWorkItems(
            Host(("AzureFunctionsJobHost:extensions:durableTask:storageProvider:connectionName", name), ("AzureWebJobsStorage:accountName", "other"), (setting, "UseDevelopmentStorage=true")), null)?.Uri.ToString())
            .ShouldBe("http://127.0.0.1:10001/devstoreaccount1/runbooks-workitems");

    private static IConfiguration Host(params IEnumerable<(string Name, string? Value)> settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value))).Build();

    private sealed class Stores
    {
        public Stores(HttpMessageHandler network, TimeProvider? time = null)
        {
            var options = new AzureStorageOptions { ConnectionString = "UseDevelopmentStorage=true" };
            var clients = new AzureStorageClients(options, client =>
            {
                client.Transport = new HttpClientTransport(network);
                client.Retry.Delay = client.Retry.MaxDelay = TimeSpan.FromMilliseconds(1);
            });
            Incidents = new TableIncidentStore(clients, options, time ?? TimeProvider.System, NullLogger<TableIncidentStore>.Instance);
            State = new TableSharedState(clients, options, TimeProvider.System);
            Evidence = new BlobEvidenceStore(clients.Container(options.EvidenceContainer));
        }

        public TableIncidentStore Incidents { get; }

        public TableSharedState State { get; }

        public BlobEvidenceStore Evidence { get; }
    }

    /// <param name="status">Null: nobody answers.</param>
    /// <param name="code">The service's own word for it.</param>
    private sealed class AnswersOnly(int? status, string code = "") : HttpMessageHandler
    {
        private int _requests;

        public int Requests => _requests;

        public Func<Uri, bool> Refuses { get; init; } = _ => true;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref _requests);
            if (!Refuses(request.RequestUri!))
            {
                var done = new HttpResponseMessage(request.RequestUri!.Port == 10_002 ? HttpStatusCode.NoContent : HttpStatusCode.Created) { Content = new StringContent("{}") };
                done.Headers.ETag = new("\"1\"");
                done.Content.Headers.LastModified = DateTimeOffset.UnixEpoch;
                return Task.FromResult(done);
            }

            return status is { } answer
                ? Task.FromResult(new HttpResponseMessage((HttpStatusCode)answer) { Headers = { { "x-ms-error-code", code } } })
                : throw new HttpRequestException("No route to host.");
        }
    }

    private sealed class NeverAnswers : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => new TaskCompletionSource<HttpResponseMessage>().Task;
    }
}
