using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Sqlite.Store;
using TestKit;
using static TestKit.Storage.StoredIncidents;

namespace Runbooks.Sqlite.Tests.Store;

public sealed partial class SqliteIncidentStoreTests : IDisposable
{
    private readonly DataFolder _data = new();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task Restart_FindsEverythingAgain()
    {
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        await store.UpdateAsync("a", i => i.Note(Start, TimelineKind.Opened, "x", "kept"), Now);
        _data.Close();

        var again = new SqliteIncidentStore(_data.Database);
        (await again.GetAsync("a", Now)).Timeline.Single().What.ShouldBe("kept");
        (await again.OpenAsync(New("b"), Runbook(), latest => latest with { AlertCount = 2 }, Now)).Opened.ShouldBeFalse();
        (await again.FindRunbookAsync("hash-of-hanged-gpu", Now)).ShouldNotBeNull();
    }

    /// <summary>Somebody reads just before the commit, and keeps in memory that no incident knows the alert.</summary>
    [Fact]
    public async Task AlertAskedForWhileItsIncidentIsBeingWritten_IsKnownAfterwards()
    {
        var (alert, asked) = (TestKit.Incidents.Given.Alert(), new List<int>());
        SqliteIncidentStore? store = null;
        using var database = new SqliteDatabase(
            new SqliteOptions
            {
                Path = Path.Combine(_data.Path, "asked.db"),
                Failpoint = point =>
                {
                    if (point == WritePoint.BeforeCommit && store is not null)
                    {
                        asked.Add(store.FindByAlertAsync(AlertIdentity.Of(alert), CancellationToken.None).GetAwaiter().GetResult().Count);
                    }
                },
            },
            NullLogger<SqliteDatabase>.Instance);
        store = new SqliteIncidentStore(database);

        await store.OpenAsync(New("a").Attach(alert, Start), Runbook(), _ => null, Now);

        asked.ShouldBe([0]);
        (await store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(incident => incident.Id).ShouldBe(["a"]);
    }

    [Fact]
    public async Task UpdateThatReturnsTheSameIncident_WritesNothing()
    {
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        await store.UpdateAsync("a", i => i, Now);
        await store.OpenAsync(New("b"), Runbook(), latest => latest, Now);
        Version("a").ShouldBe(1);
        await store.UpdateAsync("a", i => i with { AlertCount = 2 }, Now);
        Version("a").ShouldBe(2);
    }

    [Fact]
    public void FileFromANewerVersion_IsRefusedWithTheRemedy()
    {
        SqliteSchema.Bring(_data.Database, "store", [.. StoreSchema.Versions, "CREATE TABLE later (x)", "CREATE TABLE latest (x)"]);
        var error = Should.Throw<InvalidDataException>(() => new SqliteIncidentStore(_data.Database));
        error.Message.ShouldContain("newer version");
        error.Message.ShouldContain("choose another data folder");
    }

    [Fact]
    public async Task ChangesOfOneCommit_SeeEachOtherAndAreWrittenOnce()
    {
        var store = new SqliteIncidentStore(_data.Database);
        var changes = await TogetherAsync(
            () => store.OpenAsync(New("a"), Runbook(), _ => null, Now),
            () => store.OpenAsync(New("b"), Runbook(), latest => latest with { AlertCount = 2 }, Now),
            () => store.UpdateAsync("a", i => i with { AlertCount = i.AlertCount + 1 }, Now));
        await Task.WhenAll(changes);
        Version("a").ShouldBe(1);
        (await store.GetAsync("a", Now)).AlertCount.ShouldBe(3);
        (await new SqliteIncidentStore(_data.Database).GetAsync("a", Now)).AlertCount.ShouldBe(3);
    }

    [Fact]
    public void DocumentReadBeforeACommit_IsNotKeptAfterIt()
    {
        var cache = new DocumentCache<string>(generation: 8);
        var commits = cache.Commits;
        cache.Change("a", null, "new");
        cache.TryFind("a", changing: false, out _).ShouldBeFalse();
        cache.TryFind("a", changing: true, out var changing).ShouldBeTrue();
        changing.ShouldBe("new");
        cache.Commit();
        cache.Keep("a", "old", commits);
        cache.TryFind("a", changing: false, out var kept).ShouldBeTrue();
        kept.ShouldBe("new");
    }

    [Fact]
    public async Task IncidentsOfAnAlert_AreKnownFromMemoryAsTheDatabaseHasThem()
    {
        var store = new SqliteIncidentStore(_data.Database);
        var alert = New("x").Alert;
        var identity = AlertIdentity.Of(alert);
        Incident Of(string id, string target, DateTimeOffset at) => (New(id, target: target) with { OpenedAt = at }).Attach(alert, at);
        async Task<string[]> KnownAsync(SqliteIncidentStore asked) => [.. (await asked.FindByAlertAsync(identity, Now)).Select(incident => incident.Id)];

        (await KnownAsync(store)).ShouldBeEmpty();
        await store.OpenAsync(Of("new", "t1", Start.AddHours(1)), Runbook(), _ => null, Now);
        (await KnownAsync(store)).ShouldBe(["new"]);
        await store.OpenAsync(New("old", target: "t2"), Runbook(), _ => null, Now);
        await store.UpdateAsync("old", current => current.Attach(alert, Start), Now);
        (await KnownAsync(store)).ShouldBe(["new", "old"], "the one that was opened first learnt of the alert last");
        (await KnownAsync(new SqliteIncidentStore(_data.Database))).ShouldBe(["new", "old"], "from the database");
        await store.UpdateAsync("new", current => current with { State = IncidentState.Resolved, ClosedAt = Start }, Now);
        await store.PurgeAsync(Start.AddHours(1), (_, _) => Task.FromResult(true), Now);
        (await KnownAsync(store)).ShouldBe(["old"]);
    }

    [Fact]
    public async Task PurgeOfMoreThanOneBatch_RemovesThemAll()
    {
        var store = new SqliteIncidentStore(_data.Database);
        await Task.WhenAll(Enumerable.Range(0, 450).Select(i => store.OpenAsync(New($"i{i}", target: $"t{i}").Closed(), Runbook(), _ => null, Now)));
        (await store.PurgeAsync(Start.AddHours(1), Now)).Count.ShouldBe(450);
        (await store.ListAsync(new IncidentQuery(), Now)).Items.ShouldBeEmpty();
    }

    /// <summary>People run it on what they have: it must not take a runbook from an incident that is there.</summary>
    [Fact]
    public async Task StatementOfThePage_RemovesTheRunbooksThatNoIncidentHas()
    {
        var page = await File.ReadAllTextAsync(RepositoryRoot.Of("docs", "operations.md"), Now);
        var statement = Regex.Match(page, "DELETE FROM runbooks [^;\"]+").Value;
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a", runbook: "gone").Closed(), Runbook("gone"), _ => null, Now);
        await store.OpenAsync(New("b", runbook: "kept"), Runbook("kept"), _ => null, Now);
        await store.PurgeAsync(Start.AddHours(1), Now);

        await _data.Database.Writer.EnqueueAsync(connection => connection.Statement(statement).ExecuteNonQuery());

        (await store.FindRunbookAsync("hash-of-gone", Now)).ShouldBeNull();
        (await store.FindRunbookAsync("hash-of-kept", Now)).ShouldNotBeNull();
    }

    /// <summary>Side by side, and what is kept is kept by its own answer: the gate opens once sixteen are under way.</summary>
    [Fact]
    public async Task PurgeOfWhichSomeKeepTheirRest_RemovesTheOthers()
    {
        var store = new SqliteIncidentStore(_data.Database);
        var (many, begun) = (new TaskCompletionSource(), 0);
        var ids = Enumerable.Range(0, 40).Select(i => $"i{i:00}").ToList();
        var kept = ids.Where((_, i) => i % 3 == 0).ToList();
        await Task.WhenAll(ids.Select(id => store.OpenAsync(New(id, target: id).Closed(), Runbook(), _ => null, Now)));

        var purged = await store.PurgeAsync(Start.AddHours(1), RemoveRestAsync, Now);

        purged.ShouldBe(ids.Except(kept), ignoreOrder: true);
        (await store.ListAsync(new IncidentQuery(), Now)).Items.Select(incident => incident.Id).ShouldBe(kept, ignoreOrder: true);

        async Task<bool> RemoveRestAsync(string id, CancellationToken cancellationToken)
        {
            if (Interlocked.Increment(ref begun) == 16)
            {
                many.SetResult();
            }

            await many.Task.WaitAsync(TestKit.Patience.Limit, cancellationToken);
            return !kept.Contains(id);
        }
    }

    /// <summary>A newer version ran for a while and has written a word that this one does not know.</summary>
    [Fact]
    public async Task RecordOfANewerVersion_HidesNoOther()
    {
        var (store, alert) = (new SqliteIncidentStore(_data.Database), TestKit.Incidents.Given.Alert());
        foreach (var (minute, id) in new[] { "old", "newer", "new" }.Index())
        {
            await store.OpenAsync(New(id, target: id, minute: minute).Attach(alert, Start), Runbook(), _ => null, Now);
        }

        await _data.Database.Writer.EnqueueAsync(connection => connection.Statement("""
            UPDATE incidents SET state='HandedOver',
              summary=CAST(replace(CAST(summary AS TEXT), '"state":"', '"state":"handedOver') AS BLOB), doc=CAST(replace(CAST(doc AS TEXT), '"state":"', '"state":"handedOver') AS BLOB)
            WHERE id='newer'
            """).ExecuteNonQuery());
        _data.Close();
        store = new SqliteIncidentStore(_data.Database);

        var first = await store.ListAsync(new IncidentQuery(Limit: 1), Now);
        var second = await store.ListAsync(new IncidentQuery(Limit: 1, After: first.Next), Now);

        first.Items.Concat(second.Items).Select(incident => incident.Id).ShouldBe(["new", "old"]);
        second.Next.ShouldBeNull();
        (await store.CountAsync(Now)).ShouldNotBeNull().Values.Sum().ShouldBe(2);
        (await store.FindByAlertAsync(AlertIdentity.Of(alert), Now)).Select(incident => incident.Id).ShouldBe(["new", "old"]);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(IncidentState.Holding, null, null)]
    [InlineData(null, "hanged-gpu", null)]
    [InlineData(null, null, true)]
    [InlineData(IncidentState.Resolved, "hanged-gpu", false)]
    [InlineData(null, null, null, true)]
    public async Task Listing_IsAnsweredFromAnIndexInItsOrder(IncidentState? state, string? runbook, bool? open, bool left = false)
    {
        var store = new SqliteIncidentStore(_data.Database);
        await store.OpenAsync(New("a"), Runbook(), _ => null, Now);
        var sql = SqliteIncidentListing.Sql(new IncidentQuery(state, runbook, open, LeftToPeople: left));
        var plan = _data.Database.Read(connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "EXPLAIN QUERY PLAN " + sql;
            command.Parameters.AddWithValue("$state", "x");
            command.Parameters.AddWithValue("$runbook", "x");
            using var reader = command.ExecuteReader();
            return reader.Read() ? reader.GetString(3) + (reader.Read() ? reader.GetString(3) : "") : "";
        });

        plan.ShouldContain(left ? "USING INDEX incidents_left_to_people" : "USING INDEX incidents_");
        plan.ShouldNotContain("TEMP B-TREE");
    }

