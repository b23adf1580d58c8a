using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Model.Storage;
using TestKit.Engine;

namespace Runbooks.Sqlite.Tests;

public sealed partial class SqliteWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("runbooks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task WorkThatFails_IsUndoneAloneAndTheRestIsKept()
    {
        using var database = Open();
        await CreateTable(database);

        var good = Insert(database, "one");
        var bad = database.Writer.EnqueueAsync<int>(connection =>
        {
            connection.Statement("INSERT INTO t VALUES ($v)", ("$v", "half")).ExecuteNonQuery();
            throw new InvalidDataException("no");
        });
        var alsoGood = Insert(database, "two");

        await good;
        await alsoGood;
        await bad.ShouldThrowAsync<InvalidDataException>();
        Rows(database).ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task WorkThatWaitsTogether_IsCommittedTogether()
    {
        using var database = Open();
        await CreateTable(database);
        using var gate = new ManualResetEventSlim();
        var blocked = database.Writer.EnqueueAsync(_ => gate.Wait(TestContext.Current.CancellationToken));
        var before = database.Writer.Commits;

        var inserts = Enumerable.Range(0, 100).Select(i => Insert(database, $"{i}")).ToArray();
        gate.Set();
        await Task.WhenAll([blocked, .. inserts]);

        (database.Writer.Commits - before).ShouldBeLessThanOrEqualTo(2);
        Rows(database).Count.ShouldBe(100);
    }

    [Fact]
    public async Task FullDisk_FailsTheCallersSaysSoAndRecovers()
    {
        using var database = Open();
        await CreateTable(database);
        await database.Writer.EnqueueAsync(connection => connection.Statement("PRAGMA max_page_count=3").ExecuteNonQuery());

        var big = database.Writer.EnqueueAsync(connection =>
            connection.Statement("INSERT INTO t VALUES ($v)", ("$v", new string('x', 200_000))).ExecuteNonQuery());

        var error = await big.ShouldThrowAsync<StoreUnavailableException>();
        error.Message.ShouldContain("full");
        // The limit belonged to the connection that was given up.
        (await database.Writer.CheckHealthAsync()).ShouldBeNull();
        await Insert(database, "after");
        Rows(database).ShouldBe(["after"]);
    }

    [Fact]
    public async Task DiskThatStaysFull_IsInTheLogOnceAndSoIsItsEnd()
    {
        using var log = new ListLogger();
        using var database = Open(logger: log.CreateLogger<SqliteDatabase>());
        await CreateTable(database);

        await InsertWhileFull(database).ShouldThrowAsync<StoreUnavailableException>();
        await InsertWhileFull(database).ShouldThrowAsync<StoreUnavailableException>();
        await Insert(database, "after");
        await Insert(database, "and after that");

        log.Lines.ShouldBe(["Error: The database cannot be written: SQLite Error 13: 'database or disk is full'. Callers are told; the next write tries again.", "Warning: The database can be written again."]);
    }

    [Fact]
    public async Task WritesThatWereAcknowledged_AreThereWhenOpenedAgain()
    {
        using (var database = Open())
        {
            await CreateTable(database);
            await Insert(database, "kept");
        }

        using var again = Open();
        Rows(again).ShouldBe(["kept"]);
    }

    [Theory]
    [InlineData(nameof(WritePoint.BeforeCommit), 0)]
    [InlineData(nameof(WritePoint.AfterCommit), 1)]
    public async Task CrashAroundACommit_AnswersNobodyAndLosesOnlyWhatWasNotCommitted(string point, int rows)
    {
        var armed = false;
        using (var database = Open(at =>
        {
            if (armed && at == Enum.Parse<WritePoint>(point))
            {
                throw new InvalidOperationException("killed");
            }
        }))
        {
            await CreateTable(database);
            armed = true;
            var write = Insert(database, "in doubt");
            database.Dispose();
            write.IsCompleted.ShouldBeFalse();
        }

        using var again = Open();
        Rows(again).Count.ShouldBe(rows);
    }

    [Fact]
    public void SecondHostOnTheSameFile_IsRefusedWithTheRemedy()
    {
        using var first = Open();

        // Nothing that somebody tidies up lets it in.
        foreach (var file in Directory.EnumerateFiles(_folder, "*.lock"))
        {
            File.Delete(file);
        }

        Should.Throw<IOException>(() => Open()).Message.ShouldContain("choose another data folder");
    }

    [Fact]
    public async Task WriteAfterClose_FailsInsteadOfHanging()
    {
        var database = Open();
        database.Dispose();
        await Insert(database, "late").ShouldThrowAsync<StoreUnavailableException>();
    }

    [Fact]
    public void FolderThatIsHeld_IsInUse()
    {
        using var holder = Open();

        Should.Throw<IOException>(() => Open()).Message.ShouldContain("is in use by another process");
    }

    /// <summary>As on a disk that has become read-only: nobody else has the file, so no other host is to blame.</summary>
    [Fact]
    public void FileThatCannotBeOpened_IsNotSaidToBeInUse()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need rights there.");
        File.CreateSymbolicLink(Database, Database);

        Should.Throw<IOException>(() => Open()).Message.ShouldStartWith($"The data folder {_folder} cannot be used: ");
    }

    private string Database => Path.Combine(_folder, "t.db");

    private SqliteDatabase Open(Action<WritePoint>? failpoint = null, ILogger<SqliteDatabase>? logger = null) =>
        new(new SqliteOptions { Path = Database, Failpoint = failpoint }, logger ?? NullLogger<SqliteDatabase>.Instance);

    private static Task<int> CreateTable(SqliteDatabase database) =>
        database.Writer.EnqueueAsync(connection => connection.Statement("CREATE TABLE t (v TEXT)").ExecuteNonQuery());

    private static Task<int> Insert(SqliteDatabase database, string value) =>
        database.Writer.EnqueueAsync(connection =>
            connection.Statement("INSERT INTO t VALUES ($v)", ("$v", value)).ExecuteNonQuery());

    /// <summary>The limit goes with the connection, which is given up after the failure: each such write meets it anew.</summary>
    private static Task<int> InsertWhileFull(SqliteDatabase database) => database.Writer.EnqueueAsync(connection =>
    {
        connection.Statement("PRAGMA max_page_count=3").ExecuteNonQuery();
        return connection.Statement("INSERT INTO t VALUES ($v)", ("$v", new string('x', 200_000))).ExecuteNonQuery();
    });

    private static List<string> Rows(SqliteDatabase database) => database.Read(connection =>
    {
        using var reader = connection.Statement("SELECT v FROM t ORDER BY rowid").ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    });
}
