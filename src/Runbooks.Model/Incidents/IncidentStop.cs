namespace Runbooks.Model.Incidents;

/// <summary>A person stops the automation of an incident.</summary>
public static class IncidentStop
{
    /// <summary>Records the wish once, and closes the open question with it: nobody can approve what is being stopped.</summary>
    public static Incident RequestStop(this Incident incident, StopRequest stop)
    {
        if (incident.State.IsFinal() || incident.Stop is not null)
        {
            return incident;
        }

        var words = $"{stop.By} stopped the incident: {stop.Reason}";
        var noted = (incident with { Stop = stop }).Note(stop.At, TimelineKind.Decision, stop.By, words);
        return noted.OpenGate is { } gate ? noted.CloseGate(gate.Id, GateOutcome.Cancelled, words, stop.At) : noted;
    }
}
