using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;

namespace Runbooks.Tests.Intake;

/// <summary>An incident is woken once all of a post is on record: half of it may say that everything is over.</summary>
public sealed class WakeTests
{
    /// <summary>Pods that were replaced: the old one is over and the new one fires, in one post of Alertmanager.</summary>
    [Fact]
    public async Task PostThatEndsOneAlertAndBringsAnother_WakesWhenBothAreOnRecord()
    {
        var woken = new List<DateTimeOffset?>();
        IntakeWorld? world = null;
        await using var made = world = new IntakeWorld(
            services => services.AddSingleton<IIncidentEngine>(_ => new Engine(world!, woken)),
            IntakeWorld.Runbook("pods", "{{ labels.namespace }}/{{ labels.deployment }}", "alertmanager", "PodDown", checks: false));
        await world.TakeAsync([.. Post(("firing", "a"))]);

        await world.TakeAsync([.. Post(("resolved", "a"), ("firing", "b"))]);
        woken.ShouldAllBe(over => over == null);
        world.Only.State.ShouldBe(IncidentState.AwaitingApproval);

        await world.TakeAsync([.. Post(("resolved", "b"))]);
        woken[^1].ShouldNotBeNull();
        world.Only.State.ShouldBe(IncidentState.SelfRecovered);
    }

    private static IReadOnlyList<Model.Alerts.Alert> Post(params (string Status, string Pod)[] alerts) => Readers.Read("alertmanager", $$"""
        {"version":"4","status":"firing","alerts":[{{string.Join(',', alerts.Select(alert => $$$"""
            {"status":"{{{alert.Status}}}","labels":{"alertname":"PodDown","namespace":"shop","deployment":"web","pod":"{{{alert.Pod}}}"},"annotations":{},"startsAt":"2026-11-23T01:00:00Z",
            "endsAt":"{{{(alert.Status == "firing" ? "0001-01-01T00:00:00Z" : "2026-11-23T01:05:00Z")}}}","fingerprint":"{{{alert.Pod}}}"}
            """))}}]}
        """).Alerts;

    /// <summary>Takes down whether everything was said to be over when an incident was woken.</summary>
    private sealed class Engine(IntakeWorld world, List<DateTimeOffset?> woken) : IIncidentEngine
    {
        public Task StartAsync(IncidentInput input, CancellationToken cancellationToken) => world.World.Engine.StartAsync(input, cancellationToken);

        public async Task WakeAsync(string incidentId, string eventName, CancellationToken cancellationToken)
        {
            woken.Add(world.World.Store.All.Single(incident => incident.Id == incidentId).AlertResolvedAt);
            await world.World.Engine.WakeAsync(incidentId, eventName, cancellationToken);
        }

        public Task<EngineInstance?> FindAsync(string incidentId, CancellationToken cancellationToken) => world.World.Engine.FindAsync(incidentId, cancellationToken);

        public Task<string?> CheckHealthAsync(CancellationToken cancellationToken) => world.World.Engine.CheckHealthAsync(cancellationToken);
    }
}
