using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Catalog.Reading;
using Runbooks.Catalog.Steps;
using Runbooks.Intake.Parsing;
using Runbooks.Model.Definition;
using Runbooks.Model.Text;
using Runbooks.Testing;
using Runbooks.Web.Incidents;
using RunbookServer.Commands;
using RunbookServer.Hosting;

namespace RunbookServer.Tests.Export;

/// <summary>Whatever a test can play, an export of what was played plays the same way again.</summary>
public sealed class IncidentTestWriterTests : IDisposable
{
    private const string Runbook = """
        id: reroute
        title: Reroute
        trigger: [{ alert: Slow }]
        target: "{{ labels.region }}"
        impact: { severity: low, users: Some., data: None. }
        diagnosis:
          slow: { ask: Is it slow?, check: llm.provider, with: { provider: "{{ labels.region }}" } }
        mitigation:
          approval: { ask: "Go on in {{ target }}?", from: [oncall], timeout: 20m }
          steps:
            switch: { do: appConfiguration.setFlag, with: { flag: local-model-only, enabled: true } }
            tell: { do: banner.publish, with: { message: "{{ findings.slow.summary }}", severity: warning } }
          verify: { checks: [slow], every: 15s, within: 5m }
        resolution:
          steps:
            report: { do: note, with: { text: "Look into {{ target }}." } }
        """;

    private static readonly string s_asksForALabel = Runbook.Replace(
        "diagnosis:", "diagnosis:\n  route: { ask: Is the route well?, check: llm.provider, with: { provider: \"{{ labels.route }}\" } }", StringComparison.Ordinal);

    private static readonly string s_needsALabel = Runbook.Replace("flag: local-model-only", "flag: \"{{ labels.flag }}\"", StringComparison.Ordinal);

    private static readonly string s_healing = Without(Runbook, "  approval:");

    private static readonly string s_proceeding = Runbook.Replace("timeout: 20m", "timeout: 20m, onTimeout: proceedIfReversible", StringComparison.Ordinal);

    private static readonly string s_patient = Runbook.Replace("timeout: 20m", "timeout: 1h", StringComparison.Ordinal);

    private static readonly string s_lease = Runbook.Replace(
        "within: 5m }", "within: 5m }\n  holdUntil: { checks: [slow], stableFor: 2m, atMost: 6h, every: 30s }", StringComparison.Ordinal);

    private static readonly string s_asksTwice = Runbook
        .Replace("timeout: 20m", "timeout: 20m, required: 2", StringComparison.Ordinal)
        .Replace("resolution:\n", "resolution:\n  approval: { ask: Write it down?, from: [oncall], timeout: 10m }\n", StringComparison.Ordinal);

    private static readonly string s_byHand = Runbook.Replace(
        "    tell: {", "    swap: { do: person, with: { instruction: Swap it., who: [oncall], checklist: [Off, On], undo: Put it back. }, timeout: 1h }\n    tell: {", StringComparison.Ordinal);

    /// <summary>An action that cannot be repeated: where it only failed, nobody knows whether it happened.</summary>
    private static readonly string s_calling = Without(Runbook, "    switch:")
        .Replace("do: banner.publish, with: { message: \"{{ findings.slow.summary }}\", severity: warning }", "do: http.request, with: { url: \"https://payments.example.com/restart\" }", StringComparison.Ordinal)
        .Replace("    tell:", "    call:", StringComparison.Ordinal);

    private static readonly string s_telling = Without(s_healing, "    switch:").Replace("do: banner.publish, with: { message: \"{{ findings.slow.summary }}\", severity: warning }", "do: note, with: { text: It is slow. }", StringComparison.Ordinal);

