using TestKit;

namespace Infra.Tests;

public class PublishScriptTests
{
    private const string _published = "run --project src/RunbookServer -- publish runbooks --to https://account.blob.core.windows.net/runbooks";

    [Fact]
    public async Task Script_PublishesTheFolderToTheContainerOfTheAccount()
    {
        using var shell = new Shell("exit 0");

        await shell.RunAsync("infra/scripts/publish-runbooks.sh", "account", "--dry-run");

        shell.Kept("programs").TrimEnd().ShouldBe($"{_published} --dry-run");
    }

    [Fact]
    public async Task Contacts_AreTakenFromWhereTheyAreKept()
    {
        var contacts = RepositoryRoot.Of("contacts.sample.yaml");
        using var shell = new Shell("exit 0", ("CONTACTS_FILE", contacts), ("STORAGE_ACCOUNT_NAME", "account"));

        await shell.RunAsync("infra/scripts/publish-runbooks.sh");

        shell.Kept("programs").TrimEnd().ShouldBe($"{_published} --contacts {contacts}");
    }
}