    [Theory]
    [InlineData("LLM-B llm", "first")]
    [InlineData("FIRST", "first")]
    [InlineData("a_b", "second")]
    [InlineData("größe", "third")]
    [InlineData("it's <odd>", "third")]
    [InlineData("a b c d nowhere", "")]
    public async Task SearchedWords_AreFoundHoweverTheyAreWritten(string words, string found)
    {
        var store = new SqliteIncidentStore(_data.Database);
        foreach (var (id, target) in ((string, string)[])[("first", "inference/llm-b-0"), ("second", "a_b"), ("third", "Größe it's <odd>"), ("fourth", "axb a b c d")])
        {
            await store.OpenAsync(New(id, target: target), Runbook(), _ => null, Now);
        }

        var listed = await store.ListAsync(new IncidentQuery(Text: words), Now);
        string.Join(' ', listed.Items.Select(incident => incident.Id)).ShouldBe(found);
    }

    /// <summary>Begins all of them while the writer is busy, so that they share its next commit.</summary>
    private async Task<Task[]> TogetherAsync(params Func<Task>[] changes)
    {
        using var gate = new ManualResetEventSlim();
        using var reached = new ManualResetEventSlim();
        var blocked = _data.Database.Writer.EnqueueAsync(_ =>
        {
            reached.Set();
            gate.Wait(Now);
        });
        reached.Wait(Now);
        var begun = changes.Select(change => change()).ToArray();
        gate.Set();
        await blocked;
        return begun;
    }

    private sealed class Unwritable
    {
        public string Text => throw new InvalidOperationException("It cannot be written.");
    }

    private long Version(string id) => _data.Database.Read(connection =>
        (long)connection.Statement("SELECT version FROM incidents WHERE id=$id", ("$id", id)).ExecuteScalar()!);
}
