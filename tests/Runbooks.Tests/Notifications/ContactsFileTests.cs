using Runbooks.Catalog.Problems;
using Runbooks.Notifications;
using TestKit.People;

namespace Runbooks.Tests.Notifications;

public sealed class ContactsFileTests
{
    private const string Good = """
        people:
          ada:
            slackUser: U0ADA
            signIn: [ada@example.com, 11111111-2222-3333-4444-555555555555]
            reach:
              - chat: D0ADA
              - pager: ${ADA_PAGER}
          grace:
            reach: [{ chat: D0GRACE }]
        rooms:
          ops-room:
            members: [ada]
            reach:
              - pager: ${OPS_URL}
        contacts:
          oncall: [ada, ops-room]
          fallback: grace
        tenant: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee
        groups:
          ml:
            id: 99999999-2222-3333-4444-555555555555
            reach: [{ chat: D0ML }]
        """;

    [Fact]
    public void GoodFile_GivesPeopleInTheOrderOfTheirChannels()
    {
        var book = Read(Good).Book.ShouldNotBeNull();

        book.TryFind("OnCall", out var oncall).ShouldBeTrue();
        oncall!.Recipients.Select(recipient => recipient.Name).ShouldBe(["ada", "ops-room"]);
        oncall.Recipients[0].Addresses.ShouldBe([new("chat", "D0ADA", "ada"), new("pager", "${ADA_PAGER}", "ada")]);
        book.FindPerson(Identity.Slack("U0ADA"))!.Name.ShouldBe("ada");
        book.FindPerson(Identity.SignIn("ADA@example.com"))!.Name.ShouldBe("ada");
        book.IsMember(oncall.Recipients[1], "ada").ShouldBeTrue();
        book.IsMember(oncall.Recipients[1], "grace").ShouldBeFalse();
    }

    /// <summary>Buttons go there, so whoever presses them has to be known.</summary>
    [Fact]
    public void SomebodysOwnUserInSlack_IsWhoTheyAre()
    {
        var book = new ContactsFile([new ScriptedChannel("slack")], [], ApprovalOffice.Secrets()).Read("c.yaml", """
            people:
              hal: { reach: [{ slack: U0HAL0001 }] }
              ida: { slackUser: U0IDA0001, reach: [{ slack: U0IDA0001 }] }
            rooms:
              ops: { reach: [{ slack: U0OPS0001 }] }
            contacts: { fallback: [hal, ida, ops] }
            """).Book.ShouldNotBeNull();

        book.FindPerson(Identity.Slack("U0HAL0001"))!.Name.ShouldBe("hal");
        book.FindPerson(Identity.Slack("U0IDA0001"))!.Identities.Count.ShouldBe(1);
        book.FindPerson(Identity.Slack("U0OPS0001")).ShouldBeNull("who a room is, is not known");
    }

    /// <summary>A deputy, or an account that is shared: what it proves is not known.</summary>
    [Theory]
    [InlineData("hal: { reach: [{ slack: U0ONE0001 }] }", null, 1)]
    [InlineData("hal: { slackUser: U0ONE0001, reach: [{ slack: D0HAL0001 }] }", "hal", 0)]
    [InlineData("hal: { slackUser: U0ONE0001, reach: [{ slack: U0ONE0001 }] }", "hal", 1)]
    public void UserInSlackWhomTwoPeopleHave_IsWhoeverSaysSoAndNobodyElse(string hal, string? who, int warnings)
    {
        const string Ida = "ida: { reach: [{ slack: U0ONE0001 }] }";
        var reader = new ContactsFile([new ScriptedChannel("slack")], [], ApprovalOffice.Secrets());
        var one = reader.Read("c.yaml", $"people:\n  {hal}\n  {Ida}\ncontacts: {{ fallback: [hal, ida] }}\n");
        var two = reader.Read(new ContactFiles(
            new("contacts.yaml", $"people:\n  {Ida}\ncontacts: {{ fallback: ida }}\n"),
            [new("ml", new("ml/team.yaml", ""), new("ml/contacts.yaml", $"people:\n  {hal}\ncontacts: {{ primary: [hal, ida] }}\n"))]));

        foreach (var read in new[] { one, two })
        {
            read.Errors.ShouldBeEmpty();
            read.Book.ShouldNotBeNull().FindPerson(Identity.Slack("U0ONE0001"))?.Name.ShouldBe(who);
            (read.Book!.FindPerson(Identity.Slack("U0ONE0001")) is null).ShouldBe(who is null);
            read.Warnings.Select(warning => warning.Code).ShouldBe(Enumerable.Repeat("pager-shared", warnings));
        }
    }

