using Microsoft.Extensions.DependencyInjection;
using Runbooks.Model.Definition;

namespace Runbooks.Catalog.Tests;

/// <summary>What a team's folder makes of its runbooks.</summary>
public sealed class TeamFileTests
{
    private const string Team = """
        name: ml
        owner: lead
        actions: [no*, person]
        """;

    private const string Contacts = """
        people:
          grace: { reach: [{ outbox: grace }] }
        groups:
          sre: { id: 99999999-2222-3333-4444-555555555555, reach: [{ outbox: sre }] }
        contacts:
          oncall: [grace]
          lead: grace
        """;

    private readonly RunbookCatalog _catalog = new ServiceCollection().AddRunbookCatalog().BuildServiceProvider().GetRequiredService<RunbookCatalog>();

    [Fact]
    public void Contacts_AreTheTeamsOwnFirstAndNamedWithIt()
    {
        _catalog.Load([File("hung", Team), File("other")]).Errors.ShouldBeEmpty();

        var (ours, others) = (_catalog.Find("hung")!, _catalog.Find("other")!);
        (ours.Team, ours.Owner, ours.Fallback).ShouldBe(("ml", "ml.lead", "fallback"));
        ours.Mitigation.Approval!.From.ShouldBe(["ml.oncall", "ml.group:sre", "security"]);
        ours.Mitigation.Approval.Escalate[0].To.ShouldBe(["ml.lead"]);
        ours.ReportTo.ShouldBe(["ml.lead"]);
        var byHand = ours.FindStep(Phase.Mitigation, "look")!.With;
        byHand.GetProperty("who")[0].GetString().ShouldBe("ml.oncall");
        byHand.GetProperty("escalate")[0].GetProperty("to")[0].GetString().ShouldBe("ml.lead");
        byHand.GetProperty("instruction").GetString().ShouldBe("oncall");
        (others.Team, others.Owner, others.Mitigation.Approval!.From[0], others.Fallback).ShouldBe(("", "", "OnCall", "fallback"));
        ours.Hash.ShouldNotBe(others.Hash);
    }

    [Fact]
    public void FallbackOfTheTeam_ComesBeforeThatOfAll()
    {
        _catalog.Load([File("hung", Team, Contacts + "\n  fallback: grace\n")]).Errors.ShouldBeEmpty();

        _catalog.Find("hung")!.Fallback.ShouldBe("ml.fallback");
    }

    [Fact]
    public void WhatTheTeamsFilesChange_IsPartOfTheVersion()
    {
        var before = Hash(Team, Contacts);

        Hash(Team, Contacts.Replace("oncall: [grace]", "oncall: [ada]", StringComparison.Ordinal)).ShouldBe(before);
        Hash(Team, Contacts.Replace("oncall:", "duty:", StringComparison.Ordinal)).ShouldNotBe(before);
        Hash(Team, Contacts + "\n  fallback: grace\n").ShouldNotBe(before);
        Hash(Team.Replace("owner: lead", "owner: oncall", StringComparison.Ordinal), Contacts).ShouldNotBe(before);

        string Hash(string team, string contacts)
        {
            _catalog.Load([File("hung", team, contacts)]).Errors.ShouldBeEmpty();
            return _catalog.Find("hung")!.Hash;
        }
    }

    [Fact]
    public void ActionThatTheTeamMayNotDo_IsAnErrorAtItsPlace() =>
        _catalog.Load([File("hung", Team.Replace("no*, ", "", StringComparison.Ordinal))]).Errors.ShouldHaveSingleItem().ToString()
            .ShouldBe("ml/hung.yaml:12:17  mitigation.steps.tell.do  is 'note', which runbooks of the team ml may not do.  They may do: person. 'actions' in ml/team.yaml says so.");

    [Fact]
    public void ContactThatAnAlertWouldChoose_IsAnErrorInATeamOnly()
    {
        RunbookFile Chosen(RunbookFile file) => file with { Text = file.Text.Replace("who: [oncall]", "who: [\"{{ labels.who }}\"]", StringComparison.Ordinal) };

        _catalog.Load([Chosen(File("other"))]).Errors.ShouldBeEmpty();
        _catalog.Load([Chosen(File("hung", Team))]).Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("ml/hung.yaml:13:60  '{{ labels.who }}' stands where a contact is named");
    }

    [Theory]
    [InlineData("name: ML\nowner: lead", "ml/team.yaml:1:7  name  is 'ML'.")]
    [InlineData("name: tests\nowner: lead", "ml/team.yaml:1:7  name  is 'tests'.")]
    [InlineData("name: ../ml\nowner: lead", "ml/team.yaml:1:7  name  is '../ml'.")]
    [InlineData("name: mⅼ\nowner: lead", "ml/team.yaml:1:7  name  is 'mⅼ'.")]
    [InlineData("name: web\nowner: lead", "ml/team.yaml:1:7  name  is 'web', and the folder is called 'ml'.  Give both the same name.")]
    [InlineData("name: ml\nowner: lead\nowners: x", "ml/team.yaml:3:1  owners  is not a known key.  Did you mean 'owner'?")]
    [InlineData("name: ml\nowner: lead\nactions: {}", "ml/team.yaml:3:10  actions  is ")]
    [InlineData("name: ml", "ml/team.yaml:1:1  owner  is missing.")]
    [InlineData("[]", "ml/team.yaml:1:1  The file is a list and must be a mapping.")]
    public void WrongFile_IsToldWithItsPlace(string text, string error)
    {
        var result = TeamFile.Read(new("ml", new("ml/team.yaml", text), null));

        result.Team.ShouldBeNull();
        result.Errors.Select(one => one.ToString()).ShouldContain(line => line.StartsWith(error, StringComparison.Ordinal), string.Join('\n', result.Errors));
    }

