using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Orchestration;
using Runbooks.Orchestration.TaskHub;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.Orchestration;

namespace Runbooks.Tests.Orchestration;

/// <summary>An incident that began under another version of the story.</summary>
public sealed class VersionTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("1.0")]
    public async Task OlderVersion_FailsAndSaysWhichBeganIt(string? version)
    {
        await using var world = new IncidentWorld();
        await using var hub = await SqliteHub.OpenAsync(new TaskHubTasks().AddIncidents(), services: world.Services);
        hub.HubOptions.Version = version;

        await hub.StartAsync(IncidentOrchestrator.Name, "i", IncidentInput.Of("i", Given.Runbook()));

        var end = await hub.WaitForEndAsync("i");
        end.Status.ShouldBe(EngineStatus.Failed);
        end.Text!.ShouldContain($"began under version {version}");
    }

    [Fact]
    public async Task IncidentThatTheEngineGaveUp_IsClosedAndItsOwnerPaged()
    {
        await using var world = new IncidentWorld(configure: services => services.AddWatchdog());
        var runbook = Given.Runbook();
        var incident = Given.Incident(runbook);
        await world.Store.OpenAsync(incident, runbook, _ => null, CancellationToken.None);
        await world.Engine.TellVersionAsync("1.0");
        await world.Engine.OpenAsync(IncidentInput.Of(incident.Id, runbook));
        await world.Engine.SettleAsync();

        await world.Get<IncidentWatchdog>().CheckAsync(CancellationToken.None);

        var closed = await world.SettleAsync(incident.Id);
        closed.State.ShouldBe(IncidentState.Failed);
        closed.Reason!.ShouldContain("began under version 1.0");
        world.Notifier.To(CardKind.Page).ShouldNotBeEmpty();
    }
}