    /// <summary>Of a schedule and of a group the file does not tell who they are.</summary>
    [Fact]
    public void WhoIsBehindAContact_IsKnownWhereTheFileNamesThemAll()
    {
        var text = Good.Replace("members: [ada]", "members: [ada, grace]", StringComparison.Ordinal)
            .Replace("contacts:", "  hall:\n    reach: [{ chat: D0HALL }]\ncontacts:\n  shift: { rota: R1, fallback: grace }\n  experts: [ada, group:ml]\n  anybody: [ada, hall]", StringComparison.Ordinal);

        var people = Read(text).Book.ShouldNotBeNull().Known([]).People;

        people.Keys.ShouldBe(["oncall", "fallback", "anybody"], ignoreOrder: true);
        people["OnCall"].ShouldBe(["ada", "ada", "grace"]);
        people["anybody"].ShouldBe(["ada", "ada", "grace"], "a room that names nobody is everybody's");
    }

    [Fact]
    public void ObjectId_IsOfTheFilesTenantOrOfTheOneWrittenWithIt()
    {
        var book = Read(Good).Book.ShouldNotBeNull();
        book.FindSignedIn(new("AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee/11111111-2222-3333-4444-555555555555", "?"))!.Name.ShouldBe("ada");
        book.FindSignedIn(new("bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee/11111111-2222-3333-4444-555555555555", "ada@example.com")).ShouldBeNull();

        var other = Read(Good.Replace("[ada@example.com, 11111111", "[ada@example.com, bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee/11111111", StringComparison.Ordinal)).Book.ShouldNotBeNull();
        other.FindSignedIn(new("bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee/11111111-2222-3333-4444-555555555555", "?"))!.Name.ShouldBe("ada");
    }

    [Fact]
    public void UserNameAlone_IsWarnedOf()
    {
        Read(Good).Warnings.ShouldBeEmpty();
        Read(Good.Replace(", 11111111-2222-3333-4444-555555555555]", "]", StringComparison.Ordinal)).Warnings.ShouldHaveSingleItem().ToString().ShouldContain("people.ada.signIn  has user names only");
    }

    [Fact]
    public void SlackUserWithoutAnObjectIdBesideAGroup_IsWarnedOf()
    {
        var unproven = Good.Replace("    signIn: [ada@example.com, 11111111-2222-3333-4444-555555555555]\n", "", StringComparison.Ordinal);

        Read(unproven).Warnings.ShouldHaveSingleItem().ShouldSatisfyAllConditions(warning => warning.Code.ShouldBe("person-unproven"), warning => warning.Key.ShouldBe("people.ada"));
        Read(unproven[..unproven.IndexOf("groups:", StringComparison.Ordinal)]).Warnings.ShouldBeEmpty();
    }

    [Fact]
    public void Group_IsAContactThatIsReachedAndHasNoMembersOfTheFile()
    {
        var book = Read(Good).Book.ShouldNotBeNull();

        book.RecipientsOf(["group:ml"]).ShouldHaveSingleItem().Addresses.ShouldBe([new("chat", "D0ML", "group:ml")]);
        book.Includes(["group:ml"], "ada").ShouldBeFalse();
        book.IncludesGroupOf(["group:ml"], new("t/o", "kay") { Groups = ["99999999-2222-3333-4444-555555555555"] }).ShouldBeTrue();
    }

