using Microsoft.Extensions.DependencyInjection;
using Runbooks.Approvals;
using Runbooks.Catalog;
using Runbooks.Engine;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using TestKit.Incidents;
using TestKit.People;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Notifications;

/// <summary>Two teams that both have a contact <c>primary</c>: each is asked its own, for as long as the incident lives.</summary>
public sealed class TeamStoryTests : IAsyncDisposable
{
    private const string Common = """
        people:
          ada: { slackUser: U0ADA, reach: [{ chat: ada }] }
          linus: { reach: [{ chat: linus }] }
        contacts: { oncall: ada, fallback: linus }
        """;

    private const string Ml = """
        people:
          grace: { slackUser: U0GRACE, reach: [{ chat: grace }] }
          gwen: { reach: [{ chat: gwen }] }
        contacts: { primary: [grace, ada], fallback: gwen }
        """;

    private const string Web = """
        people:
          alan: { slackUser: U0ALAN, reach: [{ chat: alan }] }
        contacts: { primary: alan }
        """;

    private readonly ScriptedChannel _chat = new("chat");
    private IncidentWorld? _world;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("ml", new[] { "ada", "grace" }, "grace", "alan")]
    [InlineData("web", new[] { "alan" }, "alan", "grace")]
    public async Task Question_GoesToTheTeamsOwnAndOnlyTheyDecide(string team, string[] asked, string own, string other)
    {
        var incident = await OpenAsync(Read(team));

        (incident.Team, incident.OpenGate!.Approvers.Single()).ShouldBe((team, $"{team}.primary"));
        _chat.Sent.Select(sent => sent.To.Recipient).Order().ShouldBe(asked);
        foreach (var request in new DecisionRequest[]
        {
            new(DecisionVerb.Approve, other, "api"),
            new(DecisionVerb.Reject, other, "link") { LinkOf = other },
            new(DecisionVerb.Approve, Identity.Slack($"U0{other.ToUpperInvariant()}"), "slack"),
            new(DecisionVerb.TakeOver, "linus", "api"),
        })
        {
            (await DecideAsync(incident.Id, request)).ShouldBe(DecisionStatus.NotAllowed);
        }

        (await DecideAsync(incident.Id, new(DecisionVerb.Approve, own, "link") { LinkOf = own })).ShouldBe(DecisionStatus.Decided);
    }

    [Fact]
    public async Task ContactThatIsGone_IsTheTeamsFallbackAndNotTheOneOfAll()
    {
        _world = World();
        _world.Get<CurrentContacts>().Replace(Book(ml: Ml.Replace("primary", "second", StringComparison.Ordinal), common: Common.Replace("oncall:", "primary:", StringComparison.Ordinal)));

        await OpenAsync(Read("ml"));

        _chat.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe("gwen");
    }

    [Theory]
    [InlineData(new[] { "grace", "ada" }, "gwen", new[] { "ml.primary", "ml.fallback" })]
    [InlineData(new[] { "grace", "ada", "gwen" }, "linus", new[] { "ml.primary", "ml.fallback", "fallback" })]
    public async Task NobodyOfTheTeamReached_LeadsToItsFallbackAndThenToThatOfAll(string[] away, string last, string[] asked)
    {
        _chat.Before = (to, cancel) => away.Contains(to.Recipient) ? ScriptedChannel.Fail(to, cancel) : Task.CompletedTask;
        _world = World();
        var id = await StartAsync(Read("ml"));

        _chat.Sent.ShouldHaveSingleItem().To.Recipient.ShouldBe(last);
        (await _world.Store.GetAsync(id, Cancel)).OpenGate!.Approvers.ShouldBe(asked);
        (await DecideAsync(id, new(DecisionVerb.Approve, last, "api"))).ShouldBe(DecisionStatus.Decided);
    }

    [Theory]
    [InlineData("ml", "gwen", "gwen")]
    [InlineData("web", "linus", "linus")]
    public async Task Silence_EscalatesToTheTeamsFallbackWhoHearsOfTheEnd(string team, string asked, string told)
    {
        _world = World();
        var id = await StartAsync(Read(team, onTimeout: "escalate"));
        await _world.AdvanceAsync(id, TimeSpan.FromMinutes(21));
        _chat.Sent.Last(sent => sent.Card.Kind == CardKind.Escalation).To.Recipient.ShouldBe(asked);

        (await _world.AdvanceAsync(id, TimeSpan.FromMinutes(21))).State.ShouldBe(IncidentState.Expired);

        _chat.Sent.Where(sent => sent.Card.Kind == CardKind.Page).Select(sent => sent.To.Recipient).ShouldContain(told);
        _chat.Sent.Select(sent => sent.To.Recipient).ShouldNotContain(team == "ml" ? "alan" : "grace");
    }

    [Fact]
    public async Task Storm_AsksEachTeamAboutItsOwnAndItsFallbackWhenNobodyIsReached()
    {
        _chat.Before = (to, cancel) => to.Recipient is "grace" or "ada" ? ScriptedChannel.Fail(to, cancel) : Task.CompletedTask;
        _world = World();
        var (ml, web) = (Read("ml"), Read("web"));
        for (var i = 0; i < 8; i++)
        {
            var runbook = i % 2 == 0 ? ml : web;
            var incident = Given.Incident(runbook, $"261123-0300-{i:000000}") with { Target = $"inference/llm-b-{i}", Team = runbook.Team };
            await _world.Store.OpenAsync(incident, runbook, _ => null, Cancel);
            await _world.Engine.OpenAsync(IncidentInput.Of(incident.Id, runbook));
        }

        await _world.Time.UntilDoneAsync(_world.AdvanceAsync("261123-0300-000007", TimeSpan.FromMinutes(3)));

        _chat.Sent.Select(sent => sent.To.Recipient).Distinct().Order().ShouldBe(["alan", "gwen"]);
        _world.Store.All.ShouldAllBe(incident => incident.OpenGate!.Approvers.Contains("ml.fallback") == (incident.Team == "ml"));
    }

    [Fact]
    public async Task PersonOfTwoContacts_CountsOnce()
    {
        var incident = await OpenAsync(Read("ml", more: ", required: 2", from: "[primary, oncall]"));

        (await DecideAsync(incident.Id, new(DecisionVerb.Approve, "ada", "api"))).ShouldBe(DecisionStatus.MoreNeeded);
        (await DecideAsync(incident.Id, new(DecisionVerb.Approve, Identity.Slack("U0ADA"), "slack"))).ShouldBe(DecisionStatus.AlreadyCounted);
        (await DecideAsync(incident.Id, new(DecisionVerb.Approve, "grace", "api"))).ShouldBe(DecisionStatus.Decided);
    }

    /// <summary>A team must not make another's question need fewer people by calling a job somebody of its own.</summary>
    [Theory]
    [InlineData("grace", 1)]
    [InlineData("linus", 1)]
    [InlineData("alan", 2)]
    public async Task WhoeverStartedItAndIsOfAnotherTeam_IsNobodyWhomThisOneKnows(string starter, int required)
    {
        var runbook = Read("ml", more: ", separationOfDuties: true");

        (await OpenAsync(runbook, Given.Incident(runbook) with { StartedBy = starter })).OpenGate!.Required.ShouldBe(required);
    }

    public async ValueTask DisposeAsync()
    {
        if (_world is not null)
        {
            await _world.DisposeAsync();
        }
    }

    private async Task<Incident> OpenAsync(Runbook runbook, Incident? incident = null) => await (_world ??= World()).OpenAsync(runbook, (incident ?? Given.Incident(runbook)) with { Team = runbook.Team });

    /// <summary>A channel that fails is tried again after a while.</summary>
    private async Task<string> StartAsync(Runbook runbook)
    {
        var incident = Given.Incident(runbook);
        await _world!.Time.UntilDoneAsync(_world.OpenAsync(runbook, incident));
        return incident.Id;
    }

    private async Task<DecisionStatus> DecideAsync(string id, DecisionRequest request) => (await _world!.Get<ApprovalService>().DecideAsync(id, null, request, Cancel)).Result.Status;

    private IncidentWorld World() => new(configure: services => services.AddSingleton<INotifier>(_chat).AddSingleton(Book()));

    private ContactBook Book(string ml = Ml, string common = Common) => new ContactsFile([_chat], [], ApprovalOffice.Secrets())
        .Read(new ContactFiles(new("contacts.yaml", common), [Files("ml", ml), Files("web", Web)])).Book.ShouldNotBeNull();

    private static TeamFiles Files(string team, string contacts) => new(team, new($"{team}/team.yaml", $"name: {team}\nowner: primary\n"), new($"{team}/contacts.yaml", contacts));

    private static Runbook Read(string team, string from = "[primary]", string onTimeout = "abort", string more = "")
    {
        var catalog = new ServiceCollection().AddRunbookCatalog().BuildServiceProvider().GetRequiredService<RunbookCatalog>();
        catalog.Load([new RunbookFile($"{team}/stuck.yaml", $$$"""
            id: {{{team}}}-stuck
            title: Stuck
            trigger: [{ alert: Stuck }]
            target: "{{ labels.pod }}"
            impact: { severity: low, users: Nobody notices. }
            diagnosis:
              stuck: { ask: "Is it stuck?", check: always, with: { finding: failing } }
            mitigation:
              approval: { ask: "Do it?", from: {{{from}}}, onTimeout: {{{onTimeout}}}{{{more}}} }
              steps:
                tell: { do: note, with: { text: Hello. } }
            """) { Team = Files(team, team == "ml" ? Ml : Web) }]).Errors.ShouldBeEmpty();
        return catalog.Current.Single();
    }
}
