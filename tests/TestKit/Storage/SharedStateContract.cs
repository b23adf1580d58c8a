using Runbooks.Model.Storage;
using Shouldly;
using Xunit;

namespace TestKit.Storage;

/// <summary>What every <see cref="ISharedState"/> has to keep.</summary>
public abstract class SharedStateContract
{
    protected abstract ISharedState State { get; }

    protected virtual int Crowd => 100;

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ManyChangesAtOnce_AreAllKept()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, Crowd).Select(i => Task.Run(() => State.UpdateAsync<Ledger, int>(
            "ledger", before => (new Ledger([.. before?.Runs ?? [], i]), before?.Runs.Count ?? 0), Now))));

        (await State.FindAsync<Ledger>("ledger", Now))!.Runs.Order().ShouldBe(Enumerable.Range(0, Crowd));
        results.Select(r => r.Result).Order().ShouldBe(Enumerable.Range(0, Crowd));
    }

    [Fact]
    public async Task KeyThatWasNeverWritten_IsNull() => (await State.FindAsync<Ledger>("none", Now)).ShouldBeNull();

    [Fact]
    public async Task HostileKeys_AreEachTheirOwn()
    {
        await Task.WhenAll(HostileText.Keys.Select((key, i) => State.UpdateAsync<Ledger, bool>(key, _ => (new Ledger([i]), true), Now)));
        var found = await Task.WhenAll(HostileText.Keys.Select(key => State.FindAsync<Ledger>(key, Now)));
        found.Select(ledger => ledger!.Runs.Single()).ShouldBe(Enumerable.Range(0, HostileText.Keys.Count));
    }

    [Fact]
    public async Task ChangeThatThrows_ChangesNothing()
    {
        await State.UpdateAsync<Ledger, bool>("ledger", _ => (new Ledger([1]), true), Now);
        await State.UpdateAsync<Ledger, bool>("ledger", _ => throw new InvalidDataException("no"), Now).ShouldThrowAsync<InvalidDataException>();
        (await State.FindAsync<Ledger>("ledger", Now))!.Runs.ShouldBe([1]);
    }

    [Fact]
    public async Task ChangeThatReturnsTheSameDocument_IsAnsweredWithItsResult()
    {
        await State.UpdateAsync<Ledger, bool>("ledger", _ => (new Ledger([1]), true), Now);
        var (document, result) = await State.UpdateAsync<Ledger, int>("ledger", before => (before!, 7), Now);
        document.Runs.ShouldBe([1]);
        result.ShouldBe(7);
    }

    [Fact]
    public async Task DocumentThatMayGo_GoesAndAnotherStays()
    {
        await State.UpdateAsync<Ledger, bool>("old", _ => (new Ledger([1]), true), Now);
        await State.UpdateAsync<Ledger, bool>("new", _ => (new Ledger([2]), true), Now);

        foreach (var key in (string[])["old", "new", "none"])
        {
            await State.RemoveAsync<Ledger>(key, known => known.Runs.Contains(1), Now);
        }

        (await State.FindAsync<Ledger>("old", Now)).ShouldBeNull();
        (await State.FindAsync<Ledger>("new", Now))!.Runs.ShouldBe([2]);
        (await State.UpdateAsync<Ledger, int>("old", before => (new Ledger([3]), before?.Runs.Count ?? 0), Now)).Result.ShouldBe(0);
    }

    [Fact]
    public async Task LargeDocument_IsKeptWhole()
    {
        var runs = Enumerable.Range(0, 100_000).ToList();
        await State.UpdateAsync<Ledger, bool>("large", _ => (new Ledger(runs), true), Now);
        (await State.FindAsync<Ledger>("large", Now))!.Runs.ShouldBe(runs);
    }

    private sealed record Ledger(IReadOnlyList<int> Runs);
}
