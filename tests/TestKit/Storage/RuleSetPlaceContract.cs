using System.Text;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Model.Definition;
using Runbooks.Model.Storage;
using Runbooks.Publishing;
using Shouldly;
using Xunit;

namespace TestKit.Storage;

/// <summary>What holds for publications on every <see cref="IRuleSetPlace"/>.</summary>
public abstract class RuleSetPlaceContract
{
    private static readonly IReadOnlyList<RunbookFile> s_first = [new("a.yaml", "id: a"), new("b.yaml", "id: b"), new("samples/x.txt", "x"), new("windows.yaml", "windows: []")];
    private static readonly IReadOnlyList<RunbookFile> s_second = [new("a.yaml", "id: a, and more"), new("c.yaml", "id: c"), new("contacts.yaml", "people: {}"), new("samples/x.txt", "x")];

    /// <summary>Places note by a clock of their own when something was written.</summary>
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());

    /// <summary>The same place each time, as another process sees it.</summary>
    protected abstract IRuleSetPlace Open();

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PlaceWithoutPublications_HasItsPlainFiles()
    {
        foreach (var file in s_first.Append(new("notes.md", "none of ours")))
        {
            await Open().WriteAsync(file.Name, Encoding.UTF8.GetBytes(file.Text), Now);
        }

        var host = new PublishedSets(Open());
        (await host.FindLogAsync(Now)).ShouldBeNull();
        Names(await host.ReadPlainAsync(Now)).ShouldBe("a.yaml, b.yaml, windows.yaml");
        await PublishAsync(s_second, "ada");

        Names(await CurrentAsync(host)).ShouldBe("a.yaml, c.yaml, contacts.yaml");
        (await host.ReadPlainAsync(Now)).Runbooks.Select(file => file.Name).ShouldBe(["a.yaml", "b.yaml"]);
    }

    [Fact]
    public async Task FoldersOfTeams_ArePartOfTheSetPlainAndPublished()
    {
        RunbookFile[] files = [new("a.yaml", "id: a"), new("ml/team.yaml", "name: ml"), new("ml/b.yaml", "id: b"), new("ml/contacts.yaml", "contacts: {}"), new("ml/samples/x.txt", "x"), new("ml/rota.ics", "BEGIN")];
        foreach (var file in files.Append(new("drafts/x.txt", "nobody's")).Append(new("ml/tests/b/one/test.yaml", "a test")))
        {
            await Open().WriteAsync(file.Name, Encoding.UTF8.GetBytes(file.Text), Now);
        }

        var host = new PublishedSets(Open());
        var plain = await host.ReadPlainAsync(Now);
        Check(plain);
        (await host.ReadPlainAsync(Now)).ShouldBeSameAs(plain);
        (await PublishAsync(await Open().ReadPlainAsync(Now), "ada")).ShouldBe((PublishOutcome.Published, "ada"));
        Check(await CurrentAsync(host));

        static void Check(RuleSet set)
        {
            set.Runbooks.Select(file => (file.Name, file.Team?.Folder, file.Samples.Count)).ShouldBe([("a.yaml", null, 0), ("ml/b.yaml", "ml", 1)]);
            set.Teams.ShouldHaveSingleItem().Contacts!.Text.ShouldBe("contacts: {}");
            set.Calendars.Keys.ShouldBe(["ml/rota.ics"]);
        }
    }

    [Fact]
    public async Task Publication_IsSeenByEveryHostWithWhatItSaysOfItself()
    {
        var hosts = (PublishedSets[])[new(Open()), new(Open())];
        await PublishAsync(s_first, "ada");
        _time.Advance(TimeSpan.FromMinutes(5));
        await PublishAsync(s_second, "grace", repository: "contoso/runbooks");

        foreach (var host in hosts)
        {
            var set = await CurrentAsync(host);
            Names(set).ShouldBe("a.yaml, c.yaml, contacts.yaml");
            set.Runbooks[0].Text.ShouldBe("id: a, and more");
            set.Runbooks.ShouldAllBe(file => file.Samples["samples/x.txt"] == "x" && file.Publication == set.Publication);
            (set.Publication!.Number, set.Publication.By, set.Publication.Repository, set.Publication.At).ShouldBe((2, "grace", "contoso/runbooks", _time.GetUtcNow()));
        }

        (await PublishAsync(s_second, "alan")).ShouldBe((PublishOutcome.Unchanged, "grace"));
    }

    [Fact]
    public async Task PublisherThatDiesAtAnyWrite_LeavesWhatWasInForce()
    {
        var hosts = (PublishedSets[])[new(Open()), new(Open())];
        await PublishAsync(s_first, "ada");
        var writes = 0;
        for (var died = true; died; writes++)
        {
            var dying = new Publisher(new DyingPlace(Open(), writes), _time);
            try
            {
                await dying.PublishAsync(await dying.LookAsync(Now), s_second, new(0, "", default, "grace"), Now);
                died = false;
            }
            catch (StoreUnavailableException)
            {
                foreach (var host in hosts.Append(new(Open())))
                {
                    Names(await CurrentAsync(host)).ShouldBe("a.yaml, b.yaml, windows.yaml");
                }
            }
        }

        // Two new contents beside one that is there, contacts, the set, and the record.
        writes.ShouldBe(6);
        foreach (var host in hosts)
        {
            Names(await CurrentAsync(host)).ShouldBe("a.yaml, c.yaml, contacts.yaml");
        }
    }

    [Fact]
    public async Task OfManyAtOnce_OnePublishesAndTheOthersAreToldWho()
    {
        var publishers = Enumerable.Range(0, 5).Select(_ => new Publisher(Open(), _time)).ToList();
        var seen = await Task.WhenAll(publishers.Select(publisher => publisher.LookAsync(Now)));
        var results = await Task.WhenAll(publishers.Select((publisher, i) =>
            publisher.PublishAsync(seen[i], [new("a.yaml", $"id: a{i}")], new(0, "", default, $"publisher {i}"), Now)));

        var first = results.Single(result => result.Outcome == PublishOutcome.Published).Publication!;
        results.Count(result => result.Outcome == PublishOutcome.SomebodyWasFirst).ShouldBe(4);
        (await CurrentAsync(new(Open()))).Runbooks.Single().Text.ShouldBe($"id: a{first.By[^1]}");

        // Whoever looks again knows who it was.
        var late = publishers[0];
        (await late.PublishAsync(seen[0], s_first, new(0, "", default, "late"), Now)).ShouldBe(new(first, PublishOutcome.SomebodyWasFirst));
    }

    [Fact]
    public async Task GoingBack_IsAPublicationOfItsOwn()
    {
        await PublishAsync(s_first, "ada", repository: "contoso/runbooks");
        await PublishAsync(s_second, "grace");
        var publisher = new Publisher(Open(), _time);
        var state = await publisher.LookAsync(Now);

        var back = await publisher.RollBackAsync(state, state.Log!.Find("1")!, new(0, "", default, "alan") { Reason = "asks the wrong people" }, Now);

        var set = await CurrentAsync(new(Open()));
        Names(set).ShouldBe("a.yaml, b.yaml, windows.yaml");
        set.Publication.ShouldBe(back.Publication);
        (set.Publication!.Number, set.Publication.By, set.Publication.Repository, set.Publication.RollsBackTo, set.Publication.Reason).ShouldBe((3, "alan", "contoso/runbooks", 1, "asks the wrong people"));
    }

    [Fact]
    public async Task OnlyWhatAKeptPublicationNeeds_IsKept()
    {
        for (var i = 0; i < PublicationLog.Kept + 3; i++)
        {
            await PublishAsync([new("a.yaml", $"id: a{i}"), new("b.yaml", "id: b")], "ada");
        }

        // What is young may belong to somebody who is publishing now.
        (await new Publisher(Open(), _time).PruneAsync(Now)).ShouldBe(0);
        _time.Advance(TimeSpan.FromDays(2));
        (await new Publisher(Open(), _time).PruneAsync(Now)).ShouldBe(6);

        var host = new PublishedSets(Open());
        var log = (await host.FindLogAsync(Now))!;
        log.Publications.Count.ShouldBe(PublicationLog.Kept);
        foreach (var publication in log.Publications)
        {
            (await host.ReadAsync(publication, Now)).Runbooks[0].Text.ShouldBe($"id: a{publication.Number - 1}");
        }
    }

    /// <summary>A publication that begins while old content is removed may need it again, and writes it again.</summary>
    [Fact]
    public async Task ContentThatWasWrittenAgainSinceItWasListed_IsNotRemoved()
    {
        await Open().WriteAsync("published/files/a", "old"u8.ToArray(), Now);
        var listed = (await Open().ListAsync("published/files/", Now)).Single();
        await Open().WriteAsync("published/files/a", "written again"u8.ToArray(), Now);

        (await Open().RemoveAsync(listed, Now)).ShouldBeFalse();
        (await Open().FindAsync("published/files/a", 100, Now)).ShouldNotBeNull();

        var now = (await Open().ListAsync("published/files/", Now)).Single();
        (await Open().RemoveAsync(now, Now)).ShouldBeTrue();
        (await Open().RemoveAsync(now, Now)).ShouldBeFalse();
    }

    [Fact]
    public async Task ContentThatIsNotWhatWasPublished_IsNeverTaken()
    {
        await PublishAsync(s_first, "ada");
        var files = await Open().ListAsync("published/files/", Now);
        await Open().WriteAsync(files[0].Name, "half"u8.ToArray(), Now);

        await Should.ThrowAsync<InvalidDataException>(() => CurrentAsync(new(Open())));
        (await Open().RemoveAsync((await Open().ListAsync("published/files/", Now)).Single(file => file.Name == files[0].Name), Now)).ShouldBeTrue();
        (await Should.ThrowAsync<InvalidDataException>(() => CurrentAsync(new(Open())))).Message.ShouldContain("missing");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SetThatLacksAFile_IsWrittenAgain(bool same)
    {
        await PublishAsync(s_first, "ada");
        var files = await Open().ListAsync("published/files/", Now);
        await Open().WriteAsync(files[0].Name, "half"u8.ToArray(), Now);
        await Task.WhenAll(files.Skip(1).Select(file => Open().RemoveAsync(file, Now)));
        var next = same ? s_first : [.. s_first, new("contacts.yaml", "people: {}")];

        (await PublishAsync(next, "grace")).ShouldBe((PublishOutcome.Published, "grace"));

        (await CurrentAsync(new(Open()))).Runbooks.Select(file => file.Text).ShouldBe(["id: a", "id: b"]);
        (await PublishAsync(next, "alan")).ShouldBe((PublishOutcome.Unchanged, "grace"));
    }

    [Fact]
    public async Task FileThatIsTooLarge_ShowsAndIsNotPublished()
    {
        await Open().WriteAsync("rota.ics", [.. Encoding.UTF8.Preamble, .. Enumerable.Repeat((byte)'x', RuleSet.MostFileBytes + 1)], Now);
        await Open().WriteAsync("full.ics", [.. Enumerable.Repeat((byte)'x', RuleSet.MostFileBytes)], Now);

        var files = await Open().ReadPlainAsync(Now);

        files.Select(file => (file.Name, file.Text.Length)).ShouldBe([("full.ics", RuleSet.MostFileBytes), ("rota.ics", RuleSet.MostFileBytes + 1)]);
        (await Should.ThrowAsync<InvalidDataException>(() => PublishAsync(files, "ada"))).Message.ShouldStartWith("rota.ics is larger than 1024 KB");
        var many = Enumerable.Range(0, 2001).Select(i => new RunbookFile($"r{i}.yaml", "id: r")).ToList();
        (await Should.ThrowAsync<InvalidDataException>(() => PublishAsync(many, "ada"))).Message.ShouldStartWith("There are 2001 files, and hosts take at most 2000.");
        (await Open().ListAsync("published/files/", Now)).ShouldBeEmpty();
        (await PublishAsync([files[0]], "ada")).ShouldBe((PublishOutcome.Published, "ada"));
        (await CurrentAsync(new(Open()))).Calendars["full.ics"].Length.ShouldBe(RuleSet.MostFileBytes);
    }

    [Fact]
    public async Task DamagedRecord_IsSaidAndCanBePublishedOver()
    {
        await PublishAsync(s_first, "ada");
        await Open().WriteAsync(PublicationLog.Name, "{ \"publications\": [{}] }"u8.ToArray(), Now);

        (await Should.ThrowAsync<InvalidDataException>(() => new PublishedSets(Open()).FindLogAsync(Now))).Message.ShouldContain("Publish the runbooks again");
        (await PublishAsync(s_second, "grace")).ShouldBe((PublishOutcome.Published, "grace"));
        Names(await CurrentAsync(new(Open()))).ShouldBe("a.yaml, c.yaml, contacts.yaml");
    }

    private async Task<(PublishOutcome Outcome, string? By)> PublishAsync(IReadOnlyList<RunbookFile> files, string by, string? repository = null)
    {
        var publisher = new Publisher(Open(), _time);
        var result = await publisher.PublishAsync(await publisher.LookAsync(Now), files, new Publication(0, "", default, by) { Repository = repository }, Now);
        return (result.Outcome, result.Publication?.By);
    }

    private static async Task<RuleSet> CurrentAsync(PublishedSets host) => await host.ReadAsync((await host.FindLogAsync(Now))!.Current, Now);

    private static string Names(RuleSet set) => string.Join(", ", set.Runbooks.Append(set.Contacts).Append(set.Windows).OfType<RunbookFile>().Select(file => file.Name));

    /// <summary>A publisher that is killed: after so many writes nothing more is done.</summary>
    private sealed class DyingPlace(IRuleSetPlace place, int writes) : IRuleSetPlace
    {
        private int _left = writes;

        public string Address => place.Address;

        public Task<StoredContent?> FindAsync(string name, int most, CancellationToken cancellationToken) => place.FindAsync(name, most, cancellationToken);

        public Task WriteAsync(string name, byte[] content, CancellationToken cancellationToken)
        {
            Die();
            return place.WriteAsync(name, content, cancellationToken);
        }

        public Task<bool> ReplaceAsync(string name, byte[] content, string? tag, CancellationToken cancellationToken)
        {
            Die();
            return place.ReplaceAsync(name, content, tag, cancellationToken);
        }

        public Task<IReadOnlyList<StoredName>> ListAsync(string prefix, CancellationToken cancellationToken) => place.ListAsync(prefix, cancellationToken);

        public Task<bool> RemoveAsync(StoredName one, CancellationToken cancellationToken) => place.RemoveAsync(one, cancellationToken);

        public Task<IReadOnlyList<RunbookFile>> ReadPlainAsync(CancellationToken cancellationToken) => place.ReadPlainAsync(cancellationToken);

        private void Die()
        {
            if (Interlocked.Decrement(ref _left) < 0)
            {
                throw new StoreUnavailableException("killed");
            }
        }
    }
}
