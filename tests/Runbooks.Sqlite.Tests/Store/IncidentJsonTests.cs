using System.Text;
using Runbooks.Model.Incidents;
using Runbooks.Sqlite.Store;
using TestKit;

namespace Runbooks.Sqlite.Tests.Store;

public sealed class IncidentJsonTests
{
    [Fact]
    public void IncidentOfPartsThatWereWrittenBefore_IsTheSameJson()
    {
        var json = new IncidentJson();
        var seed = Rounds.Seed();
        for (var round = 0; round < Rounds.Of(50); round++)
        {
            var incident = new ArbitraryRecord(seed + round).Make<Incident>();
            var changed = incident with
            {
                Reason = $"round {round}",
                Timeline = [.. incident.Timeline, new(1, incident.OpenedAt, TimelineKind.Note, "ada", "one more", "")],
                Gates = [.. incident.Gates.Select(gate => gate with { Question = "other" })],
            };
            foreach (var written in (Incident[])[incident, changed, incident])
            {
                Encoding.UTF8.GetString(json.Write(written)).ShouldBe(Encoding.UTF8.GetString(SqliteIncidents.Write(written)), $"seed {seed + round}");
            }
        }
    }
}