    /// <summary>A value that comes once a minute, two minutes after its time, and is asked for every 15 seconds: the newest one fails.</summary>
    private static readonly string s_seldom =
        $"checks: {{ slow: [{string.Join(", ", Enumerable.Range(0, 19).Select(look => $"{{ verdict: passing, behind: {130 + (15 * (look % 4))}s }}"))}, {{ verdict: failing, behind: 130s, times: 2 }}, {{ verdict: passing, behind: 130s }}] }}\nevents: [{{ after: 6m, approve: ada }}]";

    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    public static TheoryData<string, string, string> Nights => new()
    {
        { "resolved {switch: done, tell: done, report: done}", Runbook, "checks: { slow: [failing, { verdict: failing, times: 3 }, passing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: undone, tell: undone}", Runbook, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: undone, tell: undone}", Runbook, "checks: { slow: [failing] }\nsteps: { tell: fails }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: undone, tell: failed}", Runbook, "checks: { slow: [failing] }\nsteps: { tell: nothingDone }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {call: failed}", s_calling, "checks: { slow: [failing] }\nsteps: { call: nothingDone }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: undone}", Runbook, "checks: { slow: [failing] }\nsteps: { tell: refused }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: undoFailed, tell: undone}", Runbook, "checks: { slow: [failing] }\nsteps: { switch: { undo: fails } }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {switch: leftAlone, tell: undone}", Runbook, "checks: { slow: [failing] }\nsteps: { switch: { undo: left } }\nevents: [{ after: 2m, approve: ada }]" },
        { "failed {}", Runbook, "checks: { slow: [failing] }\nsteps: { switch: blocked }" },
        { "resolved {switch: done, tell: done, report: done}", Runbook, "checks: { slow: [failing, passing] }\nsteps: { tell: { changes: true } }\nevents: [{ after: 2m, approve: ada }, { after: 4m, approve: grace }]" },
        { "rejected {switch: undone}", Runbook, "checks: { slow: [failing, passing] }\nsteps: { tell: { changes: true } }\nevents: [{ after: 2m, approve: ada }, { after: 4m, reject: grace }]" },
        { "failed {switch: undone}", Runbook, "checks: { slow: [failing, passing] }\nsteps: { tell: { changes: true, outcome: refused } }\nevents: [{ after: 2m, approve: ada }, { after: 4m, approve: grace }]" },
        { "cancelled {switch: undone}", Runbook, "checks: { slow: [failing, passing] }\nsteps: { switch: { takes: 20s } }\nevents: [{ after: 2m, approve: ada }, { after: 2m5s, cancel: grace, reason: wait }]" },
        { "cancelled {switch: undone, tell: undone}", Runbook, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }, { after: 3m, cancel: grace }]" },
        { "cancelled {switch: undone, tell: undone}", s_asksTwice, "checks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }, { after: 3m, approve: grace }, { after: 5m, takeBack: ada, reason: wrong flag }]" },
        { "cancelled {switch: done, tell: done}", s_asksTwice, "checks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }, { after: 3m, approve: grace }, { after: 5m, cancel: ada, reason: enough }]" },
        { "cancelled {switch: undone, tell: undone}", s_lease, "checks: { slow: [failing, failing, { verdict: passing, times: 2 }, failing] }\nevents: [{ after: 2m, approve: ada }, { after: 9d, takeBack: grace, reason: long enough }]" },
        { "takenOver {}", Runbook, "checks: { slow: [unknown] }\nevents: [{ after: 2m, takeOver: ada }]" },
        { "selfRecovered {}", Runbook, "checks: { slow: [failing, passing] }\nevents: [{ after: 2m, resolved: true }]" },
        { "expired {}", Runbook, "checks: { slow: [failing] }\nevents: [{ after: 2m, resolved: true }]" },
        { "resolved {switch: dryRun, tell: dryRun, report: dryRun}", Runbook, "mode: dryRun\nchecks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "notNeeded {}", Runbook, "objections: { mitigation: diagnoseOnly }\nchecks: { slow: [failing] }" },
        { "failed {}", Runbook, "objections: { mitigation: forbid }\nchecks: { slow: [failing] }" },
        { "resolved {switch: done, tell: done, report: done}", s_healing, "checks: { slow: [failing, passing] }" },
        { "expired {}", s_healing, "objections: { mitigation: askFirst }\nchecks: { slow: [failing, passing] }" },
        { "resolved {switch: done, tell: done, report: done}", s_healing, "mode: approveAll\nchecks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "resolved {switch: done, tell: done, report: done}", s_proceeding, "checks: { slow: [failing, failing, passing] }" },
        { "expired {}", s_proceeding, "checks: { slow: [failing, passing] }" },
        { "resolved {switch: done, tell: done, report: done}", s_patient, "checks: { slow: [failing, failing, passing] }\nevents: [{ after: 50m, approve: ada }]" },
        { "expired {}", s_patient, "checks: { slow: [failing, passing] }\nevents: [{ after: 50m, approve: ada }]" },
        { "resolved {switch: undone, tell: undone, report: done}", s_lease, "checks: { slow: [failing, passing, { verdict: failing, times: 4 }, passing, failing, passing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "resolved {switch: done, tell: done, report: done}", s_asksTwice, "checks: { slow: [failing, { verdict: failing, times: 10 }, passing] }\nevents: [{ after: 2m, approve: ada }, { after: 3m, approve: grace }, { after: 15m, approve: ada }]" },
        { "resolved {switch: done, swap: done, tell: done, report: done}", s_byHand, "checks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, done: ada, items: [2] }, { after: 9m, done: grace }]" },
        { "failed {switch: undone, swap: failed}", s_byHand, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, couldNot: ada, reason: no spare }]" },
        { "expired {switch: undone, swap: unknown}", s_byHand, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "cancelled {switch: undone, swap: unknown}", s_byHand, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, cancel: grace }]" },
        { "failed {switch: undone, swap: undone, tell: undone}", s_byHand, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, done: ada }, { after: 15m, done: grace }]" },
        { "failed {switch: undone, swap: undoFailed, tell: undone}", s_byHand, "checks: { slow: [failing] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, done: ada }]" },
        { "expired {switch: done, tell: done}", s_asksTwice, "checks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }, { after: 3m, approve: grace }]" },
        { "resolved {tell: done, report: done}", s_telling, "source: manual\nby: an assistant\nproposed: true\nalert: { labels: { region: local } }\nchecks: { slow: [failing, passing] }\nevents: [{ after: 2m, approve: ada }]" },
        { "expired {}", Runbook, "checks: { slow: [{ verdict: passing, summary: It is idle., caveat: without a request to show it }] }" },
        { "notNeeded {}", Runbook, "checks: { slow: [{ verdict: passing, summary: It is fast., behind: 3m }] }" },
        { "resolved {switch: done, tell: done, report: done}", Runbook, "checks: { slow: [{ verdict: passing, behind: 3m, times: 12 }, { verdict: failing, behind: 3m, times: 2 }, { verdict: passing, behind: 3m }] }\nevents: [{ after: 5m, approve: ada }]" },
        { "resolved {switch: done, tell: done, report: done}", Runbook, s_seldom },
        { "cancelled {switch: undone, tell: undone}", Runbook, "checks: { slow: [{ verdict: failing, behind: 3m, times: 2 }, { verdict: passing, behind: 3m }] }\nevents: [{ after: 2m, approve: ada }, { after: 5m, cancel: grace }]" },
        { "rejected {}", s_asksForALabel, "checks: { slow: [failing] }\nevents: [{ after: 2m, reject: ada }]" },
        { "failed {}", s_needsALabel, "checks: { slow: [failing] }" },
        { "rejected {}", s_telling, "source: manual\nby: an assistant\nproposed: true\nalert: { labels: { region: local } }\nchecks: { slow: [failing] }\nevents: [{ after: 2m, reject: ada }]" },
    };

    [Theory]
    [MemberData(nameof(Nights))]
    public async Task Night_PlayedAndExported_PlaysTheSameAgain(string end, string runbookText, string night)
    {
        await using var services = OfflineServices.Build();
        var (catalog, steps) = (services.GetRequiredService<RunbookCatalog>(), services.GetRequiredService<StepCatalog>());
        catalog.Load([new RunbookFile("reroute.yaml", runbookText)]).Errors.ShouldBeEmpty();
        var first = Case((night.StartsWith("source:", StringComparison.Ordinal) ? "" : "source: generic\nalert: { name: Slow, labels: { region: local } }\n") + night + "\nexpect: { state: resolved }\n");

        var (incident, problems) = await TestRunner.PlayAsync(first, catalog.Current[0], steps);
        problems.ShouldBeEmpty();
        $"{CamelCase.Of(incident!.State)} {{{string.Join(", ", incident.Steps.Select(step => $"{step.Name}: {CamelCase.Of(step.Status)}"))}}}".ShouldBe(end, incident.Reason);

        var exported = TestScriptWriter.Write(IncidentTestWriter.Of(IncidentView.Of(incident, heldBack: [])));
        (await TestRunner.RunAsync(Case(exported), catalog.Current[0], steps)).ShouldBeEmpty(exported);
    }

    /// <summary>A stop in the moment between an answer and the end that it brings.</summary>
    [Theory]
    [InlineData("reject")]
    [InlineData("takeOver")]
    public async Task StopAfterTheAnswerThatEndedIt_ExportedPlaysTheSameAgain(string answer)
    {
        await using var services = OfflineServices.Build();
        var (runbook, steps) = (Load(services, Runbook), services.GetRequiredService<StepCatalog>());
        var night = Case($"source: generic\nalert: {{ name: Slow, labels: {{ region: local }} }}\nchecks: {{ slow: [failing] }}\nevents: [{{ after: 2m, {answer}: ada }}]\nexpect: {{ state: rejected }}\n");
        var incident = (await TestRunner.PlayAsync(night, runbook, steps)).Incident.ShouldNotBeNull();

        incident = incident with { Stop = new("grace", "wait", incident.EndedAt!.Value.AddSeconds(1)) };

        var exported = TestScriptWriter.Write(IncidentTestWriter.Of(IncidentView.Of(incident, heldBack: [])));
        (await TestRunner.RunAsync(Case(exported), runbook, steps)).ShouldBeEmpty(exported);
    }

    /// <summary>What no test does, and people and other incidents do.</summary>
    public static TheoryData<string, string> Lives => new()
    {
        { "takenOver {}", "0 failing; 0 alert; 5 takeOver; 40 resolved; 45 close" },
        { "expired {}", "0 failing; 0 alert; 30 resolved; 35 close" },
        { "expired {}", "0 failing; 0 alert; 10 resolved; 25 close; 30 retry" },
        { "resolved {switch: done, tell: done, report: done}", "0 failing; 0 alert; 10 resolved; 25 close; 30 retry; 33 approve; 34 passing" },
        { "resolved {switch: done, tell: done, report: done}", "0 failing; 0 alert; 5 takeOver; 6 close; 10 retry; 13 approve; 14 passing" },
        { "resolved {switch: done, tell: done, report: done}", "0 failing; 0 other; 0 alert; 30 otherEnds; 33 approve; 34 passing" },
        { "cancelled {}", "0 failing; 0 other; 0 alert; 45 stop" },
    };

    [Theory]
    [MemberData(nameof(Lives))]
    public async Task Life_LivedAndExported_PlaysTheSameAgain(string end, string life)
    {
        await using var services = OfflineServices.Build();
        var steps = services.GetRequiredService<StepCatalog>();
        var runbook = Load(services, Runbook.Replace("diagnosis:", "suppressedBy: { runbook: other, target: \"{{ labels.region }}\", atMost: 1h }\ndiagnosis:", StringComparison.Ordinal));

        var incident = await Life.LiveAsync(life, runbook, Load(services, Runbook.Replace("id: reroute", "id: other", StringComparison.Ordinal)), steps);

        $"{CamelCase.Of(incident.State)} {{{string.Join(", ", incident.Steps.Select(step => $"{step.Name}: {CamelCase.Of(step.Status)}"))}}}".ShouldBe(end, incident.Reason);
        var exported = TestScriptWriter.Write(IncidentTestWriter.Of(IncidentView.Of(incident, heldBack: [])));
        (await TestRunner.RunAsync(Case(exported), runbook, steps)).ShouldBeEmpty(exported);
    }

    private static Runbook Load(IServiceProvider services, string text)
    {
        var read = services.GetRequiredService<RunbookReader>().Read("reroute.yaml", text);
        return read.Runbook.ShouldNotBeNull(string.Join("\n", read.Errors));
    }

    [Fact]
    public void LongestAlert_IsReadAsItWasWritten()
    {
        var written = new TestScript
        {
            Source = "alertmanager",
            Alert = new()
            {
                Name = new('n', AlertLimits.Name), Severity = new('s', AlertLimits.Severity), Summary = new('m', AlertLimits.Summary), Link = "https://" + new string('l', AlertLimits.Link - 8),
                Labels = new() { ["l"] = new('v', AlertLimits.LabelValue) },
                Annotations = new() { ["a"] = "\uFFFD\\\n" + new string('v', AlertLimits.AnnotationValue - 3) },
            },
            Expect = new() { State = "resolved" },
        };

        var (read, errors) = TestScriptReader.Read("test.yaml", TestScriptWriter.Write(written));

        errors.ShouldBeEmpty();
        read!.Alert.ToGeneric().ShouldBe(written.Alert.ToGeneric());
    }

    /// <summary>Nothing was stuck, no log was kept, nothing was said: an empty text is what a record holds then.</summary>
    [Fact]
    public void EmptyTexts_AreReadAsTheyWereWritten()
    {
        var written = new TestScript
        {
            Source = "alertmanager",
            Alert = new() { Name = "Slow", Severity = "", Summary = " ", Labels = new() { ["zone"] = "" }, Annotations = new() { ["page"] = "" } },
            Checks = new() { ["slow"] = [new() { Verdict = "failing", Summary = "", Value = "" }] },
            Steps = new() { ["drain"] = new() { Outputs = new() { ["evicted"] = "5", ["stuck"] = "" } } },
            Events = [new() { After = TimeSpan.FromMinutes(1), Reject = "ada", Reason = "" }],
            Expect = new() { State = "rejected" },
        };
        var text = TestScriptWriter.Write(written);

        var (read, errors) = TestScriptReader.Read("test.yaml", text);

        errors.ShouldBeEmpty();
        TestScriptWriter.Write(read!).ShouldBe(text);
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private TestCase Case(string text)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_home, "reroute", "night")).FullName;
        File.WriteAllText(Path.Combine(folder, TestCase.FileName), text);
        var (test, errors) = TestCase.Read(folder);
        return test.ShouldNotBeNull(string.Join("\n", errors));
    }

    private static string Without(string text, string line) =>
        string.Join('\n', text.Split('\n').Where(one => !one.StartsWith(line, StringComparison.Ordinal)));
}
