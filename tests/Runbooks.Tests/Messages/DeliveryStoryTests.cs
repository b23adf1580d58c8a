using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Incidents;
using Runbooks.Messages;
using TestKit.Incidents;
using TestKit.People;
using Some = TestKit.Incidents.Some;

namespace Runbooks.Tests.Messages;

/// <summary>What becomes of a question when channels are broken: silence is never success.</summary>
public sealed class DeliveryStoryTests
{
    private static readonly ContactBook s_book = new(
        [new("oncall", [Person("ada", "chat")]), new("platform-lead", [Person("linus", "chat")]), new(ContactBook.Fallback, [Person("duty", "pager")])]);

    private static readonly Runbook s_runbook = Some.Runbook() with
    {
        Mitigation = Some.Runbook().Mitigation with { Approval = Some.Approval() with { Timeout = TimeSpan.FromHours(2), RemindAfter = null, Escalate = [] } },
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ChannelThatIsBrokenForAnHour_LeadsToTheFallbackAtOnce(bool hangs)
    {
        var (chat, pager) = (new ScriptedChannel("chat") { Before = hangs ? ScriptedChannel.Hang : ScriptedChannel.Fail }, new ScriptedChannel("pager"));
        await using var world = World(chat, pager);

        await world.Time.UntilDoneAsync(world.OpenAsync(s_runbook));

        var incident = await world.Store.FindAsync(Id, Cancel);
        pager.Sent.ShouldHaveSingleItem().Card.GateId.ShouldBe("mitigation-1");
        incident!.State.ShouldBe(IncidentState.AwaitingApproval);
        incident.OpenGate!.Approvers.ShouldBe(["oncall", ContactBook.Fallback]);
        incident.Timeline.ShouldContain(entry => entry.What.StartsWith("Could not reach ada: chat:", StringComparison.Ordinal));
        incident.Timeline.ShouldContain(entry => entry.What == "Escalated to fallback.");
    }

    [Fact]
    public async Task EverythingBrokenForAnHour_IsAskedAgainUntilItReachesSomebody()
    {
        var (chat, pager) = (new ScriptedChannel("chat") { Before = ScriptedChannel.Fail }, new ScriptedChannel("pager") { Before = ScriptedChannel.Fail });
        await using var world = World(chat, pager);
        await world.Time.UntilDoneAsync(world.OpenAsync(s_runbook));

        await world.Time.PassAsync(TimeSpan.FromHours(1), world.Engine.SettleAsync);
        pager.Attempts.ShouldBeGreaterThan(6);
        pager.Before = (_, _) => Task.CompletedTask;
        await world.Time.PassAsync(TimeSpan.FromMinutes(20), world.Engine.SettleAsync);

        pager.Sent.ShouldNotBeEmpty();
        var incident = await world.Store.FindAsync(Id, Cancel);
        incident!.State.ShouldBe(IncidentState.AwaitingApproval);

        // Asked ever more rarely: an hour of trouble does not bury the record.
        incident.Deliveries.Count.ShouldBeLessThan(40);
    }

    [Fact]
    public async Task ExpiredQuestion_IsShownOnItsCards()
    {
        var (chat, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("pager"));
        await using var world = World(chat, pager);
        var opened = await world.OpenAsync(s_runbook);

        await world.AdvanceAsync(opened.Id, TimeSpan.FromHours(2.1));

        // The card that asked ends as the page that a person is needed: nobody answered.
        chat.Shown["chat-1"].GateId.ShouldBeNull();
        chat.Shown["chat-1"].Kind.ShouldBe(CardKind.Page);
        pager.Sent.ShouldContain(sent => sent.Card.Kind == CardKind.Page);
    }

    [Fact]
    public async Task TakenOver_StaysAcknowledgedAndIsNotResolved()
    {
        var (chat, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("pager"));
        await using var world = World(chat, pager);
        var opened = await world.OpenAsync(s_runbook);

        var (incident, _) = await world.DecideAsync(opened.Id, Verb.TakeOver, "ada");

        incident.IsDriven().ShouldBeTrue();
        world.Script.Deeds.ShouldBeEmpty();
        chat.Shown["chat-1"].Kind.ShouldBe(CardKind.Decided);
        var desk = world.Services.GetRequiredService<SentCards>();
        var closed = await world.Store.UpdateAsync(opened.Id, i => (i.CloseByHand("ada", "done", world.Time.GetUtcNow()), true), Cancel);
        await desk.ShowClosedAsync(closed.Incident, Cancel);
        chat.Shown["chat-1"].Kind.ShouldBe(CardKind.Closed);
    }

    private const string Id = "261123-0300-aaaaaa";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Recipient Person(string name, string channel) => new(name, [new(channel, name, name)]);

    private static IncidentWorld World(params INotifier[] channels) => new(configure: services =>
    {
        services.AddSingleton(s_book);
        foreach (var channel in channels)
        {
            services.AddSingleton(channel);
        }
    });
}
