using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using TestKit;

namespace Runbooks.Model.Tests.Incidents;

/// <summary>What Grafana tells of itself: that it cannot measure a rule whose alert fires here, that it can again, or has stopped evaluating it.</summary>
public sealed class MeasuringNewsTests
{
    private static readonly Incident s_both = (Some.Incident() with { Alerts = [], AlertCount = 0 }).Attach(Rule("Load"), Some.Time).Attach(Rule("Disk"), Some.Time);

    [Fact]
    public void RuleCannotBeMeasured_IsSaidOfItsAlertAlone()
    {
        var told = s_both.AddMeasuringNews(Fails("Disk"), Some.Time);

        told.Alerts.Select(alert => alert.Unmeasured).ShouldBe([null, new Unmeasured("DatasourceError", "fails-Disk")]);
        told.News.ShouldHaveSingleItem().Text.ShouldBe("Grafana cannot measure Disk at the moment (DatasourceError). Until it can, an end of the alert is no all-clear.");
        told.AddMeasuringNews(Fails("Load"), Some.Time).News.Count.ShouldBe(2);
    }

    [Fact]
    public void RuleIsMeasuredAgain_NothingIsSaidOfItAnyMore()
    {
        var failed = s_both.AddMeasuringNews(Fails("Load"), Some.Time).AddMeasuringNews(Fails("Disk"), Some.Time);

        var again = failed.AddMeasuringNews(Over("Disk"), Some.Time);

        again.Alerts.Select(alert => alert.Unmeasured?.Fingerprint).ShouldBe(["fails-Load", null]);
        again.News.ShouldHaveSingleItem().Text.ShouldStartWith("Grafana cannot measure Load");
        again.Timeline[^1].What.ShouldBe("Grafana can measure Disk again.");
    }

    [Fact]
    public void RuleIsEvaluatedNoMore_ItsAlertStaysUnmeasured()
    {
        var failed = s_both.AddMeasuringNews(Fails("Load"), Some.Time).AddMeasuringNews(Fails("Disk"), Some.Time);

        var stopped = failed.AddMeasuringNews(Over("Load", "Paused"), Some.Time).AddMeasuringNews(Over("Disk", "Paused"), Some.Time);

        stopped.News.Select(news => news.Text).ShouldBe(((string[])["Load", "Disk"]).Select(rule =>
            $"Grafana ended DatasourceError of {rule} for the reason Paused. That does not say that it can measure the rule: an end of the alert is still no all-clear."));
        stopped.Alerts.ShouldAllBe(alert => alert.Unmeasured != null);
        stopped.AddMeasuringNews(Fails("Disk"), Some.Time).News.Select(news => news.Text[..17]).ShouldBe(["Grafana ended Dat", "Grafana cannot me"]);
        stopped.AddMeasuringNews(Fails("Disk"), Some.Time).AddMeasuringNews(Over("Disk"), Some.Time).News.ShouldHaveSingleItem();
    }

    /// <summary>Two series of the rule failed; the one that is over is not the last that was told of.</summary>
    [Fact]
    public void AnotherFailureOfTheRuleIsOver_ItIsStillUnmeasured()
    {
        var failed = s_both.AddMeasuringNews(Fails("Disk"), Some.Time).AddMeasuringNews(Fails("Disk") with { Fingerprint = "another" }, Some.Time);

        var over = failed.AddMeasuringNews(Over("Disk"), Some.Time);

        over.Alerts[1].Unmeasured?.Fingerprint.ShouldBe("another");
        (over.News.Count, over.Timeline.Count).ShouldBe((1, failed.Timeline.Count));
    }

    [Fact]
    public void AlertRanOutMeanwhile_WhoeverReadsItIsToLook()
    {
        var ranOut = s_both.AddMeasuringNews(Fails("Disk"), Some.Time).Attach(Rule("Disk") with { Status = AlertStatus.Resolved }, Some.Time);

        ranOut.AddMeasuringNews(Over("Disk"), Some.Time).Timeline[^1].What.ShouldBe("Grafana can measure Disk again. It ended the alert while it could not, and says nothing more of it: look whether it is over.");
    }

    [Fact]
    public void RuleOfNoAlertThatFiresHere_IsNothingNew()
    {
        var over = s_both.Attach(Rule("Disk") with { Status = AlertStatus.Resolved }, Some.Time);

        s_both.KnowsRuleOf(Fails("Disk")).ShouldBeTrue();
        foreach (var (incident, told) in new[] { (s_both, Fails("Other")), (over, Fails("Disk")), (s_both, Fails("Disk") with { Source = "alertmanager" }), (s_both, Fails("Disk", folder: "apps")) })
        {
            incident.KnowsRuleOf(told).ShouldBeFalse();
            incident.AddMeasuringNews(told, Some.Time).ShouldBeSameAs(incident);
        }
    }

    private static Alert Rule(string name) => new() { Source = "grafana", Name = name, Fingerprint = name, Labels = new Dictionary<string, string> { ["folder"] = "infra" } };

    private static Alert Fails(string rule, string folder = "infra") => new()
    {
        Source = "grafana",
        Name = "DatasourceError",
        Fingerprint = $"fails-{rule}",
        Labels = new Dictionary<string, string> { ["rulename"] = rule, ["folder"] = folder },
    };

    private static Alert Over(string rule, string reason = "MissingSeries") => Fails(rule) with
    {
        Status = AlertStatus.Resolved,
        Annotations = new Dictionary<string, string> { ["grafana_state_reason"] = reason },
    };
}
