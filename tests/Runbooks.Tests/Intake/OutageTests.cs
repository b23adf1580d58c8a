using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>What Azure tells of an outage in one message after another: it is one incident, and its end is news and no fix.</summary>
public sealed class OutageTests
{
    private static readonly Runbook s_prod = IntakeWorld.Runbook("outage", "{{ labels.trackingId }}", "azure-monitor", "ServiceHealth-Prod", new() { ["stage"] = "Active" }, checks: false);
    private static readonly Runbook s_any = IntakeWorld.Runbook("outage-any-stage", "{{ labels.trackingId }}", "azure-monitor", "ServiceHealth-Any", checks: false);

    [Fact]
    public async Task ResolvedThatNoTriggerFitsAnyMore_StillReachesItsIncident()
    {
        await using var world = new IntakeWorld(s_prod);
        await world.PostAsync("azure-monitor", "03-service-health-prod-active.json");
        var fired = world.Only.Alert;

        var outcome = (await world.TakeAsync(fired with { Status = AlertStatus.Resolved, Labels = new Dictionary<string, string>() }))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Resolved);
    }

    [Theory]
    [InlineData("prod")]
    [InlineData("any")]
    public async Task OutageIsMitigated_TheOpenQuestionLearnsItAndStands(string rule)
    {
        await using var world = new IntakeWorld(s_prod, s_any);
        await world.PostAsync("azure-monitor", $"03-service-health-{rule}-active.json");

        var outcome = await world.PostAsync("azure-monitor", $"03-service-health-{rule}-resolved.json");

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        var incident = world.Only;
        incident.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.News.ShouldHaveSingleItem().Text.ShouldBe($"Azure says of outage {incident.Alert.Labels["trackingId"]}, stage Resolved: Sign-in failures - Mitigated");
        incident.Timeline.ShouldContain(line => line.What.EndsWith("Sign-in failures - Mitigated"));
    }

    [Fact]
    public async Task ReviewAfterTheOutageWasClosed_OpensNothingAndIsOnRecord()
    {
        await using var world = new IntakeWorld(s_any);
        await world.PostAsync("azure-monitor", "03-service-health-any-active.json");
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);
        var review = world.Only.Alert with { Fingerprint = "rca", Summary = "Post incident review", Labels = new Dictionary<string, string>(world.Only.Alert.Labels) { ["stage"] = "RCA" } };

        var outcome = (await world.TakeAsync(review))[0];

        outcome.Outcome.ShouldBe(IntakeResult.Folded);
        outcome.Reason!.ShouldContain("asks nobody");
        world.Only.Timeline[^1].What.ShouldContain("stage RCA: Post incident review");
    }

    /// <summary>No fix ends an outage of Azure: the next of its messages, an hour later, is no reason to do the same again.</summary>
    [Fact]
    public async Task OutageGoesOnAfterSomethingWasDoneAboutIt_DoesNotAskAgain()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50))).State.ShouldBe(IncidentState.Resolved);

        var next = (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next", Summary = "We are working on it" }))[0];

        (next.Outcome, next.Id).ShouldBe((IntakeResult.Folded, world.Only.Id));
        next.Reason!.ShouldContain($"what was done about it in incident {world.Only.Id} stands");
        world.Only.Timeline[^1].What.ShouldBe("Azure says of outage QK7-T90, stage Active: We are working on it");
        (await world.TakeAsync(Outage("OTHER", "sub-a", "Active") with { Fingerprint = "other" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>The step found things so already: nothing stands that was done about the outage.</summary>
    [Fact]
    public async Task OutageGoesOnAfterAStepThatChangedNothing_AsksAgain()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        (await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50))).State.ShouldBe(IncidentState.Resolved);
        await world.World.Store.UpdateAsync(
            world.Only.Id, incident => (incident with { Steps = [.. incident.Steps.Select(step => step with { Preparation = step.Preparation with { IsSo = true } })] }, true), TestContext.Current.CancellationToken);

        (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    /// <summary>What was done has been taken back, or nobody has decided: the next message asks.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OutageGoesOnAndNothingIsDoneAboutIt_AsksAgain(bool acted)
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        if (acted)
        {
            await world.World.DecideAsync(world.Only.Id, DecisionVerb.Approve);
        }

        await world.World.AdvanceAsync(world.Only.Id, TimeSpan.FromMinutes(50));
        if (acted)
        {
            await world.World.Store.UpdateAsync(
                world.Only.Id, incident => (incident with { Steps = [.. incident.Steps.Select(step => step with { Status = StepStatus.Undone })] }, true), TestContext.Current.CancellationToken);
        }

        (await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active") with { Fingerprint = "next" }))[0].Outcome.ShouldBe(IntakeResult.Opened);
        world.World.Store.All.ShouldAllBe(incident => incident.RecurrenceLines().Count == 0);
    }

    /// <summary>Whoever read last that it is mitigated would let the question go.</summary>
    [Fact]
    public async Task OutageComesBackAfterItWasMitigated_IsToldAtOnceAndStandsLast()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        var asked = world.World.Notifier.Sent.Count;

        foreach (var (stage, title) in (IEnumerable<(string, string)>)[
            ("Active", "also North Europe"), ("Active", "also North Europe"), ("Active", "do not fail over"), ("Resolved", "mitigated"), ("Active", "is back"), ("Active", "in one region"), ("Resolved", "over")])
        {
            world.World.Time.Advance(TimeSpan.FromSeconds(10));
            await world.TakeAsync(Outage("QK7-T90", "sub-a", stage) with { Fingerprint = title, Summary = title });
        }

        string[] told = ["stage Active: do not fail over", "stage Resolved: mitigated", "stage Active: in one region", "stage Resolved: over"];
        world.Only.News.Select(news => news.Text).ShouldBe(told.Select(word => $"Azure says of outage QK7-T90, {word}"));
        world.Only.News.Select(news => news.At).ShouldBe(((int[])[3, 4, 6, 7]).Select(n => world.Only.OpenedAt.AddSeconds(10 * n)));
        world.Only.Timeline.Where(line => line.What.StartsWith("Azure says", StringComparison.Ordinal)).Select(line => line.What.Split(": ")[1])
            .ShouldBe(["also North Europe", "do not fail over", "mitigated", "is back", "in one region", "over"]);
        world.World.Notifier.Sent.Skip(asked).Where(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal))
            .Select(sent => sent.Card.Sections.Single(section => section.Heading == "News").Lines[^1].Split(": ")[1]).Distinct().ShouldBe(["mitigated", "is back", "over"]);
    }

    /// <summary>A sender that repeats old messages, or whoever has its key, does not page at will.</summary>
    [Fact]
    public async Task OutageThatTurnsOverAndOver_IsToldEverMoreRarely()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        var asked = world.World.Notifier.Sent.Count;

        for (var turn = 1; turn <= 33; turn++)
        {
            world.World.Time.Advance(TimeSpan.FromSeconds(10));
            await world.TakeAsync(Outage("QK7-T90", "sub-a", turn % 2 == 1 ? "Resolved" : "Active") with { Fingerprint = $"{turn}", Summary = $"turn {turn}" });
        }

        world.World.Notifier.Sent.Skip(asked).Where(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal))
            .Select(sent => sent.Card.Sections.Single(section => section.Heading == "News").Lines[^1].Split(": ")[1]).Distinct()
            .ShouldBe(((int[])[1, 2, 3, 4, 8, 16, 32]).Select(turn => $"turn {turn}"));
        world.Only.News[^1].Text.ShouldEndWith("turn 33");
    }

    /// <summary>Action groups deliver at least once and in no order: whoever reads last would read that the outage is on.</summary>
    [Fact]
    public async Task MessageThatComesLateOrOnceMore_IsOnRecordAndNoNews()
    {
        await using var world = new IntakeWorld(s_any);
        await world.TakeAsync(At(0, "Active", "begins"));
        foreach (var (minute, stage, title) in (IEnumerable<(int, string, string)>)[(5, "Active", "goes on"), (9, "Resolved", "mitigated"), (5, "Active", "goes on"), (7, "Active", "came late"), (9, "Resolved", "mitigated")])
        {
            world.World.Time.Advance(TimeSpan.FromSeconds(10));
            await world.TakeAsync(At(minute, stage, title));
        }

        string[] told = ["stage Active: goes on", "stage Resolved: mitigated"];
        world.Only.News.Select(news => news.Text).ShouldBe(told.Select(word => $"Azure says of outage QK7-T90, {word}"));
        world.Only.Timeline.Count(line => line.What.StartsWith("A message from before the latest one", StringComparison.Ordinal)).ShouldBe(2);
        world.World.Notifier.Sent.Where(sent => sent.Card.Title.StartsWith("News: ", StringComparison.Ordinal))
            .Select(sent => sent.Card.Sections.Single(section => section.Heading == "News").Lines[^1].Split(": ")[1]).Distinct().ShouldBe(["mitigated"]);

        static Alert At(int minute, string stage, string title) =>
            Outage("QK7-T90", "sub-a", stage) with { Fingerprint = title, Summary = title, StartsAt = TestKit.Incidents.Given.Night.AddHours(-1).AddMinutes(minute) };
    }

    /// <summary>A mark in a stage, or in an outage's name, makes no other stage and no other outage of it.</summary>
    [Fact]
    public async Task StageAndOutageWithAColon_AreTheSameEachTime()
    {
        await using var world = new IntakeWorld(s_any with { Target = "{{ labels.service }}" });
        await world.TakeAsync(Outage("X", "sub-a", "Active"));
        await world.TakeAsync(Outage("X:1", "sub-a", "Active"));

        foreach (var (outage, title) in (IEnumerable<(string, string)>)[("X", "one"), ("X", "two"), ("X:1", "other"), ("X", "two")])
        {
            await world.TakeAsync(Outage(outage, "sub-a", "Resolved: partly") with { Fingerprint = title, Summary = title });
        }

        world.Only.News.Select(news => news.Text).ShouldBe(["Azure says of outage X, stage Resolved: partly: two", "Azure says of outage X:1, stage Resolved: partly: other"]);
    }

    [Fact]
    public async Task OutageInTwoSubscriptions_AsksAboutEach()
    {
        await using var world = new IntakeWorld(s_any with { Target = "{{ labels.subscription }}" });
        await world.TakeAsync(Outage("QK7-T90", "sub-a", "Active"));
        await world.World.DecideAsync(world.Only.Id, DecisionVerb.Reject);

        (await world.TakeAsync(Outage("QK7-T90", "sub-b", "Active")))[0].Outcome.ShouldBe(IntakeResult.Opened);
        (await world.TakeAsync(Outage("QK7-T90", "sub-b", "Resolved")))[0].Target.ShouldBe("sub-b");

        world.World.Store.All.Select(incident => (incident.Target, incident.News.Count)).ShouldBe([("sub-a", 0), ("sub-b", 1)], ignoreOrder: true);
    }

    [Fact]
    public async Task TwoOutagesOnOneTarget_EachTellsItsOwnEnd()
    {
        await using var world = new IntakeWorld(s_any with { Target = "{{ labels.service }}" });
        await world.TakeAsync(Outage("X-1", "sub-a", "Active"));
        await world.TakeAsync(Outage("Y-2", "sub-a", "Active"));

        await world.TakeAsync(Outage("X-1", "sub-a", "Resolved"));
        await world.TakeAsync(Outage("Y-2", "sub-a", "Resolved"));

        world.Only.News.Select(news => news.Text).ShouldBe(["Azure says of outage X-1, stage Resolved", "Azure says of outage Y-2, stage Resolved"]);
        world.Only.Timeline.Count(line => line.What.Contains("stage Resolved")).ShouldBe(2);
    }

    [Fact]
    public async Task ReviewOfAnUnknownOutage_IsIgnoredUnlessATriggerAsksForIt()
    {
        await using var world = new IntakeWorld(s_any);
        var review = new Alert
        {
            Source = "azure-monitor",
            Name = "ServiceHealth-Any",
            Fingerprint = "rca",
            Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = "1VSG-N50", ["stage"] = "RCA" },
        };

        (await world.TakeAsync(review))[0].Outcome.ShouldBe(IntakeResult.Ignored);
        world.Runbooks[0] = s_any with { Trigger = [s_any.Trigger[0] with { Labels = new Dictionary<string, string> { ["stage"] = "RCA" } }] };
        (await world.TakeAsync(review))[0].Outcome.ShouldBe(IntakeResult.Opened);
    }

    private static Alert Outage(string id, string subscription, string stage) => new()
    {
        Source = "azure-monitor",
        Name = "ServiceHealth-Any",
        Fingerprint = $"{id} {subscription} {stage}",
        Labels = new Dictionary<string, string> { ["monitoringService"] = "ServiceHealth", ["trackingId"] = id, ["stage"] = stage, ["service"] = "Azure OpenAI", ["subscription"] = subscription },
        Resources = [$"/subscriptions/{subscription}"],
    };
}
