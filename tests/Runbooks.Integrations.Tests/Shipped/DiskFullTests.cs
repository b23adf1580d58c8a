using Runbooks.Model.Incidents;

namespace Runbooks.Integrations.Tests.Shipped;

public sealed class DiskFullTests : InSandboxWorld
{
    private const string Sample = "disk-full.azure-monitor";

    [Fact]
    public async Task FullDisk_HealsByItselfAndTellsAfterwards()
    {
        var ended = await _world.FireAsync(Sample);

        ended.State.ShouldBe(IncidentState.Resolved, ended.Reason);
        ended.Findings.ShouldHaveSingleItem().Result.Summary.ShouldStartWith("94 % in use (3.8 GiB free for /var/tmp on virtual machine vm-batch-1, which lies on the disk mounted at /); limit > 85");
        ended.Steps.Single(step => step.Name == "tidy").Outcome.ShouldNotBeNull().ShouldEndWith("the disk was 94 % full and is 52 %.");
        ended.Steps.Single(step => step.Name == "report").Outcome.ShouldNotBeNull().ShouldStartWith("Freed 12,408 files, 26.9 GiB: ");
        _world.Notifier.To(CardKind.ApprovalRequest).ShouldBeEmpty();
        _world.Notifier.To(CardKind.Closed).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task DiskThatWasTidiedAlready_NeedsNothing()
    {
        var first = await _world.FireAsync(Sample);
        await _world.AdvanceAsync(first.Id, TimeSpan.FromHours(1));

        (await _world.FireAsync(Sample)).State.ShouldBe(IncidentState.NotNeeded);
    }

    [Fact]
    public async Task OtherFolderOnTheSameDisk_IsLookedAtThereAndFreesNothing()
    {
        var fired = await _world.FireAsync(Sample, post => post.Replace("/var/tmp", "/tmp", StringComparison.Ordinal));
        var ended = await _world.AdvanceAsync(fired.Id, TimeSpan.FromHours(1));

        ended.Findings.ShouldHaveSingleItem().Result.Summary.ShouldStartWith("94 % in use (3.8 GiB free for /tmp on virtual machine vm-batch-1, which lies on the disk mounted at /)");
        ended.State.ShouldBe(IncidentState.Failed, ended.Reason);
        ended.Steps.Single(step => step.Name == "tidy").Outcome.ShouldNotBeNull().ShouldStartWith("Deleted 0 files");
    }
}
