using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Runbooks.Catalog;
using Runbooks.Notifications;
using Runbooks.Storage;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Notifications;

public sealed class ContactsReloadTests : IDisposable
{
    private readonly ListLogger _log = new();
    private readonly CurrentContacts _contacts = new(People.Book);
    private readonly ContactsReload _reload;

    public ContactsReloadTests() => _reload = new(
        new ContactsFile([new ScriptedChannel("chat")], [], ApprovalOffice.Secrets()), _contacts, new FileVersions(new InMemorySharedState()), _log.CreateLogger<ContactsReload>());

    [Fact]
    public void ChangedFile_ReplacesTheBook()
    {
        _reload.Take(new("c.yaml", File("newcomer")));

        _contacts.Book.FindPerson("newcomer").ShouldNotBeNull();
        _contacts.Book.FindPerson("ada").ShouldBeNull();
    }

    [Fact]
    public void BrokenFile_LeavesTheOldBookAndTellsEveryErrorOnce()
    {
        var broken = new RunbookFile("c.yaml", File("newcomer").Replace("chat", "fax", StringComparison.Ordinal));

        _reload.Take(broken);
        _reload.Take(broken);

        _contacts.Book.ShouldBeSameAs(People.Book);
        _log.Lines.Count(line => line.StartsWith("Error: Contacts are not taken over: c.yaml:2:25  people.newcomer.reach[0].fax", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public void MendedFile_IsTakenAfterAll()
    {
        _reload.Take(new("c.yaml", "nonsense"));

        _reload.Take(new("c.yaml", File("newcomer")));

        _contacts.Book.FindPerson("newcomer").ShouldNotBeNull();
    }

    [Fact]
    public void FilesOfTeams_StayWhileTheCommonOneChangesAndTheOtherWayRound()
    {
        _reload.Take(new RunbookFile("c.yaml", File("newcomer")), [Team("primary")]);

        _reload.Take(new("c.yaml", File("another")));
        (_contacts.Book.RecipientsOf(["ml.primary"]).Single().Name, _contacts.Book.FindPerson("another") is null).ShouldBe(("grace", false));

        _reload.TakeTeams([Team("second")]);
        (_contacts.Book.Missing(["ml.primary", "ml.second"]).Single(), _contacts.Book.FindPerson("another") is null).ShouldBe(("ml.primary", false));

        // One that is broken leaves all as they were.
        _reload.TakeTeams([Team("a b")]);
        _contacts.Book.Missing(["ml.second"]).ShouldBeEmpty();
        _log.Lines.ShouldContain(line => line.Contains("ml/contacts.yaml:3:", StringComparison.Ordinal));

        static TeamFiles Team(string contact) => new("ml", new("ml/team.yaml", ""), new("ml/contacts.yaml", $"people:\n  grace: {{ reach: [{{ chat: C1 }}] }}\ncontacts: {{ {contact}: grace }}\n"));
    }

    /// <summary>However long a team's file stays broken, whoever has left decides nothing more.</summary>
    [Theory]
    [InlineData("people: [")]
    [InlineData("people: { newcomer: { reach: [{ chat: C9 }] } }\ncontacts: { primary: newcomer }\n")]
    public void PersonWhoIsTakenOut_IsGoneThoughTheFileOfATeamIsBroken(string broken)
    {
        _reload.Take(new RunbookFile("c.yaml", File("mallory")), [Team("ml", "grace"), Team("web", "alan")]);

        _reload.Take(new RunbookFile("c.yaml", File("newcomer")), [Team("ml", broken: broken), Team("web", "gwen")]);

        (_contacts.Book.FindPerson("mallory"), _contacts.Book.FindPerson("alan")).ShouldBe((null, null));
        _contacts.Book.RecipientsOf(["fallback", "ml.primary", "web.primary"]).Select(one => one.Name).ShouldBe(["newcomer", "grace", "gwen"]);

        _reload.Take(new RunbookFile("c.yaml", File("another")), [Team("ml", broken: broken), Team("web", "gwen")]);
        _contacts.Book.RecipientsOf(["fallback", "ml.primary"]).Select(one => one.Name).ShouldBe(["another", broken.Contains("newcomer", StringComparison.Ordinal) ? "newcomer" : "grace"]);

        _reload.Take(new RunbookFile("c.yaml", File("another")), [Team("ml", "kay"), Team("web", "gwen")]);
        _contacts.Book.RecipientsOf(["ml.primary"]).Single().Name.ShouldBe("kay");
    }

    /// <summary>What a team said before may name somebody who is gone: then nobody of it is asked, and not somebody whom nobody knows.</summary>
    [Fact]
    public void TeamThatNamesWhoeverIsTakenOut_IsAnsweredForByTheFallbackOfAll()
    {
        var ml = Team("ml", broken: "people: { grace: { reach: [{ chat: grace }] } }\ncontacts: { primary: [grace, mallory] }\n");
        _reload.Take(new RunbookFile("c.yaml", File("mallory")), [ml]);
        _contacts.Book.Includes(["ml.primary"], "mallory").ShouldBeTrue();

        _reload.Take(new RunbookFile("c.yaml", File("newcomer")), [ml]);

        _contacts.Book.FindPerson("mallory").ShouldBeNull();
        _contacts.Book.RecipientsOf(["ml.primary"]).Single().Name.ShouldBe("newcomer");
        _log.Lines.ShouldContain(line => line.Contains("No contacts of the team ml are in force", StringComparison.Ordinal));
    }

    /// <summary>A team that takes somebody's name must not put the contacts of theirs out of force.</summary>
    [Fact]
    public void FileThatDoesNotFitAnothers_IsTheOneThatIsNotTakenOver()
    {
        _reload.Take(new RunbookFile("c.yaml", File("newcomer")), [Team("ml", "grace"), Team("web", "alan")]);

        _reload.Take(new RunbookFile("c.yaml", File("another")), [Team("ml", broken: "people: { alan: { reach: [{ chat: C9 }] } }\ncontacts: { primary: alan }\n"), Team("web", "alan")]);

        _contacts.Book.RecipientsOf(["fallback", "ml.primary", "web.primary"]).Select(one => one.Name).ShouldBe(["another", "grace", "alan"]);
    }

    [Fact]
    public void FileThatIsGone_LeavesTheOldBookAndSaysSo()
    {
        _reload.Take(new("c.yaml", File("newcomer")));

        _reload.Take(null);

        _contacts.Book.FindPerson("newcomer").ShouldNotBeNull();
        _log.Lines.ShouldContain("Error: Contacts are not taken over: contacts.yaml is gone. Put it back.");
    }

    [Fact]
    public void FileThatIsGoneAtTheFirstChange_IsSaidToo()
    {
        var started = new ContactFiles(new("c.yaml", File("newcomer")), []);
        var reader = new ContactsFile([new ScriptedChannel("chat")], [], ApprovalOffice.Secrets());
        var (contacts, versions) = (new CurrentContacts(reader.Read(started).Book!), new FileVersions(new InMemorySharedState()));

        new ContactsReload(reader, contacts, versions, _log.CreateLogger<ContactsReload>(), started).Take(null);

        contacts.Book.FindPerson("newcomer").ShouldNotBeNull();
        versions.Known.Single().Value.Errors.ShouldBe(["contacts.yaml is gone. Put it back."]);
        _log.Lines.ShouldContain("Error: Contacts are not taken over: contacts.yaml is gone. Put it back.");
    }

    [Fact]
    public async Task BrokenFileAtTheStart_ThoseThatWereInForceLastAreAsked()
    {
        var state = new InMemorySharedState();
        Should.Throw<ContactsException>(() => Start(state, "nonsense"));

        await using (var first = Host(state, File("newcomer")))
        {
            first.GetRequiredService<ContactBook>().FindPerson("newcomer").ShouldNotBeNull();
            await first.GetRequiredService<FileVersions>().SaveAsync(TestContext.Current.CancellationToken);
        }

        Start(state, "nonsense").FindPerson("newcomer").ShouldNotBeNull();

        // Whoever is taken out while a team's file is broken does not come back with a restart.
        var late = Start(state, File("another"), Team("ml", broken: "people: ["));
        (late.FindPerson("newcomer"), late.FindPerson("another")?.Name).ShouldBe((null, "another"));

        static ContactBook Start(InMemorySharedState state, string text, params TeamFiles[] teams)
        {
            using var host = Host(state, text, teams);
            return host.GetRequiredService<ContactBook>();
        }

        static ServiceProvider Host(InMemorySharedState state, string text, params TeamFiles[] teams) => new ServiceCollection()
            .AddLogging()
            .AddSingleton<INotifier>(new ScriptedChannel("chat"))
            .AddSingleton(ApprovalOffice.Secrets())
            .AddSingleton(new FileVersions(state))
            .AddContacts(_ => new ContactFiles(new RunbookFile("c.yaml", text), teams))
            .BuildServiceProvider();
    }

    /// <summary>A secret that was disabled takes one channel away, and not everybody who is reached on others.</summary>
    [Fact]
    public async Task ChannelThatCannotBeUsedAnyMoreAtTheStart_LeavesTheContactsInForceAndIsTold()
    {
        var (state, channel) = (new InMemorySharedState(), new ScriptedChannel("chat"));
        await using (var first = Host(state, channel))
        {
            first.GetRequiredService<ContactBook>().FindPerson("newcomer").ShouldNotBeNull();
            await first.GetRequiredService<FileVersions>().SaveAsync(TestContext.Current.CancellationToken);
        }

        channel.ConfigurationError = "it has no token.";

        await using var second = Host(state, channel);
        second.GetRequiredService<ContactBook>().FindPerson("newcomer").ShouldNotBeNull();
        second.GetRequiredService<FileVersions>().Known.Single().Value.Errors.ShouldHaveSingleItem().ShouldContain("it has no token.");
        Should.Throw<ContactsException>(() => Host(new InMemorySharedState(), channel).GetRequiredService<ContactBook>());

        static ServiceProvider Host(InMemorySharedState state, INotifier channel) => new ServiceCollection()
            .AddLogging()
            .AddSingleton(channel)
            .AddSingleton(ApprovalOffice.Secrets())
            .AddSingleton(new FileVersions(state))
            .AddContacts(_ => new ContactFiles(new RunbookFile("c.yaml", File("newcomer")), []))
            .BuildServiceProvider();
    }

    [Fact]
    public void ContactsOfATeamWithoutThoseOfAll_AreToldAndNobodyIsInForce()
    {
        using var host = new ServiceCollection()
            .AddLogging()
            .AddSingleton<INotifier>(new ScriptedChannel("chat"))
            .AddSingleton(ApprovalOffice.Secrets())
            .AddSingleton(new FileVersions(new InMemorySharedState()))
            .AddContacts(_ => new ContactFiles(null, [new("ml", new("ml/team.yaml", ""), new("ml/contacts.yaml", File("newcomer")))]))
            .BuildServiceProvider();

        host.GetRequiredService<ContactBook>().Names.ShouldBeEmpty();
        host.GetRequiredService<FileVersions>().Known.Single().Value.Errors.ShouldHaveSingleItem().ShouldStartWith("ml/contacts.yaml:1:1  There is no contacts.yaml of all");
    }

    public void Dispose() => _log.Dispose();

    private static TeamFiles Team(string name, string person = "", string? broken = null) =>
        new(name, new($"{name}/team.yaml", ""), new($"{name}/contacts.yaml", broken ?? $"people: {{ {person}: {{ reach: [{{ chat: {person} }}] }} }}\ncontacts: {{ primary: {person} }}\n"));

    private static string File(string person) => $$"""
        people:
          {{person}}: { reach: [{ chat: C0 }] }
        contacts: { fallback: {{person}} }
        """;
}
