using RunbookServer.Tests.EndToEnd;
using TestKit.People;

namespace RunbookServer.Tests.Contacts;

public sealed class ChangedContactsTests
{
    [Fact]
    public async Task ChangedFile_CountsForTheNextMessageAndABrokenOneDoesNot()
    {
        await using var mail = await MailServer.StartAsync();
        var people = PeopleFiles.ByMail(mail.Port);
        await using var host = await RunningHost.StartAsync(people: people);

        await host.ReloadContactsAsync(people.Contacts.Replace("ada@", "grace@", StringComparison.Ordinal));
        await host.Client.StuckAsync("llm-b-0");
        (await mail.ReceiveAsync(TestContext.Current.CancellationToken)).To.ToString().ShouldBe("grace@example.com");

        await host.ReloadContactsAsync("people: [");
        await host.Client.StuckAsync("llm-b-2");
        (await mail.ReceiveAsync(TestContext.Current.CancellationToken)).To.ToString().ShouldBe("grace@example.com");
    }
}
