using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Client.Grpc;
using Microsoft.DurableTask.Converters;
using Microsoft.DurableTask.Testing;
using Microsoft.DurableTask.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.AzureStorage;
using Runbooks.Engine;
using Runbooks.Orchestration;
using TestKit;

namespace RunbookFunctions.Tests;

/// <summary>
/// What the app asks of Durable Functions' client, on Durable Task's own in-process host: real protocol, state in memory. That
/// orchestrations survive is proved elsewhere, on the storage that keeps them.
/// </summary>
public sealed class DurableIncidentEngineTests : IAsyncLifetime
{
    private static readonly TaskName s_waits = "waits";
    private static readonly TaskName s_fails = "fails";
    private readonly DurableClients _clients = new();
    private readonly DurableIncidentEngine _engine;
    private int _runs;
    private DurableTaskTestHost _host = null!;

    public DurableIncidentEngineTests() => _engine = new DurableIncidentEngine(_clients, new HostTaskHub(new ConfigurationBuilder().Build(), TimeProvider.System), TimeProvider.System);

    public async ValueTask InitializeAsync() => _host = await DurableTaskTestHost.StartAsync(
        tasks =>
        {
            tasks.AddOrchestratorFunc<int, string>(s_waits, async (context, _) =>
            {
                await context.CallActivityAsync<int>("count", 1);
                await context.WaitForExternalEvent<object?>("go");
                return context.Version;
            });
            tasks.AddOrchestratorFunc<int, string>(s_fails, async (context, _) =>
            {
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                throw new InvalidOperationException("the story went wrong");
            });
            tasks.AddActivityFunc<int, int>("count", (_, _) => Interlocked.Increment(ref _runs));
        },
        new DurableTaskTestHostOptions
        {
            // The host's own choice is a number between 30,000 and 40,000, taken or not.
            Port = FreePort.Next(),
            ConfigureServices = services => services
                .Configure<DurableTaskWorkerOptions>(options => options.DataConverter = new JsonDataConverter(DurableJson.Options))
                .Configure<DurableTaskClientOptions>(options => options.DataConverter = new JsonDataConverter(DurableJson.Options)),
        });

    [Fact]
    public async Task StartOfAnIdThatExists_DoesNothingWhateverItsState()
    {
        await StartAsync(s_waits, "i");
        await StartAsync(s_waits, "i");
        await WakeAsync("i", "go");
        await EndAsync("i");
        await StartAsync(s_waits, "i");

        (await FindAsync("i"))!.Status.ShouldBe(EngineStatus.Completed);
        _runs.ShouldBe(1);
    }

    [Fact]
    public async Task Instance_CarriesTheOrchestratorsVersion()
    {
        await StartAsync(s_waits, "i");
        await WakeAsync("i", "GO");

        (await EndAsync("i")).ReadOutputAs<string>().ShouldBe(IncidentOrchestrator.Version);
    }

    [Fact]
    public async Task WakeOfWhatIsUnknownOrFinished_IsNoError()
    {
        await StartAsync(s_fails, "i");
        await EndAsync("i");

        await WakeAsync("i", "anything");
        await WakeAsync("nobody", "anything");

        (await FindAsync("nobody")).ShouldBeNull();
    }

    [Fact]
    public async Task FailedInstance_SaysWhy()
    {
        await StartAsync(s_fails, "i");
        await EndAsync("i");

        var found = await FindAsync("i");
        found!.Status.ShouldBe(EngineStatus.Failed);
        found.Failure!.ShouldContain("the story went wrong");
    }

    [Fact]
    public async Task ForgottenInstance_IsGoneAndARunningOneIsNotForgotten()
    {
        await StartAsync(s_fails, "ended");
        await EndAsync("ended");
        await StartAsync(s_waits, "runs");

        foreach (var id in (string[])["ended", "runs", "nobody"])
        {
            await _clients.UseAsync(_host.Client, () => _engine.ForgetAsync(id, CancellationToken.None));
        }

        (await FindAsync("ended")).ShouldBeNull();
        (await FindAsync("runs")).ShouldNotBeNull();
    }

    [Fact]
    public async Task HubThatAnswers_IsHealthy() =>
        (await _clients.UseAsync(_host.Client, () => _engine.CheckHealthAsync(CancellationToken.None))).ShouldBeNull();

    [Fact]
    public async Task HubThatHangs_IsNamedInTime()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var time = new FakeTimeProvider();
        var settings = new ConfigurationBuilder().AddInMemoryCollection([new("AzureWebJobsStorage", $"AccountName=a;AccountKey={Convert.ToBase64String(new byte[32])};QueueEndpoint=http://{silent.LocalEndpoint}/a")]).Build();
        await using var client = new GrpcDurableTaskClient(
            "silent", new GrpcDurableTaskClientOptions { Channel = GrpcChannel.ForAddress($"http://{silent.LocalEndpoint}") }, NullLogger<GrpcDurableTaskClient>.Instance);

        var asked = _clients.UseAsync(client, () => new DurableIncidentEngine(_clients, new HostTaskHub(settings, time), time).CheckHealthAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(8));

        (await asked).ShouldBe("The task hub does not answer in time. Queues of the task hub: Azure Storage did not answer in time.");
    }

    [Fact]
    public void SettingsOfTheHost_AreThoseOfItsFileUnlessTheAppSaysOtherwise()
    {
        const string Provider = "AzureFunctionsJobHost:extensions:durableTask:storageProvider";
        var folder = Directory.CreateTempSubdirectory("runbooks-").FullName;
        File.WriteAllText(Path.Combine(folder, "host.json"), """{ "extensions": { "durableTask": { "storageProvider": { "type": "azureStorage", "connectionName": "HubAccount" } } } }""");

        var settings = HostSettings.Of(new ConfigurationBuilder().AddInMemoryCollection([new($"{Provider}:type", "azureManaged")]).Build(), folder);

        (settings[$"{Provider}:connectionName"], settings[$"{Provider}:type"]).ShouldBe(("HubAccount", "azureManaged"));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task OutsideAFunction_ItSaysThatThereIsNoClient() =>
        (await Should.ThrowAsync<InvalidOperationException>(() => _engine.FindAsync("i", CancellationToken.None))).Message.ShouldContain("Durable client");

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    private Task StartAsync(TaskName orchestrator, string id) =>
        _clients.UseAsync(_host.Client, () => _engine.StartAsync(orchestrator, id, 1, CancellationToken.None));

    private Task WakeAsync(string id, string name) => _clients.UseAsync(_host.Client, () => _engine.WakeAsync(id, name, CancellationToken.None));

    private Task<EngineInstance?> FindAsync(string id) => _clients.UseAsync(_host.Client, () => _engine.FindAsync(id, CancellationToken.None));

    private async Task<OrchestrationMetadata> EndAsync(string id)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        return await _host.Client.WaitForInstanceCompletionAsync(id, getInputsAndOutputs: true, patience.Token);
    }
}
