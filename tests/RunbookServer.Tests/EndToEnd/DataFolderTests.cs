using RunbookServer.Hosting;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>What the host keeps is for its owner alone.</summary>
public sealed class DataFolderTests
{
    private const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    [Fact]
    public async Task RunningHost_KeepsEverythingForItsOwner()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such rights.");
        await using var host = await RunningHost.StartAsync();
        var id = (await host.Client.StuckAsync("llm-b-0"))["id"]!.ToString();
        await host.Client.WaitForAsync(id, "awaitingApproval");
        await host.Client.DecideAsync(id, "approve");
        await host.Client.WaitForAsync(id, "resolved");

        var paths = Directory.EnumerateFileSystemEntries(host.DataFolder, "*", SearchOption.AllDirectories).Append(host.DataFolder).ToList();

        foreach (var kept in (string[])["runbooks.db", "runbooks.db-wal", "runbooks.db-shm", "api-key", "link-key", "outbox", "evidence"])
        {
            paths.ShouldContain(Path.Combine(host.DataFolder, kept));
        }

        paths.Count(path => path.Contains("/outbox/", StringComparison.Ordinal)).ShouldBeGreaterThan(0);
        paths.Count(path => path.Contains("/evidence/", StringComparison.Ordinal)).ShouldBeGreaterThan(0);
        paths.Where(path => Path.Exists(path) && (ModeOf(path) & Others) != 0).ShouldBeEmpty();
        ModeOf(host.DataFolder).ShouldBe(Folder);
    }

    [Fact]
    public void FolderFromBefore_IsPutRight()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such rights.");
        var home = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var old = Path.Combine(home, "outbox", "old.json");
        Directory.CreateDirectory(Path.GetDirectoryName(old)!);
        foreach (var file in (string[])[old, Path.Combine(home, ServerDefaults.KeyFile)])
        {
            File.WriteAllText(file, "key");
            Widen(file);
        }

        Widen(Path.GetDirectoryName(old)!);
        Widen(home);
        try
        {
            DataFolder.Prepare(new ServerSettings { DataDirectory = home });

            Directory.EnumerateFileSystemEntries(home, "*", SearchOption.AllDirectories).Append(home).Where(path => (ModeOf(path) & Others) != 0).ShouldBeEmpty();
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>Mounted secrets are links, and a full disk's outbox is moved behind one.</summary>
    [Fact]
    public void LinkFromBefore_LeadsToWhatItsOwnerAloneCanRead()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such rights.");
        var home = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var data = Directory.CreateDirectory(Path.Combine(home, "data")).FullName;
        var key = Path.Combine(home, "key");
        var messages = Directory.CreateDirectory(Path.Combine(home, "messages")).FullName;
        File.WriteAllText(key, "key");
        Widen(key);
        Widen(messages);
        File.CreateSymbolicLink(Path.Combine(data, ServerDefaults.KeyFile), key);
        File.CreateSymbolicLink(Path.Combine(data, "outbox"), messages);
        File.CreateSymbolicLink(Path.Combine(data, DataFolder.DatabaseFile), Path.Combine(home, "not-there-yet"));
        try
        {
            DataFolder.Prepare(new ServerSettings { DataDirectory = data });

            ModeOf(key).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            ModeOf(messages).ShouldBe(Folder);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <summary>It holds keys, and whoever tries things out puts it into their repository.</summary>
    [Fact]
    public void NewFolder_IsIgnoredByGit()
    {
        var home = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var data = Path.Combine(home, "data");
        try
        {
            DataFolder.Prepare(new ServerSettings { DataDirectory = data });
            DataFolder.Prepare(new ServerSettings { DataDirectory = home });

            File.ReadAllText(Path.Combine(data, ".gitignore")).ShouldBe("*\n");
            File.Exists(Path.Combine(home, ".gitignore")).ShouldBeFalse("what else lies in a folder that was there is somebody's own");
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public void VolumeOfItsOwn_IsTakenAndWhatTheFileSystemKeepsThereIsLeftAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such rights.");
        var home = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var lost = Directory.CreateDirectory(Path.Combine(home, "lost+found")).FullName;
        Widen(lost);
        Widen(home);
        try
        {
            DataFolder.Prepare(new ServerSettings { DataDirectory = home });
            DataFolder.Prepare(new ServerSettings { DataDirectory = home });

            ModeOf(home).ShouldBe(Folder, "it is ours although it is not empty");
            (ModeOf(lost) & Others).ShouldNotBe(UnixFileMode.None);
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public void FolderThatHoldsOtherThings_KeepsItsRights()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such rights.");
        var home = Directory.CreateTempSubdirectory("runbooks-").FullName;
        var theirs = Path.Combine(home, "thesis.txt");
        File.WriteAllText(theirs, "");
        Widen(theirs);
        Widen(home);
        try
        {
            var key = Path.Combine(home, ServerDefaults.KeyFile);
            for (var start = 1; start <= 2; start++)
            {
                DataFolder.Prepare(new ServerSettings { DataDirectory = home });

                (ModeOf(theirs) & Others).ShouldNotBe(UnixFileMode.None, $"start {start}");
                (ModeOf(home) & Others).ShouldNotBe(UnixFileMode.None, $"start {start}");
                ModeOf(key).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
                Widen(key);
            }
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

#pragma warning disable CA1416 // Skipped on Windows.
    private static UnixFileMode ModeOf(string path) => File.GetUnixFileMode(path);

    private static void Widen(string path) => File.SetUnixFileMode(path, ModeOf(path) | UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
#pragma warning restore CA1416
}