    [Theory]
    [InlineData("tenant: aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "", "people.ada.signIn[1]  is an object id without its tenant.  Add 'tenant:'")]
    [InlineData("tenant: aaaaaaaa", "tenant: contoso", "tenant  is not a tenant's id.")]
    [InlineData("id: 99999999-", "id: ml-team-", "groups.ml.id  is not an object id.")]
    [InlineData("oncall: [ada, ops-room]", "oncall: [ada, group:mk]", "contacts.oncall[1]  names 'group:mk', and there is no such person, room or group.  Did you mean 'group:ml'?")]
    [InlineData("fallback: grace", "oncall2: grace", "c.yaml:15:1  contacts  has no 'fallback'.")]
    [InlineData("chat: D0ADA", "chaat: D0ADA", "c.yaml:6:9  people.ada.reach[0].chaat  is not a known key.  Did you mean 'chat'?")]
    [InlineData("pager: ${ADA_PAGER}", "pager: https://hooks.example/abc", "c.yaml:7:16  people.ada.reach[1].pager  is a secret written out")]
    [InlineData("${ADA_PAGER}", "${ADA_PAGE}", "people.ada.reach[1].pager  refers to the setting ADA_PAGE, which has no value.  Set ADA_PAGE")]
    [InlineData("D0ADA", "bad", "c.yaml:6:15  people.ada.reach[0].chat  cannot be used: no such place.")]
    [InlineData("members: [ada]", "members: [adda]", "rooms.ops-room.members  names 'adda', and there is no such person.  Did you mean 'ada'?")]
    [InlineData("oncall: [ada, ops-room]", "oncall: [ada, opsroom]", "contacts.oncall[1]  names 'opsroom', and there is no such person, room or group.  Did you mean 'ops-room'?")]
    [InlineData("slackUser: U0ADA", "slackUser: Wanda", "c.yaml:3:16  people.ada.slackUser  has 'Wanda', which is no user's id.  Write the id (U012AB3CD")]
    [InlineData("slackUser: U0ADA", "slackUser: C0OPS", "people.ada.slackUser  has 'C0OPS', which is no user's id.")]
    [InlineData("slackUser: U0ADA", "slack: U0ADA", "c.yaml:3:5  people.ada.slack  is not a known key.")]
    [InlineData("people:", "people: 3\nfolks:", "people  is '3' and must be a mapping with at least one name.")]
    [InlineData("ops-room:\n    members", "ada:\n    members", "rooms.ada  is there twice.")]
    public void BrokenFile_IsToldByPlaceAndRemedy(string good, string broken, string error)
    {
        var result = Read(Good.Replace(good, broken, StringComparison.Ordinal));

        result.Book.ShouldBeNull();
        result.Errors.Select(e => e.ToString()).ShouldContain(line => line.Contains(error, StringComparison.Ordinal), string.Join('\n', result.Errors));
    }

    [Fact]
    public void Schedule_IsAContactThatNobodyIsBehindUntilItIsAsked()
    {
        var book = Read(Good.Replace("oncall: [ada, ops-room]", "oncall: { rota: R1, fallback: [grace, ops-room], timeZone: Europe/Berlin, mailUnknown: true }", StringComparison.Ordinal)
            .Replace("    reach: [{ chat: D0GRACE }]", "    onCallAs: PGRACE1\n    reach: [{ chat: D0GRACE }]", StringComparison.Ordinal)).Book.ShouldNotBeNull();

        book.TryFind("oncall", out var oncall).ShouldBeTrue();
        oncall!.Recipients.ShouldBeEmpty();
        oncall.Schedule!.ShouldSatisfyAllConditions(
            schedule => (schedule.Kind, schedule.Id, schedule.TimeZone, schedule.MailUnknown).ShouldBe(("rota", "R1", "Europe/Berlin", true)),
            schedule => schedule.Fallback.Select(recipient => recipient.Name).ShouldBe(["grace", "ops-room"]));
        book.FindOnCall(["pgrace1"], "oncall")!.Name.ShouldBe("grace");
        book.FindOnCall(["nobody", "ADA@example.com"], "oncall")!.Name.ShouldBe("ada");
        book.FindOnCall(["ada"], "oncall")!.Name.ShouldBe("ada");
        book.FindOnCall(["U0ADA"], "oncall").ShouldBeNull();
    }

    [Fact]
    public void AddressOfTwoPeople_MeansNeither()
    {
        var book = Read(Good.Replace("chat: D0GRACE", "chat: team@example.com", StringComparison.Ordinal).Replace("chat: D0ADA", "chat: team@example.com", StringComparison.Ordinal)).Book.ShouldNotBeNull();

        book.FindOnCall(["team@example.com"], "oncall").ShouldBeNull();
    }

    [Theory]
    [InlineData("{ fallback: grace }", "c.yaml:16:11  contacts.oncall  names no schedule.  Write one of: rota: the schedule's id.")]
    [InlineData("{ rota: bad, fallback: grace }", "c.yaml:16:19  contacts.oncall.rota  cannot be used: it is bad.  Write the schedule's id.")]
    [InlineData("{ rota: R1, fallback: gracie }", "contacts.oncall.fallback  names 'gracie', and there is no such person, room or group.  Did you mean 'grace'?")]
    [InlineData("{ rota: R1, fallback: grace, timezone: UTC }", "contacts.oncall.timezone  is not a known key.  Did you mean 'timeZone'?")]
    [InlineData("{ rota: R1, fallback: grace, timeZone: Europe/Berln }", "contacts.oncall.timeZone  is no time zone.  Write an IANA name")]
    public void BrokenSchedule_IsToldByPlaceAndRemedy(string written, string error) => BrokenFile_IsToldByPlaceAndRemedy("[ada, ops-room]", written, error);

    [Fact]
    public void ScheduleWithoutAFallback_IsWarnedOfAndIsNoLastInLine()
    {
        Read(Good.Replace("[ada, ops-room]", "{ rota: R1 }", StringComparison.Ordinal)).Warnings.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            warning => warning.Code.ShouldBe("schedule-without-fallback"), warning => (warning.Line, warning.Column).ShouldBe((16, 11)));
        Read(Good.Replace("fallback: grace", "fallback: { rota: R1 }", StringComparison.Ordinal)).Errors.ShouldHaveSingleItem().ToString().ShouldContain("contacts.fallback.fallback  is missing.  Nobody comes after the contact 'fallback'");
    }

    /// <summary>They count as two, and a schedule that gives the address means neither.</summary>
    [Fact]
    public void AddressOfTwoNames_IsWarnedOf() =>
        Read(Good.Replace("D0GRACE", "ADA@example.com", StringComparison.Ordinal)).Warnings.ShouldHaveSingleItem().ShouldSatisfyAllConditions(
                warning => warning.Code.ShouldBe("person-twice"), warning => warning.ToString().ShouldContain("people.grace  has the mail address ada@example.com, as ada has."));

    /// <summary>A chat takes every message while its reader sleeps.</summary>
    [Fact]
    public void WhatRingsBehindWhatDoesNot_IsWarnedOf() =>
        new ContactsFile([new Chat(), new ScriptedChannel("pager") { AddressIsSecret = true, Rings = true }], [new ScriptedSchedule()], ApprovalOffice.Secrets(("ADA_PAGER", "k"), ("OPS_URL", "https://ops")))
            .Read("c.yaml", Good).Warnings.ShouldHaveSingleItem().ToString()
            .ShouldContain("people.ada.reach  has pager behind chat: it calls nobody up while that takes messages, also when nobody reads them.  Put pager first");

    /// <summary>Whoever is on call there is called, with the card of whichever of them came first.</summary>
    [Fact]
    public void TwoPeopleWhomOneAlertCalls_AreWarnedOf()
    {
        var shared = Good.Replace("      - chat: D0ADA\n", "", StringComparison.Ordinal).Replace("[{ chat: D0GRACE }]", "[{ pager: \"${ADA_PAGER}\" }]", StringComparison.Ordinal);

        Warnings(shared).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            warning => warning.Code.ShouldBe("pager-shared"), warning => warning.ToString().ShouldContain("people.grace.reach  has the same pager address as ada: an alert for one may call the other."));
        Warnings(shared, rings: false).ShouldHaveSingleItem().ToString().ShouldContain("people.grace.reach  has the same pager address as ada: whoever reads there can answer as either.");
        Warnings(shared.Replace("ADA_PAGER}\"", "OPS_URL}\"", StringComparison.Ordinal)).ShouldBeEmpty("a room is no person");

        static IReadOnlyList<CatalogError> Warnings(string text, bool rings = true) =>
            new ContactsFile([new Chat(), new ScriptedChannel("pager") { AddressIsSecret = true, Rings = rings }], [new ScriptedSchedule()], ApprovalOffice.Secrets(("ADA_PAGER", "k"), ("OPS_URL", "https://ops")))
                .Read("c.yaml", text).Warnings;
    }

