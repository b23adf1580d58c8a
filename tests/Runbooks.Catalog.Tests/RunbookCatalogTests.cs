using System.Text.Json;
using Runbooks.Catalog.Problems;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace Runbooks.Catalog.Tests;

public sealed class RunbookCatalogTests
{
    private readonly RunbookCatalog _catalog = new(new RunbookReader(SampleSteps.Catalog()));

    [Fact]
    public void GoodFiles_AreInForceById()
    {
        _catalog.Load([Good("b.yaml", "b"), Good("a.yaml", "a")]).Errors.ShouldBeEmpty();

        _catalog.Current.Select(runbook => runbook.Id).ShouldBe(["a", "b"]);
        _catalog.Find("b")!.Title.ShouldBe("First");
        _catalog.Find("c").ShouldBeNull();
    }

    [Fact]
    public void BrokenFileAtStart_LeavesTheCatalogEmptyAndTellsEveryError()
    {
        var result = _catalog.Load([Good("a.yaml", "a"), Broken("b.yaml"), Broken("c.yaml")]);

        result.Errors.Select(error => error.File).Distinct().ShouldBe(["b.yaml", "c.yaml"]);
        _catalog.Current.ShouldBeEmpty();
    }

    /// <summary>Nobody would know which file it is, and no other file would be read.</summary>
    [Fact]
    public void FileThatTripsTheReader_IsAnErrorOfThatFile()
    {
        var catalog = new RunbookCatalog(new RunbookReader(new StepCatalog([new TrippingCheck()], [])));
        catalog.Load([Good("a.yaml", "a")]);
        var tripping = new RunbookFile("b.yaml", $"{Good("b.yaml", "b").Text}\ndiagnosis: {{ up: {{ ask: Is it up?, check: trips }} }}");

        var result = catalog.Load([Good("a.yaml", "a", "Second"), tripping]);

        result.Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("b.yaml:1:1  The file cannot be read: InvalidOperationException: tripped.");
        catalog.Current.Select(runbook => $"{runbook.Id} {runbook.Title}").ShouldBe(["a Second"]);
    }

    [Fact]
    public void FileBreaksLater_TheGoodVersionStaysAndOthersAreReplaced()
    {
        _catalog.Load([Good("a.yaml", "a"), Good("b.yaml", "b")]);

        var result = _catalog.Load([Broken("a.yaml"), Good("b.yaml", "b", "Second"), Good("c.yaml", "c")]);

        result.Errors.ShouldNotBeEmpty();
        result.Kept.ShouldBe(["a"]);
        _catalog.Current.Select(runbook => $"{runbook.Id} {runbook.Title}").ShouldBe(["a First", "b Second", "c First"]);
    }

    [Fact]
    public void Reload_SaysWhatChanged()
    {
        _catalog.Load([Good("a.yaml", "a"), Good("b.yaml", "b")]).Changes.ShouldBe(["a added", "b added"]);
        _catalog.Load([Good("a.yaml", "a"), Good("b.yaml", "b")]).Changes.ShouldBeEmpty();

        _catalog.Load([Good("a.yaml", "a", "Second"), Good("c.yaml", "c")]).Changes.ShouldBe(["a changed", "c added", "b removed"]);
    }

    [Fact]
    public void FileGone_TheRunbookGoesUnlessAnotherFileIsBroken()
    {
        _catalog.Load([Good("a.yaml", "a"), Good("b.yaml", "b")]);

        // The broken file may be the missing one under a new name.
        _catalog.Load([Good("b.yaml", "b"), Broken("new-name.yaml")]).Kept.ShouldBe(["a"]);
        _catalog.Find("a").ShouldNotBeNull();

        _catalog.Load([Good("b.yaml", "b")]).Kept.ShouldBeEmpty();
        _catalog.Find("a").ShouldBeNull();
    }

    [Fact]
    public void OneIdInTwoFiles_IsAnErrorInBoth()
    {
        var result = _catalog.Load([Good("a.yaml", "same"), Good("b.yaml", "same")]);

        result.Errors.Select(error => error.ToString()).ShouldBe(
        [
            "a.yaml:1:5  id  'same' is also the id of b.yaml.  Give each runbook an id of its own.",
            "b.yaml:1:5  id  'same' is also the id of a.yaml.  Give each runbook an id of its own.",
        ]);
        _catalog.Current.ShouldBeEmpty();
    }

