using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Azure;
using Runbooks.Integrations.Disk;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Disk;

public sealed class VirtualMachineTests : OnTheSandbox
{
    /// <summary>Somebody who practises has files of their own in /tmp.</summary>
    [Fact]
    public async Task InPractice_NothingOfThisMachineIsDeleted() =>
        (await PrepareAsync(Delete, new { folder = "/var/tmp" })).Refusal.ShouldNotBeNull().ShouldContain("Disk:ThisMachine");

    private const string Delete = "disk.deleteTempFiles";
    private static readonly string s_machine = Resource("Microsoft.Compute/virtualMachines", "vm-batch-1");
    private static readonly object s_old = new { machine = s_machine, folder = "/var/tmp", olderThan = "3d" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddDisk();

    // Even to look is a long-running operation here.
    protected override TimeProvider CheckTime => new SkippingTime(Clock);

    private Task<CheckResult> UsageAsync() => AskAsync("disk.usage", new { machine = s_machine, folder = "/var/tmp", failing = "> 85" });

    [Fact]
    public async Task OldFiles_AreCountedThenDeletedAndTheDiskIsFreer()
    {
        var full = await UsageAsync();
        (full.Verdict, full.Link).ShouldBe((Verdict.Failing, $"https://portal.azure.com/#@/resource{s_machine}"));
        var preparation = await PrepareAsync(Delete, s_old);

        var result = await ApplyAsync(Delete, s_old, preparation);

        preparation.PlannedEffect.ShouldBe("Delete files older than 3 days below /var/tmp on virtual machine vm-batch-1 (now 12,408 files, 26.9 GiB).");
        result.Outputs["usedAfter"].ShouldBe("52 %");
        (await UsageAsync()).Verdict.ShouldBe(Verdict.Passing);
        var scripts = (await SentAsync()).Where(change => change.Request.Contains("/runCommand")).ToList();
        scripts[0].Body.ShouldBeGolden("look");
        scripts[1].Body.ShouldBeGolden("count");
        scripts[3].Body.ShouldBeGolden("delete");
    }

    [Fact]
    public async Task FolderThatLiesOnNoDisk_IsNoHealth()
    {
        var found = await AskAsync("disk.usage", new { folder = "/proc", failing = "> 85" });

        (found.Verdict, found.Summary, found.Threshold).ShouldBe((Verdict.Unknown, $"/proc on this machine ({Environment.MachineName}) lies on no disk: there is no room that could be used.", "> 85"));
    }

    [Fact]
    public async Task IdentityThatMayRunNoScript_IsToldTheRole()
    {
        (await CheckPermissionsAsync(Delete, s_old)).ShouldBeNull();

        await FaultAsync("arm", "denied", on: "Microsoft.Compute/virtualMachines/runCommand/action");

        (await CheckPermissionsAsync(Delete, s_old)).ShouldBe(
            "This identity lacks the role Virtual Machine Contributor on virtual machine vm-batch-1: it may not do Microsoft.Compute/virtualMachines/runCommand/action there.");
        (await CheckPermissionsAsync(Delete, new { folder = "/var/tmp" })).ShouldBeNull();
    }

    [Theory]
    [InlineData("/etc")]
    [InlineData("/var/tmpfiles")]
    [InlineData("/")]
    public async Task FolderThatIsNotAllowed_IsRefusedBeforeAnyScriptRuns(string folder)
    {
        if (folder != "/")
        {
            (await PrepareAsync(Delete, new { machine = s_machine, folder })).Refusal.ShouldNotBeNull().ShouldContain("Disk:AllowedFolders");
        }

        TempFolder.Refusal(folder, TimeSpan.FromDays(3), new DiskOptions()).ShouldNotBeNull();
        (await RequestsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/tmp/../etc")]
    [InlineData("/tmp/'; reboot; '")]
    [InlineData("/tmp/$(reboot)")]
    [InlineData("/tmp/a b")]
    [InlineData("/tmp/-rf")]
    [InlineData("tmp")]
    [InlineData("/")]
    public void PathThatAShellCouldTakeForMore_IsNoPath(string path)
    {
        TempFolder.IsPath(path).ShouldBeFalse();
    }

    [Fact]
    public async Task FolderThatIsNotThere_IsSaid()
    {
        (await Should.ThrowAsync<StepRefusedException>(() => PrepareAsync(Delete, new { machine = s_machine, folder = "/var/tmp/gone" }))).Message.ShouldContain("There is no folder /var/tmp/gone");
    }

    /// <summary>A machine runs one script at a time: two disks of it are asked for at once, and a script that nobody waits for any more goes on.</summary>
    [Fact]
    public async Task WhileAnotherScriptRuns_ItIsAskedAgain()
    {
        await FaultAsync("arm", "409", count: 3);
        var began = Clock.GetUtcNow();

        (await UsageAsync()).Verdict.ShouldBe(Verdict.Failing);

        (await RequestsAsync()).Count(request => request.StartsWith($"POST /arm{s_machine}/runCommand?", StringComparison.Ordinal)).ShouldBe(4);
        (Clock.GetUtcNow() - began).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(15));
    }

    /// <summary>It is a POST that changes nothing.</summary>
    [Fact]
    public async Task LookThatAzureHasNoTimeFor_IsSentAgain()
    {
        await FaultAsync("arm", "429", count: 2);

        (await UsageAsync()).Verdict.ShouldBe(Verdict.Failing);

        (await RequestsAsync()).Count(request => request.StartsWith($"POST /arm{s_machine}/runCommand?", StringComparison.Ordinal)).ShouldBe(3);
    }

    [Fact]
    public async Task LookThatAzureHasNoTimeForAtAll_IsToldAsThat()
    {
        await FaultAsync("arm", "429", count: 1000);

        (await Should.ThrowAsync<AzureRequestException>(() => PrepareAsync(Delete, s_old))).Status.ShouldBe(429);
    }

    /// <summary>It was deleted and that was not on record when the host went down, or nobody answered how full the disk is now.</summary>
    [Fact]
    public async Task SecondAttempt_SaysWhatTheFirstOneDeleted()
    {
        var preparation = await PrepareAsync(Delete, s_old);
        await ApplyAsync(Delete, s_old, preparation);

        var result = await ApplyAsync(Delete, s_old, preparation, interrupted: preparation);

        result.Result.ShouldBe("Deleted 12,408 files, 26.9 GiB below /var/tmp on virtual machine vm-batch-1: the disk was 94 % full and is 52 %.");
        (result.Outputs["freed"], result.Outputs["usedBefore"], result.Outputs["usedAfter"]).ShouldBe(("12,408 files, 26.9 GiB", "94 %", "52 %"));
    }

    /// <summary>One that was turned away before anything was sent has deleted nothing.</summary>
    [Theory]
    [InlineData("500", " (and whatever an attempt deleted that broke off)")]
    [InlineData("429", "")]
    public async Task SecondAttemptAfterOneThatBrokeOff_SaysWhetherItCannotCountThat(string fault, string uncounted)
    {
        var preparation = await PrepareAsync(Delete, s_old);
        await FaultAsync("arm", fault, on: "/runCommand", skip: 1);
        await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Delete, s_old, preparation));

        (await ApplyAsync(Delete, s_old, preparation, interrupted: preparation)).Result
            .ShouldBe($"Deleted 12,408 files, 26.9 GiB{uncounted} below /var/tmp on virtual machine vm-batch-1: the disk was 94 % full and is 52 %.");
    }

