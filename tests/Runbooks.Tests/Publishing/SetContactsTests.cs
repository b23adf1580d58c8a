using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Model.Definition;
using Runbooks.Notifications;
using Runbooks.Publishing;
using Runbooks.Storage;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Tests.Publishing;

/// <summary>Contacts and runbooks of a set belong together: what a runbook's names mean is never read of contacts that are not in force.</summary>
public sealed class SetContactsTests : IDisposable
{
    private const string Common = "people:\n  linus: { reach: [{ chat: linus }] }\ncontacts: { fallback: linus }\n";
    private const string Broken = "people: [";

    private readonly string _folder = Directory.CreateTempSubdirectory("published-").FullName;
    private readonly InMemorySharedState _state = new();
    private readonly ListLogger _log = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));

    /// <summary>The contacts of all, where they stand beside the settings.</summary>
    private RunbookFile? _other;

    public SetContactsTests()
    {
        Write("contacts.yaml", Common);
        AddTeam("ml", "grace");
        AddTeam("web", "alan");
        AddTeam("ops", "ada");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunbooksOfATeamWhoseContactsAreRefused_StayAsTheyWere()
    {
        using var host = await HostAsync();
        host.Asked("ml").ShouldBe("ml.primary usual");
        Write("ml/contacts.yaml", Contacts("grace", "second: grice"));
        Write("web/contacts.yaml", Contacts("alan", "second: alan"));
        Write("ml/duty.ics", "another");
        Write("ops/duty.ics", "another");
        foreach (var team in (string[])["ml", "web", "ops"])
        {
            Write($"{team}/stuck.yaml", Runbook(team, team == "ops" ? "primary" : "second", "changed"));
        }

        await host.LookAsync();

        host.Book.Missing(["ml.primary", "web.second"]).ShouldBeEmpty();
        (host.Asked("ml"), host.Asked("web"), host.Asked("ops")).ShouldBe(("ml.primary usual", "web.second changed", "ops.primary changed"));
        (host.Status.FindCalendar("ml/duty.ics"), host.Status.FindCalendar("ops/duty.ics")).ShouldBe(("usual", "another"));
        _log.Lines.ShouldContain(line => line.Contains("ml/contacts.yaml:3:21  contacts.second  names 'grice'", StringComparison.Ordinal));
        _log.Lines.ShouldContain(line => line.Contains("ml/contacts.yaml:1:1  The team's contacts as they are now are not in force", StringComparison.Ordinal));
        await host.Get<FileVersions>().SaveAsync(Cancel);
        using (var late = await HostAsync())
        {
            late.Book.Missing(["ml.primary", "web.second"]).ShouldBeEmpty();
            (late.Asked("ml"), late.Asked("web"), late.Asked("ops")).ShouldBe(("ml.primary usual", "web.second changed", "ops.primary changed"));
        }

        Write("ml/contacts.yaml", Contacts("grace", "second: grace"));
        await host.LookAsync();

        (host.Asked("ml"), host.Asked("web"), host.Status.FindCalendar("ml/duty.ics")).ShouldBe(("ml.second changed", "web.second changed", "another"));
    }

    [Fact]
    public async Task Contacts_AreThereBeforeTheRunbooksThatNameThem()
    {
        using var host = await HostAsync();
        Write("ml/contacts.yaml", Contacts("grace", "second: grace"));
        Write("ml/stuck.yaml", Runbook("ml", "second", "changed"));

        await host.LookAsync();

        var lines = _log.Lines.ToList();
        lines.FindIndex(line => line.Contains("The contacts of contacts.yaml are in force", StringComparison.Ordinal))
            .ShouldBeInRange(0, lines.FindIndex(line => line.Contains("ml-stuck changed", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task GoodSet_IsTakenThoughContactsBesideTheSettingsAreBroken()
    {
        File.Delete(Path.Combine(_folder, "contacts.yaml"));
        _other = new("settings/contacts.yaml", Common);
        await PublishAsync();
        using var host = await HostAsync();
        await host.Get<FileVersions>().SaveAsync(Cancel);
        foreach (var (other, contact) in ((RunbookFile?, string)[])[(new("settings/contacts.yaml", Broken), "second"), (null, "third")])
        {
            _other = other;
            host.Get<ContactsReload>().Take(other);
            Write("ml/contacts.yaml", Contacts("grace", $"{contact}: grace"));
            Write("ml/stuck.yaml", Runbook("ml", contact, contact));
            var publication = await PublishAsync();

            await host.LookAsync();

            (host.Status.InForce, host.Status.Refused, host.Asked("ml")).ShouldBe((publication, null, $"ml.{contact} {contact}"));
            host.Book.Missing([$"ml.{contact}"]).ShouldBeEmpty();
        }

        _other = new("settings/contacts.yaml", Broken);
        Write("ml/contacts.yaml", Contacts("grace", "fourth: grace"));
        Write("ml/stuck.yaml", Runbook("ml", "fourth", "fourth"));
        var newest = await PublishAsync();
        using var late = await HostAsync();
        (late.Status.InForce, late.Asked("ml"), late.Book.FindPerson("linus")?.Name).ShouldBe((newest, "ml.fourth fourth", "linus"));
        late.Book.Missing(["ml.fourth"]).ShouldBeEmpty();
    }

    [Fact]
    public async Task SetThatNeedsContactsBesideTheSettings_IsTakenOnceTheyAreThere()
    {
        File.Delete(Path.Combine(_folder, "contacts.yaml"));
        _other = new("settings/contacts.yaml", Common);
        var first = await PublishAsync();
        using var host = await HostAsync();
        await host.Get<FileVersions>().SaveAsync(Cancel);
        Write("ml/contacts.yaml", Contacts("grace", "second: kay"));
        Write("ml/stuck.yaml", Runbook("ml", "second", "changed"));
        var second = await PublishAsync();

        await host.LookAsync();
        (host.Status.InForce, host.Status.Refused!.Publication, host.Asked("ml")).ShouldBe((first, second, "ml.primary usual"));

        // What the set needs may be in the broken file, so nothing is wrong with the set by itself.
        _other = new("settings/contacts.yaml", Broken);
        using var late = await HostAsync();
        (late.Status.InForce, late.Status.Refused!.Publication, late.Asked("ml")).ShouldBe((null, second, "ml.primary usual"));
        late.Book.Missing(["ml.primary"]).ShouldBeEmpty();

        _other = new("settings/contacts.yaml", Common.Replace("contacts:", "  kay: { reach: [{ chat: kay }] }\ncontacts:", StringComparison.Ordinal));
        foreach (var one in (Host[])[host, late])
        {
            one.Get<ContactsReload>().Take(_other);
            await one.LookAsync();
            (one.Status.InForce, one.Status.Refused, one.Asked("ml")).ShouldBe((second, null, "ml.second changed"));
            one.Book.RecipientsOf(["ml.second"]).Single().Name.ShouldBe("kay");
        }
    }

    [Fact]
    public async Task PlainRunbooksThatWait_AreTakenOnceContactsBesideTheSettingsAreMended()
    {
        File.Delete(Path.Combine(_folder, "contacts.yaml"));
        _other = new("settings/contacts.yaml", Common);
        using var host = await HostAsync();
        Write("ml/contacts.yaml", Contacts("grace", "second: kay"));
        Write("ml/stuck.yaml", Runbook("ml", "second", "changed"));
        await host.LookAsync();
        host.Asked("ml").ShouldBe("ml.primary usual");

        host.Get<ContactsReload>().Take(new("settings/contacts.yaml", Common.Replace("contacts:", "  kay: { reach: [{ chat: kay }] }\ncontacts:", StringComparison.Ordinal)));
        await host.Get<RuleSetRefresh>().RefreshAsync(Cancel);

        host.Asked("ml").ShouldBe("ml.second changed");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Contacts(string person, string contact) => $"people:\n  {person}: {{ reach: [{{ chat: {person} }}] }}\ncontacts: {{ {contact} }}\n";

    private void AddTeam(string team, string person)
    {
        Write($"{team}/team.yaml", $"name: {team}\nowner: fallback\n");
        Write($"{team}/contacts.yaml", Contacts(person, $"primary: {person}"));
        Write($"{team}/duty.ics", "usual");
        Write($"{team}/stuck.yaml", Runbook(team, "primary", "usual"));
    }

    private static string Runbook(string team, string contact, string title) => $$$"""
        id: {{{team}}}-stuck
        title: {{{title}}}
        trigger: [{ alert: Stuck }]
        target: "{{ labels.pod }}"
        impact: { severity: low, users: Nobody notices. }
        diagnosis:
          stuck: { ask: "Is it stuck?", check: always, with: { finding: failing } }
        mitigation:
          approval: { ask: "Do it?", from: [{{{contact}}}] }
          steps:
            tell: { do: note, with: { text: Hello. } }
        """;

    private Task<Publication> PublishAsync() => PublishedFolder.PublishAsync(_folder, _time);

    private async Task<Host> HostAsync()
    {
        var apart = _other is not null;
        var services = PublishedFolder.Services(_time, _state).AddSingleton<ILoggerFactory>(_log)
            .AddSingleton<INotifier>(new ScriptedChannel("chat")).AddSingleton(ApprovalOffice.Secrets()).AddSingleton<CurrentContacts>()
            .AddContacts(provider => provider.StartingContacts(_other))
            .AddRuleSet(_ => new FolderPlace(_folder), provider => apart ? new ContactsElsewhere(provider, () => _other) : new OwnContacts(provider))
            .BuildServiceProvider();
        services.GetRequiredService<ContactBook>();
        await services.GetRequiredService<RuleSetRefresh>().LoadAsync(Cancel);
        return new(services);
    }

    private void Write(string name, string text)
    {
        var file = Path.Combine([_folder, .. name.Split('/')]);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private sealed class Host(ServiceProvider services) : IDisposable
    {
        public RuleSetStatus Status => Get<RuleSetStatus>();

        public ContactBook Book => Get<CurrentContacts>().Book;

        /// <summary>Whom the runbook of a team asks, and its title.</summary>
        public string Asked(string team) => Get<RunbookCatalog>().Find($"{team}-stuck") is { } runbook ? $"{runbook.Mitigation.Approval!.From.Single()} {runbook.Title}" : "";

        public T Get<T>() where T : notnull => services.GetRequiredService<T>();

        public Task LookAsync() => Get<RuleSetRefresh>().RefreshAsync(Cancel);

        public void Dispose() => services.Dispose();
    }
}
