using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Notifications;
using Runbooks.Storage;
using RunbookServer.Hosting;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace RunbookServer.Tests.Hosting;

/// <summary>The clock is what changes are seen by; what the file system tells only makes it quicker.</summary>
public sealed class ContactsWatchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("contacts-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly ListLogger _log = new();
    private readonly CurrentContacts _contacts = new(ContactBook.NobodyBut("chat"));

    /// <summary>As a Secret or a ConfigMap of Kubernetes: the file is a link into a folder, and the folder is what is switched.</summary>
    [Fact]
    public async Task FolderBehindTheFileIsSwitched_TheNewContactsAreTaken()
    {
        Write("v1", "ada");
        Write("v2", "grace");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "v1");
        var file = Path.Combine(_folder, "contacts.yaml");
        File.CreateSymbolicLink(file, Path.Combine("..data", "contacts.yaml"));
        using var watch = Watch(file);
        await watch.ReloadAsync(TestContext.Current.CancellationToken);
        _contacts.Book.FindPerson("ada").ShouldNotBeNull();
        await watch.StartAsync(TestContext.Current.CancellationToken);

        Directory.CreateSymbolicLink(Path.Combine(_folder, "..new"), "v2");
        Directory.Move(Path.Combine(_folder, "..data"), Path.Combine(_folder, "..old"));
        Directory.Move(Path.Combine(_folder, "..new"), Path.Combine(_folder, "..data"));

        await SeenAsync("grace");
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task FolderThatCannotBeWatched_IsSaidOnceAndReadByTheClock()
    {
        var file = Path.Combine(_folder, "late", "contacts.yaml");
        using var watch = Watch(file);
        await watch.StartAsync(TestContext.Current.CancellationToken);
        await Patience.UntilAsync(() => Task.FromResult(_log.Lines.Any(line => line.Contains("no longer told by the file system", StringComparison.Ordinal))), () => string.Join('\n', _log.Lines));

        Write("late", "grace");

        await SeenAsync("grace");
        watch.ExecuteTask!.IsFaulted.ShouldBeFalse();
        _log.Lines.Count(line => line.Contains("no longer told by the file system", StringComparison.Ordinal)).ShouldBe(1);
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ContactsWatch Watch(string file) => new(
        file, new ContactsReload(new ContactsFile([new ScriptedChannel("chat")], [], ApprovalOffice.Secrets()), _contacts, new FileVersions(new InMemorySharedState()), _log.CreateLogger<ContactsReload>()), _time, _log.CreateLogger<ContactsWatch>());

    private Task SeenAsync(string person) => _time.UntilDoneAsync(Patience.UntilAsync(() => Task.FromResult(_contacts.Book.FindPerson(person) is not null), () => string.Join('\n', _log.Lines)));

    private void Write(string folder, string person)
    {
        Directory.CreateDirectory(Path.Combine(_folder, folder));
        File.WriteAllText(Path.Combine(_folder, folder, "contacts.yaml"), $"people:\n  {person}: {{ reach: [{{ chat: {person} }}] }}\ncontacts: {{ oncall: {person}, fallback: {person} }}\n");
    }
}
