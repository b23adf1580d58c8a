using Runbooks.Model.Alerts;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Intake;

/// <summary>A world with a way in, and an alert that starts and ends at the minutes of a test's choice.</summary>
public abstract class EpisodeWorld : IAsyncDisposable
{
    private protected static readonly DateTimeOffset s_start = Given.Night.AddHours(-2);
    private protected readonly IntakeWorld _world = new(IntakeWorld.Runbook("web-down", "{{ labels.instance }}", "alertmanager", "InstanceDown"), Given.Runbook());

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected static Alert Firing(int minute) => Given.Alert() with { StartsAt = s_start.AddMinutes(minute) };

    private protected static Alert Resolved(int starts, int ends) => Firing(starts) with { Status = AlertStatus.Resolved, EndsAt = s_start.AddMinutes(ends) };
}
