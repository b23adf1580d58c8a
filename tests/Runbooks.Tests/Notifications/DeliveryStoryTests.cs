using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>What becomes of a question when channels are broken: silence is never success.</summary>
public sealed class DeliveryStoryTests
{
    private static readonly ContactBook s_book = new(
        [new("oncall", [Person("ada", "chat")]), new("platform-lead", [Person("linus", "chat")]), new(ContactBook.Fallback, [Person("duty", "pager")])]);

    private static readonly Runbook s_runbook = Given.Runbook() with
    {
        Mitigation = Given.Runbook().Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromHours(2), RemindAfter = null, Escalate = [] } },
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

    /// <summary>A flow takes whatever it is given, so a room behind one would hide for ever that the person beside it was not reached.</summary>
    [Fact]
    public async Task RoomThatOnlyTakesMessagesOn_DoesNotStandForAPersonWhoWasNotReached()
    {
        var (chat, flow, pager) = (new ScriptedChannel("chat") { Before = ScriptedChannel.Fail }, new ScriptedChannel("flow") { HandsOver = true }, new ScriptedChannel("pager"));
        var room = new Recipient("ops-room", [new("flow", "ops", "ops-room")]) { IsRoom = true };
        var book = new ContactBook([new("oncall", [Person("ada", "chat"), room]), new(ContactBook.Fallback, [Person("grace", "pager"), room])]);
        await using var world = World(book, chat, flow, pager);

        await world.Time.UntilDoneAsync(world.OpenAsync(s_runbook));

        pager.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("grace");
        (await world.Store.GetAsync(Id, Cancel)).OpenGate!.Approvers.ShouldBe(["oncall", ContactBook.Fallback]);
    }

    [Fact]
    public async Task RoomThatOnlyTakesMessagesOn_AndNobodyElseBehindTheContact_IsLeftAtThat()
    {
        var (flow, pager) = (new ScriptedChannel("flow") { HandsOver = true }, new ScriptedChannel("pager"));
        var book = new ContactBook([new("oncall", [new("ops-room", [new("flow", "ops", "ops-room")]) { IsRoom = true }]), new(ContactBook.Fallback, [Person("grace", "pager")])]);
        await using var world = World(book, flow, pager);

        await world.OpenAsync(s_runbook);
        await world.Time.PassAsync(TimeSpan.FromMinutes(10), world.Engine.SettleAsync);

        flow.Sent.Count.ShouldBe(1);
        pager.Sent.ShouldBeEmpty();
    }

    /// <summary>Ada sleeps; her next copy arrives as the first did.</summary>
    [Fact]
    public async Task EscalationThatReachesNobodyNew_GoesToTheFallback()
    {
        var (chat, phone, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("phone") { Before = ScriptedChannel.Fail }, new ScriptedChannel("pager"));
        await using var world = World(s_withPhone, chat, phone, pager);
        await world.OpenAsync(Escalating());

        await world.Time.PassAsync(TimeSpan.FromMinutes(11), world.Engine.SettleAsync);

        pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Escalation);
        (await world.Store.GetAsync(Id, Cancel)).OpenGate!.Approvers.ShouldBe(["oncall", "platform-lead", ContactBook.Fallback]);
        await world.Time.PassAsync(TimeSpan.FromMinutes(20), world.Engine.SettleAsync);
        chat.Sent.Count.ShouldBe(2, "the fallback has it in the lead's place, so nobody is asked again for that");
    }

    [Fact]
    public async Task EscalationThatReachesNobodyNew_NorTheFallback_IsTriedAgain()
    {
        var (chat, phone, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("phone") { Before = ScriptedChannel.Fail }, new ScriptedChannel("pager") { Before = ScriptedChannel.Fail });
        await using var world = World(s_withPhone, chat, phone, pager);
        await world.OpenAsync(Escalating());
        await world.Time.PassAsync(TimeSpan.FromMinutes(12), world.Engine.SettleAsync);

        phone.Before = (_, _) => Task.CompletedTask;
        await world.Time.PassAsync(TimeSpan.FromMinutes(3), world.Engine.SettleAsync);

        phone.Sent.Select(sent => sent.Card.Kind).ShouldBe([CardKind.Reminder]);
    }

    /// <summary>Two have to say yes, and one of the two asked has no channel that works.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public async Task TooFewReachedForAYes_AsksTheNextInLine(int required, int fallbacks)
    {
        var (chat, phone, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("phone") { Before = ScriptedChannel.Fail }, new ScriptedChannel("pager"));
        var book = new ContactBook([new("oncall", [Person("ada", "chat"), Person("grace", "phone")]), new(ContactBook.Fallback, [Person("duty", "pager")])]);
        await using var world = World(book, chat, phone, pager);

        await world.Time.UntilDoneAsync(world.OpenAsync(s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = s_runbook.Mitigation.Approval! with { Required = required } } }));

        pager.Sent.Count.ShouldBe(fallbacks);
    }

    /// <summary>Ada reads that a person is needed, and the one who is there for that does not.</summary>
    [Fact]
    public async Task EndThatTheFallbackDidNotHear_IsToldAgainUntilTheyDo()
    {
        var (chat, phone, pager) = (new ScriptedChannel("chat"), new ScriptedChannel("phone"), new ScriptedChannel("pager") { Before = ScriptedChannel.Fail });
        await using var world = new IncidentWorld(configure: services =>
        {
            services.AddSingleton(s_withPhone).AddSingleton<INotifier>(chat).AddSingleton<INotifier>(phone).AddSingleton<INotifier>(pager);
            services.AddWatchdog();
        });
        await world.OpenAsync(s_runbook);
        await world.Time.PassAsync(TimeSpan.FromMinutes(121), world.Engine.SettleAsync);
        (await world.Store.GetAsync(Id, Cancel)).State.ShouldBe(IncidentState.Expired);
        pager.Before = (_, _) => Task.CompletedTask;

        world.Time.Advance(TimeSpan.FromMinutes(5));
        await world.Get<IncidentWatchdog>().CheckAsync(Cancel);
        world.Time.Advance(TimeSpan.FromMinutes(5));
        await world.Get<IncidentWatchdog>().CheckAsync(Cancel);

        pager.Sent.ShouldHaveSingleItem().Card.Kind.ShouldBe(CardKind.Page);
    }

    public static TheoryData<string> Troubles => ["hangs", "breaks", "answers 500"];

    /// <summary>On call and fallback read chat, which is broken; the lead, who is asked after ten minutes, has a pager.</summary>
    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task ChatThatIsBrokenForAnHour_EscalatesOnTimeAndTheIncidentGoesOn(string trouble)
    {
        var (chat, pager) = (new ScriptedChannel("chat") { Before = Broken(trouble) }, new ScriptedChannel("pager"));
        var book = new ContactBook(
            [new("oncall", [Person("ada", "chat")]), new("platform-lead", [Person("linus", "pager")]), new(ContactBook.Fallback, [Person("duty", "chat")])]);
        await using var world = World(book, chat, pager);
        var runbook = s_runbook with { Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromHours(1), RemindAfter = null } } };
        world.Script.OnDone = _ => world.Script.Verdicts["stuck"] = Verdict.Passing;
        await world.Time.UntilDoneAsync(world.OpenAsync(runbook));

        await world.Time.PassAsync(TimeSpan.FromMinutes(11), world.Engine.SettleAsync);
        var asked = await world.Store.GetAsync(Id, Cancel);
        await world.Time.UntilDoneAsync(world.DecideAsync(Id, DecisionVerb.Approve, "linus"));
        await world.Time.PassAsync(TimeSpan.FromMinutes(5), world.Engine.SettleAsync);

        asked.State.ShouldBe(IncidentState.AwaitingApproval);
        var (failed, fallback, reached) = (asked.Find("Could not reach ada: chat:"), asked.Find("Could not reach duty: chat:"), asked.Find("Told linus by pager."));

        // Each before the escalation, which comes at ten minutes. The clock runs on while the machine is busy, so minutes say nothing here.
        var escalated = asked.Find("Escalated to platform-lead.").At;
        escalated.ShouldBeGreaterThanOrEqualTo(Given.Night.AddMinutes(10));
        failed.At.ShouldBeLessThan(escalated);
        fallback.At.ShouldBeLessThan(escalated);
        reached.At.ShouldBeGreaterThanOrEqualTo(escalated);
        reached.At.ShouldBeLessThan(Given.Night.AddHours(1), "while the question is open");
        failed.What.ShouldContain(trouble switch { "hangs" => "no answer within 10 s.", "breaks" => "the plug is out", _ => "answered 500. (3 attempts)" });
        (await world.Store.GetAsync(Id, Cancel)).State.ShouldBe(IncidentState.Resolved);
        world.Script.Deeds.ShouldBe(["do fix", "do ticket"]);
    }

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task FirstChannelBroken_TheNextOneOfTheSamePersonTakesTheQuestion(string trouble)
    {
        var (chat, pager) = (new ScriptedChannel("chat") { Before = Broken(trouble) }, new ScriptedChannel("pager"));
        var ada = new Recipient("ada", [new("chat", "ada", "ada"), new("pager", "ada", "ada")]);
        await using var world = World(new ContactBook([new("oncall", [ada]), new(ContactBook.Fallback, [Person("duty", "pager")])]), chat, pager);

        await world.Time.UntilDoneAsync(world.OpenAsync(s_runbook));

        var incident = await world.Store.GetAsync(Id, Cancel);
        pager.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("ada");
        incident.OpenGate!.Approvers.ShouldBe(["oncall"]);
        incident.Find("Told ada by pager, after: chat:");
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

        var (incident, _) = await world.DecideAsync(opened.Id, DecisionVerb.TakeOver, "ada");

        incident.IsOwnedByResponder().ShouldBeTrue();
        world.Script.Deeds.ShouldBeEmpty();
        chat.Shown["chat-1"].Kind.ShouldBe(CardKind.Decided);
        chat.Shown["chat-1"].Title.ShouldStartWith("ada took it over: ");
        chat.Shown["chat-1"].Sections[0].Lines.ShouldHaveSingleItem().ShouldEndWith("Close it when it is over.");
        var desk = world.Services.GetRequiredService<NotificationUpdater>();
        var closed = await world.Store.UpdateAsync(opened.Id, i => (i.CloseByHand("ada", "done", world.Time.GetUtcNow()), true), Cancel);
        await desk.ShowClosedAsync(closed.Incident, Cancel);
        chat.Shown["chat-1"].Kind.ShouldBe(CardKind.Closed);
    }

    private const string Id = "261123-0300-aaaaaa";

    private static readonly ContactBook s_withPhone = new(
        [new("oncall", [Person("ada", "chat")]), new("platform-lead", [Person("linus", "phone")]), new(ContactBook.Fallback, [Person("duty", "pager")])]);

    private static Runbook Escalating() => s_runbook with
    {
        Mitigation = s_runbook.Mitigation with { Approval = Given.Approval() with { Timeout = TimeSpan.FromHours(2), RemindAfter = null } },
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Recipient Person(string name, string channel) => new(name, [new(channel, name, name)]);

    private static Func<Address, CancellationToken, Task> Broken(string trouble) => trouble switch
    {
        "hangs" => ScriptedChannel.Hang,
        "breaks" => (_, _) => throw new InvalidOperationException("the plug is out"),
        _ => ScriptedChannel.Fail,
    };

    private static IncidentWorld World(params INotifier[] channels) => World(s_book, channels);

    private static IncidentWorld World(ContactBook book, params INotifier[] channels) => new(configure: services =>
    {
        services.AddSingleton(book);
        foreach (var channel in channels)
        {
            services.AddSingleton(channel);
        }
    });
}

file static class TimelineReading
{
    public static TimelineEntry Find(this Incident incident, string beginning) =>
        incident.Timeline.FirstOrDefault(entry => entry.What.StartsWith(beginning, StringComparison.Ordinal))
        ?? throw new ShouldAssertException($"Nothing begins with '{beginning}' in:\n{string.Join('\n', incident.Timeline.Select(entry => $"{entry.At:T} {entry.What}"))}");
}
