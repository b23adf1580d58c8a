using Microsoft.Extensions.DependencyInjection;
using RunbookServer.Hosting;
using RunbookServer.Terminal;
using RunbookServer.Tests.EndToEnd;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit;

namespace RunbookServer.Tests.Hosting;

public sealed class PracticeGuardTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public void EverySystemThatActionsReach_IsOutside() => PracticeGuard.Outside.ShouldBeSubsetOf(
        ["AppConfiguration", "ArmRequest", "Azure", "Banner", "Disk", "GrafanaOnCall", "HttpProbe", "HttpRequest", "Kubernetes", "LiteLlm", "LlmProvider", "OnCall", "PagerDuty", "Prometheus", "Tickets"]);

    [Theory]
    [InlineData(true, "was used to practise, and its incidents must not continue on real systems. Name another folder with --data.")]
    [InlineData(false, "holds incidents of real systems, which must not go on in a sandbox. Name another folder with --data, or add --no-practice.")]
    public async Task RecordOfOneKind_IsNotOpenedByTheOther(bool practice, string words)
    {
        await OpenAsync(practice);
        await OpenAsync(practice);

        (await Should.ThrowAsync<CommandException>(() => OpenAsync(!practice))).Message.ShouldEndWith(words);
        (await ProgramRun.RunAsync([.. (string[])["serve", "--port", "0", "--data", _data], .. (string[])(practice ? ["--no-practice"] : [])])).Code.ShouldBe(2);
    }

    [Theory]
    [InlineData("Prometheus:Endpoints:mine:Url=http://127.0.0.1:9090;Prometheus:Default=mine", true)]
    [InlineData("HttpRequest:AllowedHosts:0=localhost:8080", true)]
    [InlineData("OnCall:CacheFor=00:05:00", true)]
    [InlineData("PagerDuty:RoutingKey=abc;Azure:TenantId=11111111-2222-3333-4444-555555555555", true)]
    [InlineData("HttpRequest:AllowedHosts:0=localhost:8080;HttpRequest:AllowedHosts:1=intranet", false)]
    [InlineData("Prometheus:Endpoints:mine:Url=http://127.0.0.1:9090;Prometheus:Endpoints:other:Url=https://prometheus.example", false)]
    [InlineData("Kubernetes:Clusters:a:Server=https://127.0.0.1:6443;Kubernetes:Clusters:b:KubeConfig=/root/.kube/config", false)]
    public void WhatStandsOnThisMachine_MayBeNamed(string settings, bool may)
    {
        var given = settings.Split(';').Select(setting => setting.Split('=')).Select(parts => (parts[0], parts[1], "settings.json"));

        (Record.Exception(() => PracticeGuard.RefuseRealSystems(given)) is null).ShouldBe(may);
    }

    /// <summary>Of before there was a mark; whoever opens it in practice by mistake has not lost it.</summary>
    [Fact]
    public async Task RecordInUseThatSaysNothing_StaysOpenToBoth()
    {
        await using (var services = Services())
        {
            await services.GetRequiredService<IIncidentStore>().OpenAsync(Some.Incident(), Some.Runbook(), latest => latest, TestContext.Current.CancellationToken);
        }

        await OpenAsync(practice: true);
        await OpenAsync(practice: false);
        (await Should.ThrowAsync<CommandException>(() => OpenAsync(practice: true))).Message.ShouldContain("holds incidents of real systems");
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private async Task OpenAsync(bool practice)
    {
        await using var services = Services();
        await PracticeGuard.KeepApartAsync(services, new() { DataDirectory = _data, Practice = practice }, TestContext.Current.CancellationToken);
    }

    private ServiceProvider Services() => new ServiceCollection().AddLogging().AddSingleton(TimeProvider.System).AddSingleton<IncidentChanges>().AddSqlite(_data).BuildServiceProvider();
}
