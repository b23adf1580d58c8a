using TestKit;

namespace Infra.Tests;

public class PublishScriptTests
{
    private const string _cli = """
        while [ $# -gt 0 ]; do [ "$1" = --source ] && ls "$2" > $STATE/sent && cat "$2/contacts.yaml" > $STATE/contacts 2>/dev/null; shift; done
        exit 0
        """;

    [Fact]
    public async Task WithoutContacts_ThoseThatArePublishedStay()
    {
        using var shell = new Shell(_cli);

        await shell.RunAsync("infra/scripts/publish-runbooks.sh", "account");

        shell.TakeCalls().ShouldHaveSingleItem().ShouldContain("--exclude-pattern contacts.yaml");
        shell.Kept("sent").Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(
            Directory.EnumerateFiles(RepositoryRoot.Of("runbooks"), "*.yaml").Select(file => Path.GetFileName(file))
                .Where(name => !name.EndsWith(".test.yaml", StringComparison.Ordinal)).Append("samples"),
            ignoreOrder: true);
    }

    [Fact]
    public async Task WithContacts_TheyAreSentUnderTheNameThatTheAppReads()
    {
        using var shell = new Shell(_cli, ("CONTACTS_FILE", RepositoryRoot.Of("contacts.sample.yaml")));

        await shell.RunAsync("infra/scripts/publish-runbooks.sh", "account");

        shell.TakeCalls().ShouldHaveSingleItem().ShouldNotContain("--exclude-pattern");
        shell.Kept("contacts").ShouldBe(File.ReadAllText(RepositoryRoot.Of("contacts.sample.yaml")));
    }
}
