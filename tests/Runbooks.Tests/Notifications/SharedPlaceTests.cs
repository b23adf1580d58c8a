using Microsoft.Extensions.DependencyInjection;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Watchdog;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>Where people are counted, a place that two of them read holds no link of either, whenever each of them is asked.</summary>
public sealed class SharedPlaceTests
{
    private static readonly Recipient s_ada = new("ada", [new("chat", "team", "ada")]);
    private static readonly Recipient s_ben = new("ben", [new("chat", "team", "ben")]);
    private static readonly Recipient s_eve = new("eve", [new("away", "eve", "eve")]);
    private readonly ScriptedChannel _chat = new("chat");
    private readonly ScriptedChannel _away = new("away") { Before = (_, _) => throw new DeliveryException("is away.") };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Eve is not reached, and one is not enough where two have to approve.</summary>
    [Theory]
    [InlineData(2, true)]
    [InlineData(1, false)]
    public async Task FallbackAtThePlaceOfWhoIsAskedFirst_LeavesNeitherALink(int required, bool isShared)
    {
        await using var world = World();

        await world.OpenAsync(Asking(Given.Approval() with { From = ["oncall"], Required = required, Escalate = [], RemindAfter = null }));

        ShouldReach(required == 2 ? ["ada", "ben"] : ["ada"], isShared);
    }

    [Fact]
    public async Task WhoIsAskedLaterAtThePlaceOfWhoIsAskedFirst_LeavesNoLinkToTheFirst()
    {
        await using var world = World();

        var incident = await world.OpenAsync(Asking(Given.Approval() with { From = ["oncall"], SeparationOfDuties = true, Escalate = [new(TimeSpan.FromMinutes(5), ["lead"])], RemindAfter = null }));
        ShouldReach(["ada"], isShared: true);

        await world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(6));
        ShouldReach(["ada", "ada", "ben"], isShared: true);
    }

    /// <summary>Who is behind a schedule is known only once that is asked, and the message to the other one does not ask it.</summary>
    [Theory]
    [InlineData("rota", "lead")]
    [InlineData("lead", "rota")]
    public async Task OneOfThemIsBehindASchedule_LeavesNeitherALink(string first, string later)
    {
        await using var world = World();
        var runbook = Asking(Given.Approval() with { From = [first], Required = 2, Escalate = [new(TimeSpan.FromMinutes(5), [later])], RemindAfter = null });

        var incident = await world.OpenAsync(runbook);
        await world.AdvanceAsync(incident.Id, TimeSpan.FromMinutes(6));

        _chat.Sent.Select(sent => sent.To.Recipient).Distinct().ShouldBe(["ada", "ben"], ignoreOrder: true);
        _chat.Sent.ShouldAllBe(sent => sent.To.IsShared);
    }

    [Fact]
    public async Task StormsFallbackAtThePlaceOfWhoIsAskedFirst_LeavesNeitherALink()
    {
        await using var world = World();
        var runbook = Asking(Given.Approval() with { From = ["oncall"], Required = 2, Escalate = [], RemindAfter = null });
        for (var i = 0; i < 6; i++)
        {
            await world.Store.OpenAsync(Given.Incident(runbook, $"261123-0300-{i:000000}") with { Target = $"inference/llm-b-{i}", OpenedAt = world.Time.GetUtcNow() }, runbook, _ => null, Cancel);
        }

        foreach (var incident in world.Store.All)
        {
            await world.Engine.OpenAsync(IncidentInput.Of(incident.Id, runbook));
        }

        await world.Engine.SettleAsync();
        await world.AdvanceAsync(world.Store.All[0].Id, TimeSpan.FromSeconds(20));

        ShouldReach(["ada", "ben"], isShared: true);
    }

    private static Runbook Asking(Approval approval) => Given.Runbook() with { Mitigation = Given.Runbook().Mitigation with { Approval = approval } };

    private void ShouldReach(string[] names, bool isShared)
    {
        _chat.Sent.Select(sent => sent.To.Recipient).ShouldBe(names, ignoreOrder: true);
        _chat.Sent.ShouldAllBe(sent => sent.To.IsShared == isShared && sent.Card.Links.Any(link => link.Text.EndsWith("decide", StringComparison.Ordinal)) != isShared);
    }

    private IncidentWorld World() => new(new WorldHubOptions { ReplayEveryTurn = false }, services => services
        .AddSingleton(new ContactBook(
            [new("oncall", [s_ada, s_eve]), new("rota", []) { Schedule = new("rota", "R1", [s_eve]) }, new("lead", [s_ben]), new(ContactBook.Fallback, [s_ben])], [s_ada, s_ben, s_eve]))
        .AddSingleton<IOnCallSource>(new ScriptedSchedule().Put("ada"))
        .AddSingleton<INotifier>(_chat)
        .AddSingleton<INotifier>(_away)
        .AddWatchdog());
}