    [Fact]
    public void VeryLongName_IsRefusedAndShortened()
    {
        var name = new string('a', 41);

        TeamFile.Read(new(name, new("x/team.yaml", $"name: {name}\nowner: lead"), null)).Errors.ShouldHaveSingleItem().ToString().ShouldContain("Use at most 40 lower-case letters");
        TeamFile.Read(new(new('a', 5_000), new("x/team.yaml", "name: a\nowner: lead"), null)).Errors.ShouldHaveSingleItem().ToString().Length.ShouldBeLessThan(300);
    }

    [Theory]
    [InlineData("Team.yaml")]
    [InlineData("TEAM.YAML")]
    public void FileThatIsWrittenOtherwise_IsToldAndNotOverlooked(string name) =>
        TeamFile.Read(new("ml", new($"ml/{name}", "name: ml\nowner: lead"), null)).Errors.ShouldHaveSingleItem().ToString().ShouldBe($"ml/{name}:1:1  The file is called '{name}'.  Call it team.yaml.");

    [Fact]
    public void BrokenFilesOfATeam_KeepItsRunbooksAsTheyWere()
    {
        _catalog.Load([File("hung", Team), File("other")]);

        var result = _catalog.Load([File("hung", "name: ml", title: "changed"), File("other", title: "changed")]);
        result.Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("ml/team.yaml:1:1  owner  is missing.");
        (_catalog.Find("hung")!.Title, _catalog.Find("other")!.Title).ShouldBe(("usual", "changed"));

        _catalog.Load([File("hung", Team, "contacts: [", title: "changed"), File("other")]).Errors.ShouldHaveSingleItem().File.ShouldBe("ml/contacts.yaml");
        (_catalog.Find("hung")!.Title, _catalog.Find("other")!.Title).ShouldBe(("usual", "usual"));
    }

    [Fact]
    public void WhatIsDoubtfulInTheFile_IsWarnedOf() =>
        _catalog.Load([File("hung", Team.Replace("owner: lead", "owner: lead # \u00A0\nactions: [no*, \"per\u00A0son\"]", StringComparison.Ordinal).Replace("\nactions: [no*, person]", "", StringComparison.Ordinal))])
            .Warnings.Select(warning => (warning.File, warning.Line, warning.Code)).ShouldContain(("ml/team.yaml", 3, "no-break-space"));

    [Fact]
    public void FileOfATeamThatIsGone_IsNotKeptByABrokenOneOfAnother()
    {
        var web = File("broken", Team.Replace("ml", "web", StringComparison.Ordinal)) with { Name = "web/broken.yaml" };
        web = web with { Team = new("web", new("web/team.yaml", web.Team!.File.Text), web.Team.Contacts) };
        _catalog.Load([File("hung", Team), File("moved", Team), File("other"), web]);

        _catalog.Load([web with { Text = "id: [" }]).Kept.ShouldBe(["broken", "other"]);
        _catalog.Load([web with { Text = "id: [" }, File("hung", Team) with { Text = "id: [" }]).Kept.ShouldNotContain("moved");
    }

    [Fact]
    public void FileOfATeamThatIsGone_StaysWhileABrokenOneMayBeIt()
    {
        _catalog.Load([File("hung", Team), File("other")]);

        _catalog.Load([File("new-name", Team) with { Text = "id: [" }, File("other")]).Kept.ShouldBe(["hung"]);
        _catalog.Load([File("moved-up") with { Text = "id: [" }, File("other")]).Kept.ShouldBe(["hung"]);
    }

    [Fact]
    public void IdInTwoFolders_IsToldInBoth() =>
        _catalog.Load([File("hung", Team), File("hung")]).Errors.Select(error => error.ToString()).ShouldBe(
        [
            "ml/hung.yaml:1:5  id  'hung' is also the id of hung.yaml.  Give each runbook an id of its own.",
            "hung.yaml:1:5  id  'hung' is also the id of ml/hung.yaml.  Give each runbook an id of its own.",
        ]);

    private static RunbookFile File(string id, string? team = null, string contacts = Contacts, string title = "usual") => new(team is null ? $"{id}.yaml" : $"ml/{id}.yaml", $$$"""
        id: {{{id}}}
        title: {{{title}}}
        reportTo: lead
        trigger: [{ alert: {{{id}}} }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        diagnosis:
          broken: { ask: "Is it broken?", check: always, with: { finding: failing } }
        mitigation:
          approval: { ask: "Do it?", from: [OnCall, "group:sre", security], escalate: [{ after: 5m, to: lead }] }
          steps:
            tell: { do: note, with: { text: Hello. } }
            look: { do: person, with: { instruction: oncall, who: [oncall], escalate: [{ after: 5m, to: [lead] }] } }
        """)
    {
        Team = team is null ? null : new("ml", new("ml/team.yaml", team), new("ml/contacts.yaml", contacts)),
    };
}
