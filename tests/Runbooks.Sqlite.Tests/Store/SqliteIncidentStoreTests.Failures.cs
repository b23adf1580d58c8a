using System.Diagnostics;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.Sqlite.Tests.Store;

/// <content>A disk that is full, a journal that is torn, a commit that fails.</content>
public sealed partial class SqliteIncidentStoreTests
{
    /// <summary>As after a power cut within a write: the end of the journal is missing, is zeroes, or both.</summary>
    [Theory]
    [InlineData(100, 0)]
    [InlineData(3_000, 0)]
    [InlineData(0, 3_000)]
    [InlineData(2_000, 1_000)]
    public async Task TornJournal_LosesOnlyWhatWasTornAndGoesOn(int missing, int zeroes)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Files that are open cannot be copied there.");
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        using var cut = new DataFolder();
        await store.UpdateAsync("a", i => i.Note(Start, TimelineKind.Opened, "x", "kept"), Now);
        await store.UpdateAsync("a", i => i.Note(Start, TimelineKind.Opened, "x", $"torn {new string('x', 20_000)}"), Now);
        foreach (var file in Directory.GetFiles(_data.Path, "runbooks.db*").Where(file => !file.EndsWith("-shm", StringComparison.Ordinal)))
        {
            // .NET would respect the lock of the host, which is still there.
            using var copy = Process.Start("cp", [file, cut.Path]);
            await copy.WaitForExitAsync(Now);
        }

        using (var journal = File.OpenWrite(Path.Combine(cut.Path, "runbooks.db-wal")))
        {
            journal.SetLength(journal.Length - missing);
            journal.Position = journal.Length - zeroes;
            journal.Write(new byte[zeroes]);
        }

        var again = new SqliteIncidentStore(cut.Database);
        (await again.GetAsync("a", Now)).Timeline.Select(entry => entry.What).ShouldBe(["kept"]);
        cut.Database.Check();
        (await cut.Database.Writer.CheckHealthAsync()).ShouldBeNull();
        await again.UpdateAsync("a", i => i.Note(Start, TimelineKind.Opened, "x", "later"), Now);
        (await again.GetAsync("a", Now)).Timeline.Select(entry => entry.What).ShouldBe(["kept", "later"]);
    }

    [Fact]
    public async Task FullDisk_IsUnavailableAndNothingOfItIsBelieved()
    {
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        await _data.Database.Writer.EnqueueAsync(connection => connection.Statement("PRAGMA max_page_count=30").ExecuteNonQuery());

        await store.UpdateAsync("a", i => i.OfSize(500_000), Now).ShouldThrowAsync<StoreUnavailableException>();

        (await store.GetAsync("a", Now)).Timeline.ShouldBeEmpty();
        (await store.UpdateAsync("a", i => i with { AlertCount = 2 }, Now)).Timeline.ShouldBeEmpty();
        (await store.CheckHealthAsync(Now)).ShouldBeNull();
    }

    [Fact]
    public async Task UpdateWhoseCommitFailed_IsNotBelieved()
    {
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        await _data.Database.Writer.EnqueueAsync(connection => connection.Statement("PRAGMA max_page_count=30").ExecuteNonQuery());

        // Both wait for the same commit: the second fills the disk, which takes the first down with it.
        var changes = await TogetherAsync(
            () => store.UpdateAsync("a", i => i with { AlertCount = 7 }, Now),
            () => store.UpdateAsync("a", i => i.OfSize(500_000), Now));
        await changes[1].ShouldThrowAsync<StoreUnavailableException>();
        await changes[0].ShouldThrowAsync<StoreUnavailableException>();

        (await store.GetAsync("a", Now)).AlertCount.ShouldBe(1);
        (await store.UpdateAsync("a", i => i with { AlertCount = i.AlertCount + 1 }, Now)).AlertCount.ShouldBe(2);
    }

    [Fact]
    public async Task DocumentThatCannotBeWritten_FailsAlone()
    {
        var store = new SqliteIncidentStore(_data.Database);
        var state = new SqliteSharedState(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        var changes = await TogetherAsync(
            () => store.UpdateAsync("a", i => i with { AlertCount = i.AlertCount + 1 }, Now),
            () => state.UpdateAsync<Unwritable, bool>("bad", _ => (new(), true), Now),
            () => state.UpdateAsync<string, bool>("good", _ => ("kept", true), Now));
        await changes[1].ShouldThrowAsync<InvalidOperationException>();
        await Task.WhenAll(changes[0], changes[2]);
        (await store.GetAsync("a", Now)).AlertCount.ShouldBe(2);
        (await state.FindAsync<string>("good", Now)).ShouldBe("kept");
        (await state.FindAsync<Unwritable>("bad", Now)).ShouldBeNull();
    }
}