    [Theory]
    [InlineData("D0GRACE", 0)]
    [InlineData("room", 1)]
    public void PersonWhoseAddressIsAChannel_IsWarnedOf(string address, int warnings) =>
        Read(Good.Replace("D0GRACE", address, StringComparison.Ordinal)).Warnings.Count(warning => warning.Code == "pager-shared" && warning.Key == "people.grace.reach").ShouldBe(warnings);

    [Fact]
    public void SecretValue_StandsInNoError()
    {
        var result = Read(Good.Replace("${OPS_URL}", "${BAD_URL}", StringComparison.Ordinal));

        result.Errors.ShouldHaveSingleItem().ToString().ShouldNotContain("bad-secret");
    }

    [Theory]
    [InlineData("${ADA_PAGER}", "${NOWHERE}", 0)]
    [InlineData("${ADA_PAGER}", "written-out", 1)]
    [InlineData("D0ADA", "bad", 1)]
    public void WithoutTheHostsSettings_OnlyWhatTheyDecideIsLeftOut(string good, string changed, int errors)
    {
        var text = Good.Replace(good, changed, StringComparison.Ordinal);

        new ContactsFile([new Chat { ConfigurationError = "no token." }, new ScriptedChannel("pager") { AddressIsSecret = true }], [new ScriptedSchedule()], ApprovalOffice.Secrets())
            .Read("c.yaml", text, withSettings: false).Errors.Count.ShouldBe(errors);
    }

