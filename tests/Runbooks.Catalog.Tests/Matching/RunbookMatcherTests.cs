using CsCheck;
using Runbooks.Catalog.Matching;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests.Matching;

public class RunbookMatcherTests
{
    private static readonly Alert s_latency = new()
    {
        Source = "azure-monitor",
        Name = "HighLatency_Cluster_B",
        Fingerprint = "f",
        Severity = "Sev1",
        Labels = new Dictionary<string, string> { ["cluster"] = "b", ["pod"] = "llm-b-0" },
    };

    [Fact]
    public void NameSourceSeverityAndLabelsFit_TheRunbookApplies() =>
        Match(s_latency, Book("hanged-gpu", When("HighLatency_Cluster_B", "azure-monitor", ["sev0", "sev1"], ("cluster", "b"), ("pod", "llm-?-*"))))
            .ShouldBe(["hanged-gpu"]);

    [Theory]
    [InlineData("alertmanager", "HighLatency_*", "Sev1", "b", "it listens to alertmanager")]
    [InlineData("azure-monitor", "HighLatency_*", "Sev3", "b", "it wants the severity Sev3, the alert has 'Sev1'")]
    [InlineData("azure-monitor", "HighLatency_*", "Sev1", "c", "it wants cluster=c, the alert has 'b'")]
    public void OnePartDoesNotFit_TheReasonSaysWhich(string source, string name, string severity, string cluster, string expected) =>
        Reason(s_latency, Book("near", When(name, source, [severity], ("cluster", cluster))), Book("far", When("Other")))
            .ShouldBe($"No runbook is triggered by 'HighLatency_Cluster_B' from azure-monitor. The nearest is 'near': {expected}.");

    [Fact]
    public void MissingLabelOrSeverity_DoesNotFit()
    {
        Reason(s_latency, Book("r", When("*", null, [], ("zone", "*")))).ShouldContain("it wants the label zone, the alert has none");
        Reason(s_latency with { Severity = null }, Book("r", When("*", null, ["Sev1"]))).ShouldContain("the alert has none");
    }

    [Fact]
    public void NothingKnowsTheAlert_TheReasonListsWhatIsLoaded()
    {
        Reason(s_latency, Book("b", When("Y")), Book("a", When("X"))).ShouldBe("No runbook is triggered by 'HighLatency_Cluster_B' from azure-monitor. Loaded: a, b.");
        Reason(s_latency).ShouldEndWith("No runbooks are loaded.");
    }

    [Fact]
    public void EveryTriggerOfOneRunbookMisses_TheNearestIsToldFirst()
    {
        var runbook = Book("r", When("DiskFull", "grafana"), When("HighLatency_*", "azure-monitor", ["Sev4"]), When("HighLatency_*", "grafana"));

        RunbookMatcher.Misses(s_latency, runbook).ShouldBe([
            "HighLatency_* from azure-monitor: it wants the severity Sev4, the alert has 'Sev1'",
            "HighLatency_* from grafana: it listens to grafana",
            "DiskFull from grafana: it waits for the alert 'DiskFull'"]);
        RunbookMatcher.Misses(s_latency with { Runbook = "other" }, runbook).ShouldHaveSingleItem().ShouldContain("'other'");
        RunbookMatcher.Misses(s_latency, Book("r", When("X"), When("HighLatency_*"))).ShouldBeEmpty();
    }

    /// <summary>Of what looks like a secret, a record has the rest alone: a backtest goes by that.</summary>
    [Theory]
    [InlineData("App registration secret: •••", "password: •••", true)]
    [InlineData("App registration secret: •••", "password: •••!", false)]
    [InlineData("App registration: •••", "password: •••", false)]
    public void AlertOnRecordOfWhichAPartIsHidden_IsComparedByTheRest(string name, string check, bool fits) =>
        RunbookMatcher.Match(s_latency with { Name = name, Labels = new Dictionary<string, string> { ["check"] = check } }, [Book("secrets", When("App registration secret: expiring", null, [], ("check", "password: expired")))])
            .Runbooks.Count.ShouldBe(fits ? 1 : 0);

    [Fact]
    public void RunbookNamedOutright_IsTheOnlyOneWhateverItsTriggers() =>
        Match(s_latency with { Runbook = "disk-full" }, Book("hanged-gpu", When("*")), Book("disk-full", When("DiskFull"))).ShouldBe(["disk-full"]);

    [Fact]
    public void UnknownRunbookNamed_IsAReasonAndNotReplaced() =>
        Reason(s_latency with { Runbook = "hangd-gpu" }, Book("hanged-gpu", When("*")))
            .ShouldBe("The alert names the runbook 'hangd-gpu', which is not loaded. Did you mean 'hanged-gpu'? Loaded: hanged-gpu.");

    [Fact]
    public void LongTextOfTheAlert_IsNotRepeatedWhole() =>
        Reason(s_latency with { Name = new string('n', 500), Labels = new Dictionary<string, string> { ["cluster"] = new('c', 2000) } }, Book("r", When("*", null, [], ("cluster", "b"))))
            .Length.ShouldBeLessThan(400);

    [Fact]
    public void SeveralFit_MostSpecificFirst()
    {
        Runbook[] books =
        [
            Book("a-anything", When("*")),
            Book("b-short-glob", When("High*")),
            Book("c-long-glob", When("HighLatency_*")),
            Book("d-exact", When("HighLatency_Cluster_B")),
            Book("e-exact-source", When("HighLatency_Cluster_B", "azure-monitor")),
            Book("f-exact-severity", When("HighLatency_Cluster_B", null, ["Sev1"])),
            Book("g-exact-glob-label", When("HighLatency_Cluster_B", null, [], ("cluster", "*"))),
            Book("h-exact-label", When("HighLatency_Cluster_B", null, [], ("cluster", "b"))),
        ];

        Match(s_latency, books).ShouldBe(books.Select(book => book.Id).Reverse());
    }

    [Fact]
    public void SeveralTriggersOfOneRunbook_CountByTheirBestAndOnce() =>
        Match(s_latency, Book("x", When("High*")), Book("y", When("*"), When("HighLatency_Cluster_B"), When("H*"))).ShouldBe(["y", "x"]);

    [Fact]
    public void SameRunbooksInAnyOrder_GiveTheSameAnswer()
    {
        var books = Enumerable.Range(0, 9).Select(n => Book($"r{n}", When(n % 3 == 0 ? "*" : n % 3 == 1 ? "High*" : "HighLatency_Cluster_B"))).ToArray();
        var expected = Match(s_latency, books);

        Gen.Shuffle(books).Sample(shuffled => Match(s_latency, shuffled).ShouldBe(expected));
    }

    private static IEnumerable<string> Match(Alert alert, params Runbook[] books)
    {
        var match = RunbookMatcher.Match(alert, books);
        match.Reason.ShouldBeNull();
        return match.Runbooks.Select(runbook => runbook.Id);
    }

    private static string Reason(Alert alert, params Runbook[] books)
    {
        var match = RunbookMatcher.Match(alert, books);
        match.Runbooks.ShouldBeEmpty();
        return match.Reason.ShouldNotBeNull();
    }

    private static Trigger When(string alert, string? source = null, string[]? severity = null, params (string Name, string Value)[] labels) =>
        new(source, alert, severity ?? [], labels.ToDictionary(label => label.Name, label => label.Value));

    private static Runbook Book(string id, params Trigger[] triggers) => new()
    {
        Id = id,
        Title = id,
        Trigger = triggers,
        Target = "t",
        Impact = new(ImpactSeverity.Low, "", ""),
        Mitigation = new(),
    };
}
