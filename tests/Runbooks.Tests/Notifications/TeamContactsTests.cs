using Runbooks.Catalog;
using Runbooks.Notifications;
using TestKit.People;

namespace Runbooks.Tests.Notifications;

/// <summary>Contacts of several files: whom each may name, and who is who in all of them.</summary>
public sealed class TeamContactsTests
{
    private const string Ada = "ada: { slackUser: U0ADA, onCallAs: A1, reach: [{ chat: D0ADA }] }";

    private const string Common = $$"""
        people:
          {{Ada}}
          linus: { reach: [{ chat: linus@example.com }] }
        rooms:
          all: { reach: [{ chat: C0ALL }] }
        contacts:
          oncall: [ada, all]
          rota: { rota: R1, fallback: linus }
          fallback: linus
        """;

    private const string Ml = """
        people:
          grace: { onCallAs: G1, reach: [{ chat: D0GRACE }] }
        rooms:
          ml-room: { reach: [{ chat: C0ML }] }
        groups:
          sre: { id: 99999999-2222-3333-4444-555555555555, reach: [{ chat: C0SRE }] }
        contacts:
          primary: [grace, ada]
          room: ml-room
          rota: { rota: R2, fallback: grace }
          duty: { rota: duty.ics, fallback: grace }
        """;

    [Fact]
    public void EachTeam_HasItsOwnBesideThoseOfAll()
    {
        var book = Read(Common, ("ml", Ml), ("web", "people: { alan: { reach: [{ chat: D0ALAN }] } }\ncontacts: { primary: alan, fallback: alan }")).Book.ShouldNotBeNull();

        Names(book, "ml.primary").ShouldBe(["grace", "ada"]);
        Names(book, "web.primary").ShouldBe(["alan"]);
        Names(book, "primary").ShouldBe(["linus"]);
        book.Missing(["primary", "ml.primary", "ml.group:sre", "group:sre"]).ShouldBe(["primary", "group:sre"]);
        (book.FallbackOf("ml.gone"), book.FallbackOf("web.gone"), book.FallbackOf("web.fallback"), book.FallbackOf("gone")).ShouldBe(("fallback", "web.fallback", "fallback", "fallback"));
        Names(book, "web.gone").ShouldBe(["alan"]);
        book.TryFind("ml.duty", out var duty).ShouldBeTrue();
        duty!.Schedule!.Id.ShouldBe("ml/duty.ics");
    }

    /// <summary>Who is on call in one team is nothing that the file of another shows.</summary>
    [Fact]
    public void CalendarOfAnotherTeam_IsAnError() =>
        Errors(("ml", Ml.Replace("duty.ics", "web/duty.ics", StringComparison.Ordinal))).ShouldHaveSingleItem()
            .ShouldStartWith("ml/contacts.yaml:11:17  contacts.duty.rota  names the calendar of another folder.");

    [Fact]
    public void CalendarByTheFolderOfItsOwnTeam_IsTaken()
    {
        Read(Common, ("ml", Ml.Replace("duty.ics", "ml/duty.ics", StringComparison.Ordinal))).Book.ShouldNotBeNull().TryFind("ml.duty", out var duty).ShouldBeTrue();
        duty!.Schedule!.Id.ShouldBe("ml/duty.ics");
    }

    [Fact]
    public void RoomWithoutMembers_IsThatOfTheFilesPeople()
    {
        var book = Read(Common, ("ml", Ml)).Book.ShouldNotBeNull();

        (book.Includes(["oncall"], "ada"), book.Includes(["oncall"], "grace")).ShouldBe((true, false));
        (book.Includes(["ml.room"], "grace"), book.Includes(["ml.room"], "linus")).ShouldBe((true, false));
        Errors(("ml", "rooms: { ml-room: { reach: [{ chat: C0 }] } }\ncontacts: { primary: ml-room }")).ShouldHaveSingleItem().ShouldStartWith("ml/contacts.yaml:1:10  rooms.ml-room  has no members, and there is nobody in this file.");
    }

