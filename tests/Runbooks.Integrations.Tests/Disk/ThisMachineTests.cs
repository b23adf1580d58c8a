using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Tests.Support;

namespace Runbooks.Integrations.Tests.Disk;

/// <summary>Which machine "this machine" is depends on the process that has the step.</summary>
public sealed class ThisMachineTests : OnTheSandbox
{
    private readonly DirectoryInfo _folder = Directory.CreateDirectory($"/tmp/runbooks-{Guid.NewGuid():N}");

    protected override IReadOnlyDictionary<string, string?> Settings => new Dictionary<string, string?> { ["Disk:ThisMachine"] = "true" };

    protected override IServiceCollection Add(IServiceCollection services) => services.AddDisk();

    [Fact]
    public async Task FilesOfAnotherMachineThanWasLookedAt_AreNotDeleted()
    {
        var (with, old) = (new { folder = _folder.FullName, olderThan = "3d" }, Path.Combine(_folder.FullName, "old"));
        await File.WriteAllTextAsync(old, "0123456789", Cancel);
        File.SetLastWriteTimeUtc(old, Clock.GetUtcNow().UtcDateTime.AddDays(-9));
        var preparation = await PrepareAsync("disk.deleteTempFiles", with);

        preparation.PlannedEffect.ShouldEndWith($" on this machine ({Environment.MachineName}) (now 1 file, 10 bytes).");
        preparation.Identity.ShouldBe(Environment.MachineName);
        (await Should.ThrowAsync<StepRefusedException>(() => ApplyAsync("disk.deleteTempFiles", with, preparation with { Identity = "another" }))).Message
            .ShouldBe($"The files of the machine another were meant, and this is {Environment.MachineName}: another process has taken the step. Nothing more was deleted.");
        File.Exists(old).ShouldBeTrue();
        (await ApplyAsync("disk.deleteTempFiles", with, preparation)).Result.ShouldStartWith($"Deleted 1 file, 10 bytes below {_folder.FullName} on this machine ({Environment.MachineName})");
        _folder.Delete(recursive: true);
    }
}
