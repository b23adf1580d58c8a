using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What is looked at again is what came in: an alert of which only the name was kept does not become one without labels.</summary>
public sealed class TakenUpTests
{
    [Fact]
    public void AlertsOfWhichOnlyAPartWasKept_StayPartsOfThemselves()
    {
        var alert = Some.Incident().Alert;
        var before = Enumerable.Range(0, 15).Aggregate(Some.Incident().Attach(alert, Some.Time), (changed, at) => changed.Attach(
            alert with { Name = $"Other{at}", Fingerprint = $"other-{at}", Labels = new Dictionary<string, string> { ["disk"] = $"{at}" } }, Some.Time));
        var parts = before.Alerts.Where(known => !known.Is(alert) && !known.IsWhole).Select(known => known.Name).ToList();
        parts.ShouldNotBeEmpty();

        var after = Some.Incident("261123-0312-another0").TakeUp(before, Some.Time);

        after.Alerts.Where(known => !known.Is(alert) && !known.IsWhole).Select(known => known.Name).ShouldBe(parts);
    }
}
