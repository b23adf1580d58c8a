using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog.Steps;
using Runbooks.Integrations.Disk;

namespace Runbooks.Integrations.Tests.Disk;

public sealed class LocalMachineTests : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 11, 24, 3, 0, 0, TimeSpan.Zero);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("runbooks-disk-");
    private readonly LocalMachine _machine = new(new FakeTimeProvider(s_now));

    public void Dispose() => _folder.Delete(recursive: true);

    private string File(string name, int daysOld)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, "0123456789");
        System.IO.File.SetLastWriteTimeUtc(path, s_now.UtcDateTime.AddDays(-daysOld));
        return path;
    }

    private Task<TempFiles> RunAsync(bool delete, string below = "tmp") =>
        _machine.TempFilesAsync(Path.Combine(_folder.FullName, below), TimeSpan.FromDays(3), delete, TestContext.Current.CancellationToken);

    [Fact]
    public async Task OldFiles_AreDeletedAndYoungOnesStay()
    {
        var (old, deep, young) = (File("tmp/old", 4), File("tmp/deep/er/old", 9), File("tmp/young", 2));

        (await RunAsync(delete: false)).ShouldBe(new TempFiles(2, 20));
        System.IO.File.Exists(old).ShouldBeTrue("counting touches nothing");
        (await RunAsync(delete: true)).ShouldBe(new TempFiles(2, 20));

        (System.IO.File.Exists(old), System.IO.File.Exists(deep), System.IO.File.Exists(young)).ShouldBe((false, false, true));
    }

    [Fact]
    public async Task Links_AreNeverFollowedOut()
    {
        var outside = File("elsewhere/precious", 100);
        File("tmp/old", 4);
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "tmp", "way-out"), Path.Combine(_folder.FullName, "elsewhere"));
        System.IO.File.CreateSymbolicLink(Path.Combine(_folder.FullName, "tmp", "file-out"), outside);

        (await RunAsync(delete: true)).Files.ShouldBe(1);

        System.IO.File.Exists(outside).ShouldBeTrue();
    }

    [Fact]
    public async Task FolderThatIsItselfALink_IsRefused()
    {
        File("elsewhere/precious", 100);
        Directory.CreateSymbolicLink(Path.Combine(_folder.FullName, "tmp"), Path.Combine(_folder.FullName, "elsewhere"));

        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(delete: true))).Message.ShouldContain("leads elsewhere");
        (await Should.ThrowAsync<StepRefusedException>(() => RunAsync(delete: true, "nowhere"))).Message.ShouldContain("There is no folder");
    }

    [Fact]
    public void FolderThatIsSwappedForALink_LeadsNowhereElse()
    {
        var precious = File("elsewhere/old", 100);
        var old = File("tmp/old", 100);
        var (tmp, moved) = (Path.Combine(_folder.FullName, "tmp"), Path.Combine(_folder.FullName, "moved"));
        using var parent = FolderHandle.Open(_folder.FullName);
        using var held = FolderHandle.Open(tmp);

        Directory.Move(tmp, moved);
        Directory.CreateSymbolicLink(tmp, Path.Combine(_folder.FullName, "elsewhere"));

        parent.Enter("tmp").ShouldBeNull();
        held.Names().ShouldBe(["old"]);
        held.Delete("old").ShouldBeTrue();
        System.IO.File.Exists(precious).ShouldBeTrue("it lies where the path leads now");
        System.IO.File.Exists(Path.Combine(moved, "old")).ShouldBeFalse();
    }

    [Fact]
    public void AnotherMountBelow_IsNotEntered()
    {
        using var devices = FolderHandle.Open("/dev");
        using var memory = devices.Enter("shm");
        using var processes = FolderHandle.Open("/proc");

        processes.SharesMountWith(devices).ShouldBeFalse();
        devices.SharesMountWith(devices).ShouldBeTrue();
        // In a container without a /dev/shm of its own there is nothing to compare.
        memory?.SharesMountWith(devices).ShouldBe(!System.IO.File.ReadLines("/proc/self/mountinfo").Any(line => line.Split(' ')[4] == "/dev/shm"));
    }

    [Fact]
    public async Task NamesThatNoShellWouldLike_AreJustNames()
    {
        foreach (var name in (string[])["-rf", "a\nb", "; rm x", "*", " "])
        {
            File("tmp/" + name, 9);
        }

        (await RunAsync(delete: true)).Files.ShouldBe(5);
    }

    [Fact]
    public async Task Space_IsThatOfTheDiskAndSaysWhereItIsMounted()
    {
        var space = await _machine.SpaceAsync(_folder.FullName, TestContext.Current.CancellationToken);

        space.Percent.ShouldNotBeNull().ShouldBeInRange(0, 100);
        space.Mount.ShouldNotBe(_folder.FullName);
        (_folder.FullName + "/").ShouldStartWith(space.Mount!.TrimEnd('/') + "/");
        (await _machine.SpaceAsync("/proc", TestContext.Current.CancellationToken)).ShouldBe(new DiskSpace(0, 0, "/proc"));
    }

    /// <summary>What root alone may use is not free for anybody else, and <c>df</c> does not count it either.</summary>
    [Fact]
    public async Task Space_IsWhatDfSays()
    {
        using var df = Process.Start(new ProcessStartInfo("df", ["-P", "-B1", _folder.FullName]) { RedirectStandardOutput = true })!;
        var said = (await df.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);

        var space = await _machine.SpaceAsync(_folder.FullName, TestContext.Current.CancellationToken);

        space.Percent.ShouldNotBeNull().ShouldBe(double.Parse(said[4].TrimEnd('%'), CultureInfo.InvariantCulture), tolerance: 1.5);
        // Others write on this disk as well.
        ((double)space.Available).ShouldBe(double.Parse(said[3], CultureInfo.InvariantCulture), tolerance: 5e9);
    }

    [Theory]
    [InlineData(95, 0, 100.0)]
    [InlineData(50, 50, 50.0)]
    [InlineData(1, 2, 33.3)]
    [InlineData(0, 0, null)]
    public void Percent_IsOfWhatProgramsCanHave(long used, long available, double? percent) => new DiskSpace(used, available, null).Percent.ShouldBe(percent);
}
