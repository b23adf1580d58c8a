namespace RunbookServer.Tests.EndToEnd;

/// <summary><c>runbook test</c>: the shipped cases pass, and a case that is wrong about its runbook fails and says why.</summary>
public sealed class RunbookTestsTests : IDisposable
{
    private readonly RunbookCopy _runbooks = new(text => text);

    [Fact]
    public async Task ShippedCases_Pass()
    {
        var (code, output, _) = await ProgramRun.RunAsync("test");

        code.ShouldBe(0, output);
        output.ShouldContain("passed  hanged-gpu/nobody-answers");
        output.ShouldContain(" 0 failed.");
    }

    [Fact]
    public async Task OtherEndThanExpected_FailsAndSaysWhatCame()
    {
        Write("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nexpect: { state: resolved, steps: { recycle: done } }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:3:18  state is expired and should be resolved");
        output.ShouldMatch(@"test\.yaml:3:35  steps are .* should be \{ recycle: done \}");
    }

    [Theory]
    [InlineData("source: alertmanager\nexpects: { state: resolved }\n", "expects")]
    [InlineData("source: alertmanager\nchecks: { zombie: [broken] }\nexpect: { state: resolved }\n", "checks.zombie")]
    [InlineData("source: alertmanager\nevents: [{ after: soon, approve: ada }]\nexpect: { state: resolved }\n", "'soon'")]
    [InlineData("source: alertmanager\nevents: [{ after: 1m }]\nexpect: { state: resolved }\n", "exactly one thing that happens")]
    [InlineData("source: alertmanager\nevents: [{ after: 1m, resolved: false }]\nexpect: { state: resolved }\n", "test.yaml:2:33  events[0].resolved  is false, so nothing happens.")]
    [InlineData("source: alertmanager\nsteps: { recycle: { outputs: { newPod: } } }\nexpect: { state: resolved }\n", "steps.recycle.outputs.newPod")]
    [InlineData("source: alertmanager\nevents: [{ after: 1m, approve: '' }]\nexpect: { state: resolved }\n", "events[0].approve")]
    [InlineData("source: smoke-signals\nexpect: { state: resolved }\n", "smoke-signals")]
    public async Task WrongTestFile_IsNamedWithItsMistake(string text, string mistake)
    {
        Write(text);

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain(mistake);
    }

    /// <summary>What takes just longer than its timeout and what hangs for hours are the same from outside.</summary>
    [Theory]
    [InlineData("16m")]
    [InlineData("4h")]
    public async Task StepThatTakesLongerThanItsTimeout_FailsAtItsTimeout(string takes)
    {
        Write($"source: alertmanager\nchecks: {{ stalled: [failing], zombie: [failing] }}\nsteps: {{ recycle: {{ takes: {takes} }} }}\nevents: [{{ after: 3m, approve: ada }}, {{ after: 2h, cancel: ada, reason: too late }}]\nexpect: {{ state: resolved }}\n");

        var (_, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        output.ShouldContain("state is failed and should be resolved");
        output.ShouldContain("no answer within 15m");
    }

    [Fact]
    public async Task DecisionThatCannotCount_FailsTheCase()
    {
        Write("source: alertmanager\nchecks: { stalled: [passing], zombie: [passing] }\nevents: [{ after: 1m, approve: ada }]\nexpect: { state: notNeeded }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:3:10  after 1m: it did not count");
    }

    [Fact]
    public async Task NamesThatTheRunbookDoesNotHave_FailTheCase()
    {
        Write("source: alertmanager\nchecks: { zombi: [failing] }\nsteps: { recycel: fails }\nexpect: { state: expired }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:2:11  The runbook has no check 'zombi'. Did you mean 'zombie'?");
        output.ShouldContain("test.yaml:3:10  The runbook has no step 'recycel'. Did you mean 'recycle'?");
    }

    [Fact]
    public async Task OutputThatTheActionDoesNotHave_FailsTheCase()
    {
        Write("source: alertmanager\nchecks: { stalled: [failing, passing], zombie: [failing, passing] }\nsteps: { recycle: { outputs: { newPdo: x } } }\nevents: [{ after: 1m, approve: ada }]\nexpect: { state: resolved }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:3:32  kubernetes.recyclePod has no output 'newPdo'. Did you mean 'newPod'? Its outputs are: newPod, newUid, logs.");
    }

    [Theory]
    [InlineData("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nevents: [{ after: 1m, reject: ada }, { after: 2m, resolved: true }]\nexpect: { state: rejected }\n", "test.yaml:3:38  after 2m: it had ended, so this changed nothing.")]
    [InlineData("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nsteps: { recycle: fails }\nevents: [{ after: 1m, reject: ada }]\nexpect: { state: rejected }\n", "test.yaml:3:10  Step 'recycle' was never come to, so what the test says about it was not tried.")]
    [InlineData("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nobjections: { resolution: forbid }\nevents: [{ after: 1m, reject: ada }]\nexpect: { state: rejected }\n", "test.yaml:3:15  The guardrails were never asked about the resolution")]
    public async Task WhatChangesNothing_FailsTheCase(string text, string problem)
    {
        Write(text);

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain(problem);
    }

    [Fact]
    public async Task TestWhereNoneIsLookedFor_IsTold()
    {
        Write("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nevents: [{ after: 1m, reject: ada }]\nexpect: { state: rejected }\n");
        var folder = Path.Combine(_runbooks.Path, "tests", "hanged-gpu");
        File.WriteAllText(Path.Combine(folder, "case", "test.yml"), "");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "typed-wrong")).FullName, "Tests.yaml"), "");
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "more", "deeper")).FullName, "test.yaml"), "");
        File.WriteAllText(Path.Combine(folder, "..", "test-values.yaml"), "");
        File.WriteAllText(Path.Combine(folder, "testdata.yml"), "");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("case/test.yml:1:1  is no test: it is never run.");
        output.ShouldContain("typed-wrong/Tests.yaml:1:1  is no test: it is never run.");
        output.ShouldContain("deeper/test.yaml:1:1  is no test: it is never run.");
        output.ShouldContain("passed  hanged-gpu/case");
        output.ShouldContain("1 passed, 3 failed.");
    }

    [Fact]
    public async Task AnswersThatNobodyAskedFor_FailTheCase()
    {
        Write("source: alertmanager\nchecks: { stalled: [failing, passing], zombie: [failing] }\nsteps: { recycle: { undo: fails } }\nevents: [{ after: 1m, reject: ada }]\nexpect: { state: rejected }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:2:30  The answer 'passing' of check 'stalled' was never asked for: the check was asked 1 time.");
        output.ShouldContain("test.yaml:3:10  Step 'recycle' was never taken back");
    }

    [Fact]
    public async Task StepThatIsLookedAtOnce_CannotChangeInBetween()
    {
        Write("source: alertmanager\nchecks: { stalled: [failing], zombie: [failing] }\nsteps: { recycle: { changes: true } }\nevents: [{ after: 1m, reject: ada }]\nexpect: { state: rejected }\n");

        var (code, output, _) = await ProgramRun.RunAsync("test", "--runbooks", _runbooks.Path);

        code.ShouldBe(1);
        output.ShouldContain("test.yaml:3:10  Step 'recycle' was looked at only once, so nothing could change in between");
    }

    public void Dispose() => _runbooks.Dispose();

    private void Write(string test)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_runbooks.Path, "tests", "hanged-gpu", "case")).FullName;
        File.WriteAllText(Path.Combine(folder, "alert.json"), SomeAlert.Stuck("llm-b-0"));
        File.WriteAllText(Path.Combine(folder, "test.yaml"), test);
    }
}