    /// <summary>Otherwise a team could have somebody of its own be on call for all.</summary>
    [Fact]
    public void Schedule_MeansPeopleOfItsOwnFileAndTheCommonOne()
    {
        var book = Read(Common, ("ml", Ml), ("web", "people: { alan: { onCallAs: A1, reach: [{ chat: D0ALAN }] } }\ncontacts: { primary: alan }")).Book.ShouldNotBeNull();

        book.FindOnCall(["G1"], "rota").ShouldBeNull();
        book.FindOnCall(["G1"], "ml.rota")!.Name.ShouldBe("grace");
        book.FindOnCall(["A1"], "rota")!.Name.ShouldBe("ada");
        book.FindOnCall(["A1"], "ml.rota")!.Name.ShouldBe("ada");
        book.FindOnCall(["A1"], "web.rota").ShouldBeNull();
    }

    [Fact]
    public void PersonInTwoFiles_IsOnePersonIfTheyAreTheSameThere()
    {
        var book = Read(Common, ("ml", $$"""{ people: { {{Ada}} }, contacts: { primary: ada } }""")).Book.ShouldNotBeNull();

        book.RecipientsOf(["oncall", "ml.primary"]).Where(recipient => !recipient.IsRoom).Select(recipient => recipient.Name).Distinct().ShouldBe(["ada"]);
        book.FindPerson(Identity.Slack("U0ADA"))!.Name.ShouldBe("ada");
    }

    [Theory]
    [InlineData("ada: { reach: [{ chat: D0MALLORY }] }", "people.ada  is also in contacts.yaml, and not the same there.")]
    [InlineData("Ada: { slackUser: U0ADA, onCallAs: A1, reach: [{ chat: D0ADA }] }", "people.Ada  is also in contacts.yaml, and not the same there.")]
    [InlineData("mallory: { slackUser: U0ADA, reach: [{ chat: D0MALLORY }] }", "people.mallory  has the identity slack:U0ADA, which ada in contacts.yaml has too.")]
    [InlineData("all: { reach: [{ chat: D0MALLORY }] }", "people.all  is also in contacts.yaml, and not the same there.")]
    public void PersonWhoWouldBeTwo_IsAnError(string person, string error) =>
        Errors(("ml", $"people:\n  {person}\ncontacts: {{ primary: {person.Split(':')[0]} }}")).ShouldHaveSingleItem().ShouldStartWith($"ml/contacts.yaml:2:3  {error}");

    [Fact]
    public void WhatIsDoubtful_IsWarnedOf()
    {
        var result = Read(Common, ("ml", "people:\n  linus2: { reach: [{ chat: linus@example.com }] }\ncontacts:\n  oncall: linus2\n  fallback: linus2\n"));

        result.Errors.ShouldBeEmpty();
        result.Warnings.Select(warning => (warning.Code, warning.File, warning.Line)).ShouldBe([("person-twice", "ml/contacts.yaml", 2), ("contact-shadowed", "ml/contacts.yaml", 4)]);
        Read(Common, ("ml", "contacts: { oncall: [all, ada] }")).Warnings.ShouldBeEmpty();
    }

    [Fact]
    public void TeamThatNamesSomebodyOfAnother_IsToldAtItsPlace() =>
        Errors(("ml", Ml), ("web", "contacts: { primary: grace }")).ShouldHaveSingleItem().ShouldStartWith("web/contacts.yaml:1:22  contacts.primary  names 'grace', and there is no such person, room or group.");

