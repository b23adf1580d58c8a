using System.Text.Json.Nodes;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;

namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook simulate</c>: a runbook tried at the desk, with no host running.</summary>
public sealed partial class SimulateTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Fact]
    public async Task SampleAlert_PlaysTheWholeIncidentInRelativeTime()
    {
        var (code, story, _) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", "hanged-gpu", "--by", "ada");

        code.ShouldBe(0, story);
        story.ShouldContain("Hung GPU (hanged-gpu) on b/inference/llm-b-0");
        story.ShouldContain("DCGM_FI_DEV_FB_USED{cluster=\"b\",exported_namespace=\"inference\",exported_pod=\"llm-b-0\"}");
        story.ShouldContain("+0s     question to oncall: Recycle pod llm-b-0?");
        story.ShouldContain("|   +5m     reminder to oncall\n");
        story.ShouldContain("|   +10m    platform-lead is asked too, and oncall again");
        story.ShouldContain("|   +20m    nothing is done and the incident is closed as expired.");
        story.ShouldContain("+1m     decision: ada approved");
        story.ShouldContain("Ends as resolved.");
        Directory.Exists(Path.Combine(AppContext.BaseDirectory, "data")).ShouldBeFalse();
    }

    [Fact]
    public async Task NobodyAnswers_RemindsEscalatesAndExpires()
    {
        var report = await ReportAsync(0, "simulate", "hanged-gpu", "--alert", "hanged-gpu", "--decision", "none");

        report["state"]!.ToString().ShouldBe("expired");
        Moments(report, "message").ShouldBe([
            "0s question to oncall", "5m reminder to oncall", "10m escalation to oncall, platform-lead",
            "15m reminder to oncall, platform-lead", "20m page to oncall, platform-lead, fallback"]);
    }

    [Fact]
    public async Task CauseThatStays_IsNotSaidToEnd()
    {
        var (code, story, _) = await ProgramRun.RunAsync("simulate", "provider-outage", "--alert", "provider-outage", "--then", "provider-down=failing:it is down");

        code.ShouldBe(0, story);
        story.ShouldContain("Has not ended within 7d: it is holding.");
    }

    /// <summary>A question may stay open for longer than a week: what comes after a late answer, or after none, is played all the same.</summary>
    [Fact]
    public async Task LateAnswer_IsPlayedToTheEnd()
    {
        var runbook = Write("slow.yaml", """
            id: slow
            title: Swap the disk
            trigger: [{ alert: DiskFull }]
            target: "{{ labels.vm }}"
            impact: { severity: low, users: Nobody., data: None. }
            diagnosis:
              down: { ask: Is it down?, check: llm.provider, with: { provider: "{{ labels.vm }}" } }
            mitigation:
              approval: { ask: Switch?, from: [oncall], timeout: 10d }
              steps: { switch: { do: appConfiguration.setFlag, with: { flag: local-model-only, enabled: true } } }
            """);
        var alert = Write("full.generic.json", """{ "name": "DiskFull", "labels": { "vm": "vm-1" } }""");

        (await ReportAsync(0, "simulate", runbook, "--alert", alert, "--after", "8d"))["state"]!.ToString().ShouldBe("resolved");
        (await ReportAsync(0, "simulate", runbook, "--alert", alert, "--decision", "none"))["state"]!.ToString().ShouldBe("expired");
    }

    /// <summary>With a label that the alert does not have, it would never wait, and nobody would notice.</summary>
    [Theory]
    [InlineData("db", "database-down on db-1, for at most 1h")]
    [InlineData("database", "database-down on ?, for at most 1h")]
    public async Task RunbookThatAnotherCovers_SaysForWhichIncidentItWouldWait(string label, string other)
    {
        var runbook = Write("index.yaml", """
            id: index
            title: Index stale
            trigger: [{ alert: Stale }]
            target: "{{ labels.index }}"
            suppressedBy: { runbook: database-down, target: "{{ labels.db }}" }
            impact: { severity: low, users: Nobody., data: None. }
            resolution: { steps: { tell: { do: note, with: { text: It is stale. } } } }
            """);
        var alert = Write("stale.generic.json", $$$"""{ "name": "Stale", "labels": { "index": "docs", "{{{label}}}": "db-1" } }""");

        (await ProgramRun.RunAsync("simulate", runbook, "--alert", alert)).Output.ShouldContain(
            $"\nIt would ask nobody while there is an open incident of {other}. Here there is none.\n");
    }

    /// <summary>What a person does helps as much as what a program does, and goes as that person answers.</summary>
    [Fact]
    public async Task StepByHand_IsFollowedByChecksThatPass()
    {
        var runbook = Write("by-hand.yaml", """
            id: by-hand
            title: Roll back by hand
            trigger: [{ alert: ImagePull }]
            target: "{{ labels.app }}"
            impact: { severity: low, users: Nobody., data: None. }
            diagnosis:
              down: { ask: Is it down?, check: llm.provider, with: { provider: "{{ labels.app }}" } }
            mitigation:
              steps: { roll-back: { do: person, with: { instruction: Roll it back., who: [oncall] } } }
              verify: { checks: [down], within: 5m }
            """);
        var alert = Write("pull.generic.json", """{ "name": "ImagePull", "labels": { "app": "chat" } }""");

        (await ReportAsync(0, "simulate", runbook, "--alert", alert))["state"]!.ToString().ShouldBe("resolved");
        (await ReportAsync(0, "simulate", runbook, "--alert", alert, "--then", "down=failing"))["state"]!.ToString().ShouldBe("failed");
        (await ReportAsync(0, "simulate", runbook, "--alert", alert, "--decision", "reject"))["state"]!.ToString().ShouldBe("failed");
        var (code, _, error) = await ProgramRun.RunAsync("simulate", runbook, "--alert", alert, "--step", "roll-back=fails");
        code.ShouldBe(2);
        error.ShouldContain("A person does step 'roll-back', so how it goes is what they answer: in a test an event (done, couldNot), in a simulation --decision.");
    }

    [Fact]
    public async Task FixDoesNotHelp_IsUndone()
    {
        var report = await ReportAsync(0, "simulate", "provider-outage", "--alert", "provider-outage", "--then", "local-model=failing:answers 503");

        report["state"]!.ToString().ShouldBe("failed");
        report["reason"]!.ToString().ShouldContain("answers 503");
        var undo = Moments(report, "undo");
        undo.Count.ShouldBe(3, "that it begins, and each step");
        undo[0].ShouldContain("Taking back ");
    }

    [Fact]
    public async Task FindingsGiven_DecideWhetherAnythingIsDone()
    {
        var report = await ReportAsync(0, "simulate", "hanged-gpu", "--alert", "hanged-gpu", "--finding", "stalled=passing", "--finding", "zombie=passing:it answers");

        report["state"]!.ToString().ShouldBe("notNeeded");
        report["checks"]![1]!["summary"]!.ToString().ShouldBe("it answers");
        report["questions"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task SelfHealingRunbook_AsksNobodyAndFillsOutputsOfEarlierSteps()
    {
        var report = await ReportAsync(0, "simulate", "disk-full", "--alert", "disk-full");

        report["questions"]![0]!["asked"]!.GetValue<bool>().ShouldBeFalse();
        Moments(report, "step").ShouldContain(step => step.Contains("Freed 120 files, 27 GiB", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ValueThatTheRealStepRefuses_IsToldAsInProduction()
    {
        var alert = Write("bad.alertmanager.json", SomeAlert.Stuck("LLM b 0"));

        var report = await ReportAsync(1, "simulate", "hanged-gpu", "--alert", alert);

        report["problems"]!.AsArray().Select(problem => problem!.ToString()).ShouldAllBe(problem => problem.Contains("is not a Kubernetes name", StringComparison.Ordinal));
        report["problems"]!.AsArray().Count.ShouldBe(3);
        report["state"]!.ToString().ShouldBe("failed");
    }

    /// <summary>A stand-in that no real step would give must not make a step fail that would run.</summary>
    [Fact]
    public async Task ValueOfAnEarlierStep_IsOneThatItMayGive()
    {
        const string Step = "do: kubernetes.scaleDeployment, with: { namespace: \"{{ labels.namespace }}\", deployment: chat, max: 6, ";
        var runbook = Write("scale.yaml", $$$"""
            id: scale
            title: Scale
            trigger: [{ alert: InferenceRequestsStuck }]
            target: "{{ labels.namespace }}"
            impact: { severity: low, users: None., data: None. }
            mitigation:
              approval: { ask: "Scale?", from: [oncall] }
              steps: { grow: { {{{Step}}}add: 1 } } }
            resolution:
              steps: { back: { {{{Step}}}replicas: "{{ steps.grow.before }}" } } }
            """);
        var alert = Write("stuck.alertmanager.json", SomeAlert.Stuck("llm-b-0"));

        (await ReportAsync(0, "simulate", runbook, "--alert", alert))["state"]!.ToString().ShouldBe("resolved");
    }

    [Fact]
    public async Task AlertOfAnotherRunbook_SaysWhatKeepsEachTriggerAndFails()
    {
        var alert = Write("mild.azure-monitor.json", SomeAlert.Sample("hanged-gpu").Replace("Sev1", "Sev4", StringComparison.Ordinal));

        var (code, output, _) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", alert);

        code.ShouldBe(1);
        output.ShouldContain("This runbook is not for this alert");
        output.IndexOf("the alert has 'Sev4'", StringComparison.Ordinal).ShouldBeLessThan(output.IndexOf("it waits for the alert 'InferenceRequestsStuck'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task NumberThatIsFound_IsTheMeasuredValue()
    {
        var runbook = Write("memory.yaml", RunbookCopy.Shipped.Replace("ask: Recycle pod {{ labels.pod }}?", "ask: Memory is at {{ findings.gpu-memory.value }}?", StringComparison.Ordinal));

        var (_, story, error) = await ProgramRun.RunAsync("simulate", runbook, "--alert", "hanged-gpu", "--finding", "gpu-memory=failing:97.2");

        story.ShouldContain("Memory is at 97.2?", customMessage: error);
    }

    /// <summary>It would fail after the fix, when nobody can do anything about the file.</summary>
    [Fact]
    public async Task StepOfTheResolutionThatCannotBeUsed_IsAProblem()
    {
        var runbook = Write("back.yaml", RunbookCopy.Shipped.Replace(
            "ticket: { do: note, with: { text: Attach the kept logs to the ticket about the hang. } }", "back: { do: kubernetes.uncordonNode, with: { node: \"{{ labels.nod }}\" } }", StringComparison.Ordinal));

        var report = await ReportAsync(1, "simulate", runbook, "--alert", "hanged-gpu");

        report["problems"]!.AsArray().ShouldHaveSingleItem()!.ToString().ShouldStartWith("The resolution cannot come to its end as things are. Step 'back': ");
    }

    [Theory]
    [InlineData(2, "Did you mean 'hanged-gpu'?", "simulate", "hanged-gup", "--alert", "hanged-gpu")]
    [InlineData(2, "Did you mean 'hanged-gpu'?", "simulate", "hanged-gpu", "--alert", "hanged-gup")]
    [InlineData(2, "Did you mean 'zombie'?", "simulate", "hanged-gpu", "--alert", "hanged-gpu", "--finding", "zombi=failing")]
    [InlineData(2, "has to be one of passing, failing, unknown", "simulate", "hanged-gpu", "--alert", "hanged-gpu", "--finding", "zombie=dead")]
    [InlineData(2, "--after has to be", "simulate", "hanged-gpu", "--alert", "hanged-gpu", "--after", "soon")]
    [InlineData(2, "runbook simulate --help", "simulate", "hanged-gpu")]
    [InlineData(1, "is resolved", "simulate", "hanged-gpu", "--alert", "hanged-gpu.azure-monitor.resolved")]
    public async Task WrongInput_SaysWhatAndTheRemedy(int expected, string remedy, params string[] arguments)
    {
        var (code, _, error) = await ProgramRun.RunAsync(arguments);

        code.ShouldBe(expected);
        error.ShouldContain(remedy);
    }

    [Fact]
    public async Task AlertThatIsNotJson_SaysWhere()
    {
        var (code, _, error) = await ProgramRun.RunAsync("simulate", "hanged-gpu", "--alert", Write("nonsense.generic.json", "nonsense"));

        code.ShouldBe(1);
        error.ShouldContain("not JSON at line 1");
    }

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>All is well, and what it tells was measured minutes ago.</summary>
    private sealed class LateCheck() : Check<LateParameters>("test.late", "Tells how it was three minutes ago.")
    {
        public static readonly TimeSpan Behind = TimeSpan.FromMinutes(3);

        public int Asked { get; private set; }

        protected override Task<CheckResult> AskAsync(LateParameters parameters, StepContext context, CancellationToken cancellationToken)
        {
            Asked++;
            return Task.FromResult(CheckResult.Passing("All is well.") with { MeasuredAt = context.Time.GetUtcNow() - Behind });
        }
    }

    private sealed record LateParameters;

    private static async Task<JsonNode> ReportAsync(int expected, params string[] arguments)
    {
        var (code, output, error) = await ProgramRun.RunAsync([.. arguments, "--json"]);
        code.ShouldBe(expected, output + error);
        return JsonNode.Parse(output)!;
    }

    private static List<string> Moments(JsonNode report, string kind) => [.. report["timeline"]!.AsArray()
        .Where(moment => moment!["kind"]!.ToString() == kind).Select(moment => $"{moment!["after"]} {moment["what"]}")];

    private static async Task<string> PodsAsync(HttpClient sandbox) =>
        (await JsonNode.ParseAsync(await sandbox.GetStreamAsync(new Uri("/_sandbox/state", UriKind.Relative))))!["apis"]!["kubernetes"]!["b"]!["pods"]!.ToJsonString();

    private string Write(string name, string text)
    {
        var file = Path.Combine(_home, name);
        File.WriteAllText(file, text);
        return file;
    }
}
