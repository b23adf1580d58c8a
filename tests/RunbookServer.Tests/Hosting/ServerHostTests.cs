using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RunbookServer.Hosting;
using RunbookServer.Terminal;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Disk;
using Runbooks.Model.Definition;
using Runbooks.Settings;
using TestKit;
using TestKit.Incidents;

namespace RunbookServer.Tests.Hosting;

public sealed class ServerHostTests
{
    /// <summary>Otherwise what keeps it running, which starts again what has failed, would leave it down.</summary>
    [Fact]
    public async Task HostThatStopsByItself_SaysWhyAndEndsWithACodeOtherThan0()
    {
        using var host = Host<Broken>();
        await host.StartAsync(TestContext.Current.CancellationToken);

        var stopped = await Should.ThrowAsync<CommandException>(() => ServerHost.WaitAsync(host, TestContext.Current.CancellationToken));

        stopped.ExitCode.ShouldBe(ExitCode.Failed);
        stopped.Message.ShouldBe("The host stopped because a part of it broke: no watches left. The log says where. Start it again: open incidents go on where they were.");
    }

    [Fact]
    public async Task HostThatIsStopped_EndsWell()
    {
        using var host = Host<BreaksWhileStopping>();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var waiting = ServerHost.WaitAsync(host, TestContext.Current.CancellationToken);

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        await waiting;
    }

    /// <summary>Whichever process has a step would delete files of its own machine; whoever wants that says so.</summary>
    [Theory]
    [InlineData(StorageKind.Sqlite, null, true)]
    [InlineData(StorageKind.Azure, null, false)]
    [InlineData(StorageKind.Azure, "true", true)]
    public void FilesOfThisMachine_AreLeftAloneWhereTheRecordIsShared(object storage, string? set, bool may)
    {
        var data = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Disk:ThisMachine"] = set }.Where(setting => setting.Value is not null)).Build();
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddRunbookServer(new() { DataDirectory = data, Practice = false, Storage = (StorageKind)storage }, new RunbookFolder(data)).BuildServiceProvider();

        services.GetRequiredService<IOptions<DiskOptions>>().Value.ThisMachine.ShouldBe(may);
        Directory.Delete(data, recursive: true);
    }

    /// <summary>The page of settings and the messages of either host go by this.</summary>
    [Fact]
    public void SettingsOfOneHost_AreReadByThisOneWhereTheyAreItsOwn()
    {
        var configuration = new ConfigurationBuilder().Build();
        var data = Directory.CreateTempSubdirectory("runbooks-").FullName;
        using var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddRunbookServer(new() { DataDirectory = data, Practice = false, Storage = StorageKind.Azure }, new RunbookFolder(data)).AddServerTelemetry(configuration).BuildServiceProvider();

        HashSet<string> read = [.. services.GetServices<SettingsSection>().SelectMany(section => section.Options.GetProperties().Select(property => $"{section.Name}:{property.Name}").Append(section.Name))];

        SettingsOfOneHost.SelfHosted.ShouldBeSubsetOf(read);
        SettingsOfOneHost.FunctionsApp.ShouldEach(name => !read.Contains(name));
        Directory.Delete(data, recursive: true);
    }

    /// <summary>Without Azure in front, one header makes anybody an admin.</summary>
    [Theory]
    [InlineData(false, null, null, false)]
    [InlineData(true, null, null, true)]
    [InlineData(true, "False", null, true)]
    [InlineData(true, "True", null, false)]
    [InlineData(true, null, "runbooks", false)]
    public void HeaderThatNamesWhoCalls_IsWarnedAboutWhereNothingTakesItOut(bool trusts, string? appService, string? containerApp, bool warns) =>
        StartupMessage.BelievesAnybody(new() { TrustPlatformPrincipal = trusts }, name => name switch { "WEBSITE_AUTH_ENABLED" => appService, "CONTAINER_APP_NAME" => containerApp, _ => null }).ShouldBe(warns);

    [Theory]
    [InlineData("http://localhost:4317", null)]
    [InlineData("https://collector.example:4318", "http/protobuf")]
    [InlineData("localhost:4317", null, "OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("nonsense", "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("http://localhost:4318", "http/json", "OTEL_EXPORTER_OTLP_PROTOCOL")]
    [InlineData(null, "http")]
    public void VariableThatOpenTelemetryDoesNotUnderstand_IsNamed(string? endpoint, string? protocol, params string[] unusable) =>
        ServerTelemetry.FindUnusable(Configuration(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol))).ShouldBe(unusable);

    /// <summary>The first alert is too late to find it out.</summary>
    [Fact]
    public void ConnectionThatARunbookNeedsAndThatIsNotSetUp_IsNamed()
    {
        var runbook = Given.Runbook();
        Runbook[] runbooks =
        [
            runbook with { Id = "hung", Diagnosis = [runbook.Diagnosis[0] with { Check = "vllm.health" }] },
            runbook with { Id = "told", Mitigation = runbook.Mitigation with { Steps = [runbook.Mitigation.Steps[0] with { Do = "ticket.create" }] } },
            runbook with { Id = "slow", Diagnosis = [runbook.Diagnosis[0] with { Check = "llm.latency" }] },
        ];

        StartupMessage.FindMissing(runbooks, Configuration(("Kubernetes:Default", "b"))).ShouldBe([("Prometheus:Endpoints", "hung, slow"), ("Tickets:Systems", "told")]);
        StartupMessage.FindMissing(runbooks, Configuration(("Prometheus:Endpoints:p:Url", "https://p.example"))).ShouldBe([("Tickets:Systems", "told")]);
    }

    [Fact]
    public void CallerOfAConnection_IsTheBeginningOfANameThatThereIs()
    {
        using var services = OfflineServices.Build();
        var steps = services.GetRequiredService<StepCatalog>();
        List<string> names = [.. steps.Checks.Select(check => check.Name), .. steps.Actions.Select(action => action.Name)];

        StartupMessage.Connections.SelectMany(connection => connection.Callers)
            .ShouldEach(caller => names.Any(name => name.StartsWith(caller, StringComparison.Ordinal)));
    }

    private static IConfiguration Configuration(params (string Name, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(one => KeyValuePair.Create(one.Name, one.Value))).Build();

    private static IHost Host<T>()
        where T : class, IHostedService
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Logging.ClearProviders();
        builder.Services.AddHostedService<T>();
        return builder.Build();
    }

    private sealed class Broken(IHostApplicationLifetime host) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var started = new TaskCompletionSource();
            using var starting = host.ApplicationStarted.Register(started.SetResult);
            await started.Task;
            throw new IOException("no watches left");
        }
    }

    private sealed class BreaksWhileStopping : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            var stopped = new TaskCompletionSource();
            using var stopping = stoppingToken.Register(stopped.SetResult);
            await stopped.Task;
            throw new IOException("gone already");
        }
    }
}