    [Fact]
    public void GroupOfOneName_IsAnotherInEachTeam()
    {
        var book = Read(Common + "\ngroups: { sre: { id: 77777777-2222-3333-4444-555555555555, reach: [{ chat: C0ALL }] } }\n", ("ml", Ml.Replace("room: ml-room", "room: group:sre", StringComparison.Ordinal)),
            ("web", Ml.Replace("grace", "alan", StringComparison.Ordinal).Replace("G1", "G2", StringComparison.Ordinal).Replace("ml-room", "web-room", StringComparison.Ordinal).Replace("9999-", "9998-", StringComparison.Ordinal).Replace("fallback: alan", "fallback: group:sre", StringComparison.Ordinal))).Book.ShouldNotBeNull();

        var (ml, web) = (book.RecipientsOf(["ml.group:sre"]).Single(), book.RecipientsOf(["web.group:sre"]).Single());
        (ml.Name, web.Name, book.RecipientsOf(["group:sre"]).Single().Name).ShouldBe(("ml.group:sre", "web.group:sre", "group:sre"));
        ml.GroupId.ShouldNotBe(web.GroupId);
        Names(book, "ml.room").ShouldBe(["ml.group:sre"]);
        book.TryFind("web.rota", out var rota).ShouldBeTrue();
        rota!.Schedule!.Fallback.ShouldHaveSingleItem().GroupId.ShouldBe(web.GroupId);
        book.FindRoom(["ml.group:sre"], "web.group:sre").ShouldBeNull();
    }

    [Fact]
    public void GroupOfATeam_ThatIsAnotherThanTheCommonOneOfItsName_IsWarnedOf()
    {
        var common = Common + "\ngroups: { sre: { id: 99999999-2222-3333-4444-555555555555, reach: [{ chat: C0SRE }] } }\n";

        Read(common, ("ml", Ml)).Warnings.Select(warning => warning.Key).ShouldBe(["people.ada", "contacts.rota"]);
        Read(common, ("ml", Ml.Replace("9999-", "9998-", StringComparison.Ordinal))).Warnings.Select(warning => warning.Key).ShouldBe(["people.ada", "groups.sre", "contacts.rota"]);
    }

    [Fact]
    public void ContactsOfATeamWithoutThoseOfAll_AreAnErrorOnAHost() =>
        Reader.Read(new ContactFiles(null, [Team("ml", Ml)])).Errors.ShouldHaveSingleItem().ToString().ShouldStartWith("ml/contacts.yaml:1:1  There is no contacts.yaml of all");

    [Fact]
    public void WithoutTheCommonFile_OnlyWhatItDecidesIsLeftOut()
    {
        var contacts = Reader.Read(new ContactFiles(null, [Team("ml", "contacts: { primary: somebody, other: { rota: bad, fallback: x } }")]), withSettings: false);

        contacts.Book.ShouldBeNull();
        contacts.Errors.ShouldHaveSingleItem().ToString().ShouldContain("contacts.other.rota  cannot be used: it is bad.");
    }

    /// <summary>Kept as one text, so that a host that starts while one of them is broken goes on with all of them.</summary>
    [Fact]
    public void Files_AreKeptTogether()
    {
        var files = new ContactFiles(new("contacts.yaml", Common), [Team("ml", Ml), new("bare", new("bare/team.yaml", ""), null)]);

        var kept = ContactFiles.Unpack("contacts.yaml", files.Packed!);

        kept.Packed.ShouldBe(files.Packed);
        Names(Reader.Read(kept).Book!, "ml.primary").ShouldBe(["grace", "ada"]);
        ContactFiles.Unpack("contacts.yaml", Common).Teams.ShouldBeEmpty();
        var hostile = new ContactFiles(new("contacts.yaml", Common + "# x\u001Eml/contacts.yaml\n# y"), []);
        ContactFiles.Unpack("contacts.yaml", hostile.Packed!).Teams.ShouldBeEmpty();
    }

    private static ContactsFile Reader => new([new ScriptedChannel("chat")], [new ScriptedSchedule()], ApprovalOffice.Secrets());

    private static IReadOnlyList<string> Names(ContactBook book, string contact) => [.. book.RecipientsOf([contact]).Select(recipient => recipient.Name)];

    private static IReadOnlyList<string> Errors(params (string Team, string Text)[] teams) => [.. Read(Common, teams).Errors.Select(error => error.ToString())];

    private static ContactsResult Read(string common, params (string Team, string Text)[] teams) => Reader.Read(new ContactFiles(new("contacts.yaml", common), [.. teams.Select(team => Team(team.Team, team.Text))]));

    private static TeamFiles Team(string name, string contacts) => new(name, new($"{name}/team.yaml", ""), new($"{name}/contacts.yaml", contacts));
}
