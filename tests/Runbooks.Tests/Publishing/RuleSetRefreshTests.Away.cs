using System.Runtime.InteropServices;
using Runbooks.Catalog;
using Runbooks.Model.Storage;
using Runbooks.Publishing;
using Runbooks.Storage;
using TestKit.People;

namespace Runbooks.Tests.Publishing;

/// <content>What is there no longer, or cannot be read.</content>
public sealed partial class RuleSetRefreshTests
{
    [Fact]
    public async Task FolderThatCouldNotBeRead_IsReadAgainThoughNobodyTells()
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "first"));
        var place = new FailingPlace(new FolderPlace(_folder));
        using var host = await HostAsync(place);
        await host.Get<RuleSetRefresh>().StartAsync(Cancel);
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "second"));
        place.Fails = true;
        await host.LookAsync();
        host.Catalog.Find("one")!.Title.ShouldBe("first");

        place.Fails = false;
        place.Read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await _time.UntilDoneAsync(Task.WhenAny(place.Read.Task, Task.Delay(TimeSpan.FromMinutes(2), _time, Cancel)));

        // After the one that reads it.
        await host.Get<RuleSetRefresh>().RefreshAsync(Cancel);
        host.Catalog.Find("one")!.Title.ShouldBe("second");
    }

    /// <summary>Deleted by mistake, with its container, or while a backup is put back: without runbooks every alert would be ignored.</summary>
    [Fact]
    public async Task RecordThatIsGone_LeavesTheSetInForceAndIsTold()
    {
        var good = await PublishAsync(new("one.yaml", Runbook("one", "first")), new("windows.yaml", Windows));
        using var host = await HostAsync();
        await host.LookAsync();
        host.Trouble.ShouldBeEmpty();
        var (there, away) = (Path.Combine(_folder, "published"), Path.Combine(_folder, "away"));
        Directory.Move(there, away);

        await host.LookAsync();

        (host.Catalog.Find("one")!.Title, host.Window, host.Status.InForce).ShouldBe(("first", "patching", good));
        host.Trouble.ShouldBe([$"The runbooks at {_folder} cannot be read. No runbook is there any more, neither published nor as a plain file. Publish again, or put back what was there."]);
        await host.Get<FileVersions>().SaveAsync(Cancel);
        (await Should.ThrowAsync<InvalidDataException>(() => HostAsync())).Message.ShouldEndWith($"In force before: {good.Name}.", customMessage: "one that starts must not ignore alerts either");

        Directory.Move(away, there);
        await host.LookAsync();
        host.Trouble.ShouldBeEmpty();
        (await HostAsync()).Dispose();
    }

    /// <summary>Whoever may write in one team's folder must not keep what the others change from being taken over.</summary>
    [Theory]
    [InlineData("ml/bad.yaml", false, "ml/bad.yaml:1:1")]
    [InlineData("ml/bad.yaml", true, "ml/bad.yaml:1:1")]
    [InlineData("ml/bad.txt", false, null)]
    [InlineData("ml/bad.txt", true, null)]
    [InlineData("ml/contacts.yaml", true, "ml/contacts.yaml:1:1")]
    public async Task FileOfATeamThatCannotBeOpened_KeepsNobodyElseFromChanging(string name, bool isPipe, string? told)
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "first"));
        Directory.CreateDirectory(Path.Combine(_folder, "ml"));
        File.WriteAllText(Path.Combine(_folder, "ml", "team.yaml"), "name: ml\nowner: oncall\n");
        File.WriteAllText(Path.Combine(_folder, "ml", "two.yaml"), Runbook("two", "first"));
        using var host = await HostAsync();
        var bad = Path.Combine(_folder, name);
        if (isPipe)
        {
            MakePipe(bad, 0x1FF).ShouldBe(0);
        }
        else
        {
            File.CreateSymbolicLink(bad, "nowhere");
        }

        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "second"));
        await Task.Run(host.LookAsync, Cancel).WaitAsync(TimeSpan.FromSeconds(20), Cancel);

        (host.Catalog.Find("one")!.Title, host.Catalog.Find("two")!.Title).ShouldBe(("second", "first"));
        _log.Lines.Any(line => line.Contains(told ?? "bad", StringComparison.Ordinal)).ShouldBe(told is not null, string.Join('\n', _log.Lines));
    }

    [DllImport("libc", EntryPoint = "mkfifo"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int MakePipe([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint rights);

    /// <summary>A folder is empty while nothing is mounted there.</summary>
    [Fact]
    public async Task PlainFilesThatAreAllGone_StayInForceAndAreTold()
    {
        var file = Path.Combine(_folder, "one.yaml");
        File.WriteAllText(file, Runbook("one", "plain"));
        using var host = await HostAsync();
        await host.LookAsync();
        File.Delete(file);

        await host.LookAsync();

        host.Catalog.Find("one")!.Title.ShouldBe("plain");
        host.Trouble.ShouldHaveSingleItem().ShouldContain("No runbook is there any more");
        await host.Get<FileVersions>().SaveAsync(Cancel);
        (await Should.ThrowAsync<InvalidDataException>(() => HostAsync())).Message.ShouldEndWith("In force before: plain files.");
    }

    [Fact]
    public async Task RecordThatIsDamaged_IsTold()
    {
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        using var host = await HostAsync();
        File.WriteAllText(Path.Combine(_folder, PublicationLog.Name), "{");

        await host.LookAsync();

        host.Catalog.Find("one")!.Title.ShouldBe("first");
        host.Trouble.ShouldHaveSingleItem().ShouldContain("is damaged");
    }

    /// <summary>Such as a role that was taken away: what is published is not taken over any more.</summary>
    [Fact]
    public async Task PlaceThatCannotBeReadForMinutes_IsTold()
    {
        File.WriteAllText(Path.Combine(_folder, "one.yaml"), Runbook("one", "first"));
        var place = new FailingPlace(new FolderPlace(_folder));
        using var host = await HostAsync(place);
        place.Fails = true;
        await host.LookAsync();
        host.Trouble.ShouldBeEmpty();

        _time.Advance(TimeSpan.FromMinutes(5));
        await host.LookAsync();
        host.Trouble.ShouldHaveSingleItem().ShouldContain("It cannot be read.");

        place.Fails = false;
        await host.LookAsync();
        host.Trouble.ShouldBeEmpty();
    }

    /// <summary>The record can be read and the set cannot: nobody is told in each round that it can be used again.</summary>
    [Fact]
    public async Task SetThatCannotBeReadForMinutes_IsToldAllTheWhile()
    {
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "first")));
        var place = new FailingPlace(new FolderPlace(_folder));
        using var host = await HostAsync(place);
        await PublishAsync(new RunbookFile("one.yaml", Runbook("one", "second")));
        List<int> told = [];
        place.FindingASet = () =>
        {
            told.Add(host.Trouble.Count);
            throw new StoreUnavailableException("It cannot be read.");
        };
        await host.LookAsync();
        _time.Advance(TimeSpan.FromMinutes(5));
        await host.LookAsync();

        await host.LookAsync();

        told.ShouldBe([0, 0, 1]);
    }

    /// <summary>A place whose plain files cannot be read for a while.</summary>
    private sealed class FailingPlace(IRuleSetPlace place) : IRuleSetPlace
    {
        public bool Fails { get; set; }

        /// <summary>Done once they were read.</summary>
        public TaskCompletionSource Read { get; set; } = new();

        public string Address => place.Address;

        /// <summary>Before anything but the record of publications is read.</summary>
        public Action FindingASet { get; set; } = () => { };

        public Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken)
        {
            if (name != PublicationLog.Name)
            {
                FindingASet();
            }

            return place.FindAsync(name, most, cancellationToken);
        }

        public Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken) => place.WriteAsync(name, content, cancellationToken);

        public Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken) => place.ReplaceAsync(name, content, tag, cancellationToken);

        public Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken) => place.ListAsync(prefix, cancellationToken);

        public Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken) => place.RemoveAsync(one, cancellationToken);

        public async Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken)
        {
            var files = Fails ? throw new StoreUnavailableException("It cannot be read.") : await place.ReadPlainAsync(cancellationToken);
            Read.TrySetResult();
            return files;
        }
    }
}