    [Fact]
    public void SecondFileTakesAnIdLater_TheFirstOneKeepsIt()
    {
        _catalog.Load([Good("b.yaml", "same")]);

        _catalog.Load([Good("a.yaml", "same", "Intruder"), Good("b.yaml", "same", "Second")]).Errors.Count.ShouldBe(2);

        _catalog.Find("same")!.Title.ShouldBe("Second");
    }

    [Fact]
    public void FileChangesItsId_TheOldIdGoes()
    {
        _catalog.Load([Good("a.yaml", "old"), Good("b.yaml", "b")]);

        _catalog.Load([Good("a.yaml", "new"), Broken("b.yaml")]);

        _catalog.Current.Select(runbook => runbook.Id).ShouldBe(["b", "new"]);
    }

    [Fact]
    public void RunbookThatCoversAnother_HasToBeThereAndMustNotWaitInTurn()
    {
        var result = _catalog.Load([Covered("a.yaml", "a", "b"), Covered("b.yaml", "b", "a"), Covered("c.yaml", "c", "datbase"), Good("d.yaml", "database"), Covered("e.yaml", "e", "database")]);

        result.Errors.Select(error => error.ToString()).ShouldBe(
        [
            "a.yaml:5:26  suppressedBy.runbook  closes a circle: 'a' waits for 'b', 'b' waits for 'a'.  Remove 'suppressedBy' from one of them; the one that stands for the cause waits for none.",
            "b.yaml:5:26  suppressedBy.runbook  closes a circle: 'b' waits for 'a', 'a' waits for 'b'.  Remove 'suppressedBy' from one of them; the one that stands for the cause waits for none.",
            "c.yaml:5:26  suppressedBy.runbook  names 'datbase', and no runbook has that id.  Did you mean 'database'? Name the id of a runbook.",
        ]);
        _catalog.Current.ShouldBeEmpty();
    }

    [Fact]
    public void RunbookThatCoversAnotherAndIsNotThere_IsNoErrorWhereItMayBeElsewhere()
    {
        _catalog.Load([Covered("a.yaml", "a", "b")], whole: false).Errors.ShouldBeEmpty();
        _catalog.Load([Covered("a.yaml", "a", "b"), Broken("b.yaml")]).Errors.ShouldAllBe(error => error.File == "b.yaml");
    }

    /// <summary>Whoever starts one by hand names it; no alert has that source.</summary>
    [Theory]
    [InlineData("alert: A", true)]
    [InlineData("source: manual, alert: \"*\"", false)]
    public void TriggerThatAnotherTakesToo_IsWarnedOfWhereAnAlertCanFit(string trigger, bool warned)
    {
        RunbookFile With(string id) => Good($"{id}.yaml", id) with { Text = Good("", id).Text.Replace("alert: A", trigger, StringComparison.Ordinal) };

        _catalog.Load([With("a"), With("b")]).Warnings.Any(warning => warning.Code == WarningCodes.TriggerOverlap).ShouldBe(warned);
    }

    private static RunbookFile Covered(string file, string id, string by) =>
        Good(file, id) with { Text = Good(file, id).Text.Replace("impact:", $"suppressedBy: {{ runbook: {by}, target: t }}\nimpact:", StringComparison.Ordinal) };

    private static RunbookFile Good(string file, string id, string title = "First") => new(file, $$"""
        id: {{id}}
        title: {{title}}
        trigger: [{ alert: A }]
        target: t
        impact: { severity: low, users: Nobody. }
        mitigation: {}
        """);

    private sealed class TrippingCheck() : Check<SampleSteps.PodName>("trips", "A check of the tests.")
    {
        public override TimeSpan UsualTimeoutOf(JsonElement with) => throw new InvalidOperationException("tripped");

        protected override Task<CheckResult> AskAsync(SampleSteps.PodName parameters, StepContext context, CancellationToken cancellationToken) =>
            Task.FromResult(CheckResult.Passing("fine"));
    }

    private static RunbookFile Broken(string file) => new(file, "id: [");
}