    [Fact]
    public void ChannelThatIsNotSetUp_IsToldWhereItIsUsed() =>
        new ContactsFile([new Chat { ConfigurationError = "Slack has no token." }, new ScriptedChannel("pager") { AddressIsSecret = true }], [new ScriptedSchedule()], ApprovalOffice.Secrets(("ADA_PAGER", "k"), ("OPS_URL", "https://ops")))
            .Read("c.yaml", Good).Errors.Select(error => error.ToString())
            .ShouldBe(["c.yaml:6:15  people.ada.reach[0].chat  cannot be used: Slack has no token.", "c.yaml:9:21  people.grace.reach[0].chat  cannot be used: Slack has no token.", "c.yaml:22:21  groups.ml.reach[0].chat  cannot be used: Slack has no token."]);

    [Fact]
    public void AllErrors_AreToldAtOnce() =>
        Read(Good.Replace("D0ADA", "bad", StringComparison.Ordinal).Replace("[ada]", "[x]", StringComparison.Ordinal).Replace("fallback", "other", StringComparison.Ordinal))
            .Errors.Count.ShouldBe(3);

    private static ContactsResult Read(string text) => new ContactsFile(
        [new Chat(), new ScriptedChannel("pager") { AddressIsSecret = true }], [new ScriptedSchedule()],
        ApprovalOffice.Secrets(("ADA_PAGER", "k"), ("OPS_URL", "https://ops"), ("BAD_URL", ""))).Read("c.yaml", text);

    private sealed class Chat : INotifier
    {
        public string Channel => "chat";

        public string? ConfigurationError { get; init; }

        public string? ValidateAddress(string to) => to == "bad" ? "no such place." : null;

        public bool IsRoom(string to) => to == "room";

        public Task<Receipt> SendAsync(Card card, Address to, CancellationToken cancellationToken) => Task.FromResult<Receipt>(null);
    }
}
