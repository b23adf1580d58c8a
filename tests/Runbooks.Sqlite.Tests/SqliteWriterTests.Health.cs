using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using Runbooks.Watchdog;
using TestKit;
using TestKit.Engine;
using TestKit.People;

namespace Runbooks.Sqlite.Tests;

public sealed partial class SqliteWriterTests
{
    [Fact]
    public async Task HealthOfAHostWithNothingToDo_TriesAWrite()
    {
        using var database = Open();

        (await database.Writer.CheckHealthAsync()).ShouldBeNull();
        database.Writer.Commits.ShouldBe(1);

        // Whoever asks in a loop must not wear out the disk.
        (await database.Writer.CheckHealthAsync()).ShouldBeNull();
        database.Writer.Commits.ShouldBe(1);
    }

    /// <summary>A commit of a moment ago says nothing about a disk that has been full since.</summary>
    [Fact]
    public async Task DiskThatStaysFull_IsUnhealthyFromTheFirstWriteThatFails()
    {
        var isFull = false;
        using var database = Open();
        using var writer = new SqliteWriter(OpenAsItIs, failpoint: null, database.Damage, NullLogger.Instance);
        await writer.EnqueueAsync(Write);
        (await writer.CheckHealthAsync()).ShouldBeNull();

        isFull = true;
        await writer.EnqueueAsync(connection => connection.Statement("PRAGMA query_only=ON").ExecuteNonQuery());
        await writer.EnqueueAsync(Write).ShouldThrowAsync<StoreUnavailableException>();

        (await writer.CheckHealthAsync()).ShouldNotBeNull().ShouldStartWith("The database cannot be written: ");
        (await writer.CheckHealthAsync()).ShouldNotBeNull("it is tried again each time");
        isFull = false;
        (await writer.CheckHealthAsync()).ShouldBeNull();

        // A connection that may not write fails at whatever is written, as one on a full disk does.
        SqliteConnection OpenAsItIs()
        {
            var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
            connection.Open();
            connection.Statement(isFull ? "PRAGMA query_only=ON" : "PRAGMA query_only=OFF").ExecuteNonQuery();
            return connection;
        }

        static void Write(SqliteConnection connection) => connection.Statement("CREATE TABLE IF NOT EXISTS t (v TEXT)").ExecuteNonQuery();
    }

    /// <summary>A commit that neither returns nor fails: the cloud's disk is throttled to nothing, or the server behind the mount is away.</summary>
    [Fact]
    public async Task DiskThatHangs_IsSaidAndIsWellOnceItIsBack()
    {
        using var disk = new ManualResetEventSlim(initialState: true);
        using var database = Open(_ => disk.Wait(TestContext.Current.CancellationToken));
        var time = new FakeTimeProvider();
        var health = new SystemHealth(new SqliteIncidentStore(database), new RecordingEngine(time), time);
        await CreateTable(database);
        // After a write that failed, the next look writes.
        await InsertWhileFull(database).ShouldThrowAsync<StoreUnavailableException>();
        var commits = database.Writer.Commits;

        disk.Reset();
        var (first, second) = (await LookAsync(), await LookAsync());
        disk.Set();

        first.ShouldBe("The store does not answer: its disk hangs, or the network to it.");
        second.ShouldBe(first);
        await Patience.UntilAsync(async () => await LookAsync() is null, () => "It stays ill.");
        database.Writer.Commits.ShouldBe(commits + 1, "the second look waited for the first and wrote nothing itself");

        async Task<string?> LookAsync()
        {
            var asked = health.LookAsync(CancellationToken.None);
            await time.UntilDoneAsync(asked);
            return (await asked).Store;
        }
    }

    [Fact]
    public async Task DamagedPage_IsFoundAndStaysUnhealthy()
    {
        using (var database = Open())
        {
            await CreateTable(database);
            await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Insert(database, new string('x', 3_000) + i)));
        }

        using (var file = File.OpenWrite(Database))
        {
            file.Position = file.Length / 2;
            file.Write(new byte[8_192]);
        }

        using var damaged = Open();
        damaged.Check();

        damaged.Damage.Found.ShouldNotBeNull().ShouldStartWith("The database is damaged: ");
        await damaged.Writer.EnqueueAsync(_ => { });
        damaged.Damage.Found.ShouldNotBeNull("a write that works proves nothing about the page");
        (await damaged.Writer.CheckHealthAsync()).ShouldBeNull("what can be written goes on, and is watched");
    }

    /// <summary>A backup that is moved into place under the host: it would go on taking alerts into a file that nobody finds again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OtherFileInItsPlaceOrNone_IsDamage(bool replaced)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux tells which file it is.");
        using var database = Open();
        await CreateTable(database);
        database.CheckPlace();
        database.Damage.Found.ShouldBeNull();

        if (replaced)
        {
            File.WriteAllText(Database + ".backup", "");
            File.Move(Database + ".backup", Database, overwrite: true);
        }
        else
        {
            File.Delete(Database);
        }

        database.CheckPlace();

        database.Damage.Found.ShouldNotBeNull().ShouldContain("is another file now, or gone.");
    }
}
