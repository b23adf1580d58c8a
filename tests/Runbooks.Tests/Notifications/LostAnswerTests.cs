using Runbooks.Approvals;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit;
using TestKit.People;

namespace Runbooks.Tests.Notifications;

/// <summary>An alert that perhaps exists rings on until it is ended, whatever became of the answer and of whoever waited for it.</summary>
public sealed class LostAnswerTests
{
    private const string Id = "261123-0312-k7m2p9wd";
    private const string Alert = "mitigation-1:0:ada@pager";

    private readonly ScriptedChannel _pager = new("pager") { Rings = true, ReferenceOf = (_, card) => card.Key! };
    private readonly ScriptedChannel _chat = new("chat");
    private readonly ApprovalOffice _office;

    public LostAnswerTests() => _office = new(
        new([new("oncall", [new Recipient("ada", [new("pager", "ada", "ada"), new("chat", "ada", "ada")])])]), _pager, _chat);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnswerThatIsLost_TheDecisionAndTheEndReachTheAlert(bool hangs)
    {
        _pager.After = hangs ? ScriptedChannel.Hang : ScriptedChannel.Fail;
        var asked = await AskAsync();
        asked.Deliveries.ShouldHaveSingleItem().Channel.ShouldBe("chat", "nobody counts as told by what perhaps exists");

        await DecideAsync();
        _pager.Shown[Alert].Kind.ShouldBe(CardKind.Decided);

        await _office.Updater.ShowEndAsync(await GetAsync(), _office.Cards.Closed(Some.Incident(), Some.Runbook()), Cancel);
        _pager.Shown[Alert].Kind.ShouldBe(CardKind.Closed);
    }

    /// <summary>One attempt of several may have been taken, whatever the last one was answered.</summary>
    [Fact]
    public async Task AnswerThatIsLostBeforeAPlainRefusal_IsNotForgotten()
    {
        _pager.After = (_, _) => throw new DeliveryException(_pager.Attempts == 1 ? "reset" : "answered 400.", transient: _pager.Attempts == 1);

        (await AskAsync()).Calls.ShouldHaveSingleItem().Reference.ShouldBe(Alert);
    }

    [Fact]
    public async Task PlainRefusal_LeavesNothingToEnd()
    {
        var changed = 0;
        _pager.Before = (_, _) => throw new DeliveryException("answered 403.");
        _pager.BeforeUpdate = () => Task.FromResult(changed++);

        (await AskAsync()).Calls.ShouldBeEmpty();
        await DecideAsync();

        changed.ShouldBe(0);
    }

    [Fact]
    public async Task AlertThatWasTaken_IsKeptOnce()
    {
        var asked = await AskAsync();

        asked.Calls.ShouldBeEmpty();
        asked.Changeable.ShouldHaveSingleItem().Reference.ShouldBe(Alert);
    }

    /// <summary>The pager has taken it, and the host dies before it can say so.</summary>
    [Fact]
    public async Task HostThatDiesAfterItSent_TheDecisionEndsTheAlert()
    {
        await OpenAsync();
        _pager.After = ScriptedChannel.Hang;
        var dead = SendAsync();
        await Patience.UntilAsync(() => Task.FromResult(!_pager.Sent.IsEmpty), () => "It was not sent.");
        (await GetAsync()).Deliveries.ShouldBeEmpty();

        await DecideAsync();

        dead.IsCompleted.ShouldBeFalse();
        _pager.Shown[Alert].Kind.ShouldBe(CardKind.Decided);
    }

    /// <summary>Nothing that cannot be written keeps anybody from being called.</summary>
    [Fact]
    public async Task StoreThatIsAway_CallsAllTheSame()
    {
        await OpenAsync();
        var incident = await GetAsync();
        _office.Store.Fault = () => new IOException("disk is away");

        (await _office.Notifier.SendAsync(incident, new("mitigation-1:0", ["oncall"], _ => Question(incident)), Cancel)).Reached.ShouldBeTrue();

        _pager.Sent.Count.ShouldBe(1);
    }

    /// <summary>To end an alert twice is to end it once, so where no answer comes it is tried again; of a message that only shows something else, not.</summary>
    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 1)]
    public async Task ChangeThatIsNotAnswered_IsTriedAgainWhereItRings(bool rings, int tries)
    {
        var tried = 0;
        _pager.Rings = rings;
        await AskAsync();
        _pager.BeforeUpdate = () =>
        {
            tried++;
            return ScriptedChannel.Hang(null!, Cancel);
        };

        await _office.Time.UntilDoneAsync(DecideAsync());

        tried.ShouldBe(tries);
    }

    private Task OpenAsync() => _office.Store.OpenAsync(Some.Waiting(), Some.Runbook(), _ => null, Cancel);

    private Task<Incident> GetAsync() => _office.Store.GetAsync(Id, Cancel);

    private Card Question(Incident incident) => _office.Cards.Approval(incident, Some.Runbook(), incident.FindGate("mitigation-1")!, "ada", CardKind.ApprovalRequest);

    private async Task<SendResult> SendAsync()
    {
        var incident = await GetAsync();
        return await _office.Notifier.SendAsync(incident, new("mitigation-1:0", ["oncall"], _ => Question(incident)), Cancel);
    }

    private async Task<Incident> AskAsync()
    {
        await OpenAsync();
        await _office.Time.UntilDoneAsync(SendAsync());
        return await GetAsync();
    }

    private async Task DecideAsync() =>
        (await _office.Approvals.DecideAsync(Id, "mitigation-1", new DecisionRequest(DecisionVerb.Approve, "ada", "link"), Cancel)).Result.Status.ShouldBe(DecisionStatus.Decided);
}
