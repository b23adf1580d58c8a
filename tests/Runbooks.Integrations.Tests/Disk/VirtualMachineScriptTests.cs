using System.Diagnostics;
using Runbooks.Integrations.Disk;

namespace Runbooks.Integrations.Tests.Disk;

/// <summary>What a virtual machine is given to run, run by this machine's own shell.</summary>
public sealed class VirtualMachineScriptTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("runbooks-vm-");

    private string Folder => Path.Combine(_root.FullName, "tmp");

    public void Dispose() => _root.Delete(recursive: true);

    private string File(string name)
    {
        var path = Path.Combine(_root.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, "0123456789");
        System.IO.File.SetLastWriteTimeUtc(path, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        return path;
    }

    private string Script(bool delete) => string.Join('\n', VirtualMachine.ScriptIn(Folder, VirtualMachine.TempFilesScript(TimeSpan.FromDays(3), delete)));

    private static async Task<(string Said, int Code)> ShellAsync(string script, params string[] shell)
    {
        var start = new ProcessStartInfo(shell.Length == 0 ? "sh" : shell[0]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in shell.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(script);
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (said.Trim(), process.ExitCode);
    }

    [Fact]
    public async Task OldFiles_AreCountedThenDeletedAndLinksAreLeft()
    {
        var (old, deep, outside) = (File("tmp/old"), File("tmp/deep/er/old"), File("elsewhere/precious"));
        Directory.CreateSymbolicLink(Path.Combine(Folder, "way-out"), Path.GetDirectoryName(outside)!);

        (await ShellAsync(Script(delete: false))).Said.ShouldBe("runbook: files=2 bytes=20");
        (await ShellAsync(Script(delete: true))).Said.ShouldBe("runbook: files=2 bytes=20");

        (System.IO.File.Exists(old), System.IO.File.Exists(deep), System.IO.File.Exists(outside)).ShouldBe((false, false, true));
    }

    /// <summary>A disk of 100 that is full for programs, while ext4 keeps 5 for root.</summary>
    [Fact]
    public async Task Space_IsWhatProgramsCanHave()
    {
        Directory.CreateDirectory(Folder);
        const string df = "df() { printf 'Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/sda1 100 95 0 100%% /\n'; }\n";

        (await ShellAsync(df + string.Join('\n', VirtualMachine.ScriptIn(Folder, [VirtualMachine.Space])))).Said.ShouldBe("runbook: used=95 available=0 mount=/");
    }

    [Fact]
    public async Task FolderThatIsALink_IsSaidAndLeft()
    {
        var outside = File("elsewhere/precious");
        Directory.CreateSymbolicLink(Folder, Path.GetDirectoryName(outside)!);

        (await ShellAsync(Script(delete: true))).Said.ShouldBe("runbook: link");

        System.IO.File.Exists(outside).ShouldBeTrue();
    }

    [Fact]
    public async Task PartOfTheSameDiskThatIsMountedBelow_IsSaidAndLeft()
    {
        var (outside, _) = (File("elsewhere/precious"), File("tmp/data/old"));
        var mount = $"mount --bind '{Path.GetDirectoryName(outside)}' '{Folder}/data' || exit 77\n";

        var (said, code) = await ShellAsync(mount + Script(delete: true), "unshare", "--mount", "sh");

        Assert.SkipUnless(code == 0, "Nothing can be mounted here.");
        said.ShouldBe("runbook: mount");
        System.IO.File.Exists(outside).ShouldBeTrue();
    }
}
