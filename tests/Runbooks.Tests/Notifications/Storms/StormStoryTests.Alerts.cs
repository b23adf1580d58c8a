using Runbooks.Model.Incidents;
using Runbooks.Notifications;
using Runbooks.Notifications.Storms;

namespace Runbooks.Tests.Notifications.Storms;

public sealed partial class StormStoryTests
{
    /// <summary>An alert about many cannot end with one of them, and does not stay when all are over.</summary>
    [Fact]
    public async Task AlertAboutAStorm_EndsWithIt()
    {
        _pager.Rings = true;
        _chat.Before = (_, _) => throw new DeliveryException("is away.");
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);
        _pager.Sent.ShouldHaveSingleItem().Card.Title.ShouldBe("6 incidents of 'Broken thing' ask you at once");
        await DecideAsync(_world.Store.All.Take(5), DecisionVerb.Approve, "duty");

        await WatchAsync();
        _pager.Shown.Values.ShouldHaveSingleItem().Asks.ShouldBeTrue("one still asks");

        await _world.DecideAsync(_world.Store.All[^1].Id, DecisionVerb.Approve, "duty");
        await AdvanceAsync(TimeSpan.FromMinutes(5));
        await WatchAsync();
        await WatchAsync();

        _world.Store.All.ShouldAllBe(incident => incident.State.IsFinal());
        _pager.Sent.Count.ShouldBe(1, "nobody is called to hear that it is over");
        _pager.Shown.Values.ShouldHaveSingleItem().Kind.ShouldBe(CardKind.Closed);
    }

    /// <summary>The pager takes it, and nobody is known to have been told.</summary>
    [Fact]
    public async Task AlertAboutAStormWhoseAnswerIsLost_EndsAllTheSame()
    {
        var expected = 0;
        _pager.Rings = true;
        _pager.ReferenceOf = (_, card) => card.Key!;
        _pager.After = (_, _) => throw new IOException("reset");
        _pager.Before = async (_, _) => expected = (await _world.Get<StormRegistry>().ListAsync(Cancel)).Single().Expected.Count;
        _chat.Before = (_, _) => throw new DeliveryException("is away.");
        _world.Script.OnDone = _ => _world.Script.Verdicts["stuck"] = Verdict.Passing;
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);
        expected.ShouldBe(1, "it is on record before it is sent");
        _chat.Before = (_, _) => Task.CompletedTask;

        await DecideAsync(_world.Store.All, DecisionVerb.Approve, "duty");
        await WatchAsync();
        _pager.Shown.Values.ShouldAllBe(card => card.CallsNobody);

        await AdvanceAsync(TimeSpan.FromMinutes(5));
        await WatchAsync();
        await WatchAsync();
        _pager.Shown.Values.ShouldAllBe(card => card.Kind == CardKind.Closed);
        TitlesTo("ada").ShouldNotBeEmpty("what perhaps rang has told nobody");
    }

    /// <summary>The fixes stay for hours. Who was called up has answered, and whoever comes after them is not called.</summary>
    [Fact]
    public async Task AlertAboutAStormThatIsAllDecided_EndsWhileItGoesOn()
    {
        _pager.Rings = true;
        _chat.Before = (_, _) => throw new DeliveryException("is away.");
        await HoldAsync(6);
        _pager.Shown.Values.ShouldHaveSingleItem().Asks.ShouldBeTrue();

        _chat.Before = (_, _) => Task.CompletedTask;
        await WatchAsync();

        _pager.Shown.Values.First().Kind.ShouldBe(CardKind.Decided);
    }

    /// <summary>What was approved waits for the end of a window: nobody can do anything about it before.</summary>
    [Fact]
    public async Task AlertAboutAStormThatAWindowHoldsBack_Ends()
    {
        _pager.Rings = true;
        _chat.Before = (_, _) => throw new DeliveryException("is away.");
        await OpenAsync(6);
        await AdvanceAsync(s_gathered);
        var until = _world.Time.GetUtcNow().AddHours(2);
        foreach (var incident in _world.Store.All)
        {
            await _world.Store.UpdateAsync(incident.Id, i => (i.NoteHeldBack(i.OpenGate!.Id, "duty", "A window is open.", until, _world.Time.GetUtcNow()), true), Cancel);
        }

        await WatchAsync();

        _pager.Shown.Values.ShouldHaveSingleItem().Kind.ShouldBe(CardKind.Decided);
    }
}
