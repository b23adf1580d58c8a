using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Engine;
using Runbooks.Guardrails;
using Runbooks.Intake;
using Runbooks.Model.Storage;
using Runbooks.Storage;
using TestKit.Storage;

namespace TestKit;

/// <summary>The way in on a store and an engine, and nothing else.</summary>
public static class SomeIntake
{
    public static IncidentIntake On(LoadedRunbooks runbooks, IIncidentStore store, IIncidentEngine engine, TimeProvider time) => new(
        runbooks, store, new PinnedRunbooks(store), engine, new AlertUpdates(store, engine, time, NullLogger<AlertUpdates>.Instance),
        new SuppressedIncidents(new InMemorySharedState(), new(new FixedOptions<SafetyOptions>(new()))), new UnmatchedAlerts(new InMemorySharedState(), time, NullLogger<UnmatchedAlerts>.Instance), new FixedOptions<SafetyOptions>(new()), time, NullLogger<IncidentIntake>.Instance);
}
