using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Catalog;
using Runbooks.Notifications;
using Runbooks.Model.Storage;
using Runbooks.Publishing;
using Runbooks.Storage;
using RunbookServer.Hosting;
using RunbookServer.Terminal;
using TestKit.Storage;

namespace RunbookServer.Tests.Contacts;

public sealed class ServerContactsTests : IDisposable
{
    private const string Good = """
        people:
          ada: { reach: [{ email: ada@example.com }] }
        contacts: { fallback: ada }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("contacts").FullName;

    [Fact]
    public void Practice_ReachesEverybodyInTheOutbox()
    {
        File.WriteAllText(Path.Combine(_folder, "contacts.yaml"), "broken: [");

        Load(practice: true).KnowsEveryone.ShouldBeTrue();
    }

    [Fact]
    public void FileBesideTheRunbooks_IsReadAndIsNoRunbook()
    {
        File.WriteAllText(Path.Combine(_folder, "contacts.yaml"), Good);

        Load(practice: false).FindPerson("ada").ShouldNotBeNull();
        new RunbookFolder(_folder).Files().ShouldBeEmpty();
    }

    [Fact]
    public void BrokenFile_StopsTheStartWithEveryError()
    {
        File.WriteAllText(Path.Combine(_folder, "contacts.yaml"), Good.Replace("fallback", "oncall", StringComparison.Ordinal).Replace("email", "fax", StringComparison.Ordinal));

        var message = Should.Throw<CommandException>(() => Load(practice: false)).Message;
        message.ShouldContain("fallback");
        message.ShouldContain("fax");
    }

    [Fact]
    public void NoFile_MeansTheOutboxAndNobodyWhoMayDecide()
    {
        var book = Load(practice: false);

        book.RecipientsOf(["oncall"]).SelectMany(recipient => recipient.Addresses).ShouldContain(address => address.Channel == "outbox");
        book.KnowsEveryone.ShouldBeFalse();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ContactBook Load(bool practice)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            new Dictionary<string, string?> { ["Email:Host"] = "mail.example.com", ["Email:From"] = "runbooks@example.com" }).Build());
        services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton<ISharedState, InMemorySharedState>().AddSingleton<FileVersions>().AddSingleton<AddressSecrets>().AddEmail();
        services.AddRunbookCatalog().AddRuleSet(_ => new FolderPlace(_folder), provider => new OwnContacts(provider));
        ServerContacts.AddContacts(services, new ServerSettings { Practice = practice });
        return ServerContacts.Load(services.BuildServiceProvider());
    }
}