    [Theory]
    [InlineData("500")]
    [InlineData("403")]
    public async Task NobodySaysHowFullTheDiskIsNow_TheFilesAreDeletedAllTheSame(string fault)
    {
        var preparation = await PrepareAsync(Delete, s_old);
        await FaultAsync("arm", fault, on: "/runCommand", skip: 2);

        var result = await ApplyAsync(Delete, s_old, preparation);

        result.Result.ShouldBe("Deleted 12,408 files, 26.9 GiB below /var/tmp on virtual machine vm-batch-1: the disk was 94 % full before, and how full it is now could not be asked.");
        result.Outputs["usedAfter"].ShouldBe("unknown");
    }

    /// <summary>A backup's may take an hour: the step has not failed, and waits for its turn as any other.</summary>
    [Fact]
    public async Task AnotherScriptRunsForLong_TheStepIsToldThatItIsNotItsTurn()
    {
        var preparation = await PrepareAsync(Delete, s_old);
        await FaultAsync("arm", "409", count: 1000);
        var began = Clock.GetUtcNow();

        (await Should.ThrowAsync<AzureRequestException>(() => PrepareAsync(Delete, s_old))).IsBusy.ShouldBeTrue();
        (Clock.GetUtcNow() - began).ShouldBeInRange(TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(100));
        (await Should.ThrowAsync<AzureRequestException>(() => ApplyAsync(Delete, s_old, preparation))).IsBusy.ShouldBeTrue();
    }

    [Theory]
    [InlineData("403", typeof(StepRefusedException), "Virtual Machine Contributor")]
    [InlineData("lroFails", typeof(AzureRequestException), "ended as Failed")]
    public async Task Fault_IsSaidInWords(string fault, Type exception, string words)
    {
        await FaultAsync("arm", fault);

        (await Should.ThrowAsync(() => PrepareAsync(Delete, s_old), exception)).Message.ShouldContain(words);
    }
}
