using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

public sealed class OutboxTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("outbox-");
    private readonly FakeTimeProvider _time = new(new(2026, 8, 1, 3, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task OldMessages_GoAndWhatIsNotOursStays()
    {
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Outbox:Folder"] = _folder.FullName }).Build())
            .AddSingleton<TimeProvider>(_time).AddOutbox().BuildServiceProvider();
        var outbox = services.GetRequiredService<INotifier>();
        var old = await SendAsync(outbox);
        await File.WriteAllTextAsync($"{old}.tmp", "{", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "0-notes.json"), "{}", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromDays(91));
        var young = await SendAsync(outbox);

        await outbox.ForgetAsync(_time.GetUtcNow() - TimeSpan.FromDays(90), TestContext.Current.CancellationToken);

        _folder.GetFiles().Select(file => file.FullName).ShouldBe([young, Path.Combine(_folder.FullName, "0-notes.json")], ignoreOrder: true);
        File.Exists(old).ShouldBeFalse();
    }

    [Fact]
    public async Task MessageThatCannotBeWritten_LeavesNothing()
    {
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Outbox:Folder"] = _folder.FullName }).Build())
            .AddSingleton<TimeProvider>(_time).AddOutbox().BuildServiceProvider();

        // A folder of the message's name is in the way.
        var name = Path.GetFileName(await SendAsync(services.GetRequiredService<INotifier>())).Replace("-000001-", "-000002-", StringComparison.Ordinal);
        _folder.CreateSubdirectory(name);
        (await Should.ThrowAsync<Exception>(() => SendAsync(services.GetRequiredService<INotifier>()))).ShouldBeOfType<IOException>();

        _folder.GetFiles("*.tmp").ShouldBeEmpty();
    }

    [Fact]
    public async Task TitleOfAnAlert_StaysOnOneLine()
    {
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Outbox:Folder"] = _folder.FullName }).Build())
            .AddSingleton<TimeProvider>(_time).AddOutbox().BuildServiceProvider();

        var sent = await services.GetRequiredService<INotifier>().SendAsync(Cards.Approval with { Title = "Ok\nBcc: evil@x.example" }, new("outbox", "ada", "ada"), TestContext.Current.CancellationToken);

        (await File.ReadAllTextAsync(sent.Reference!, TestContext.Current.CancellationToken)).ShouldContain("\"Ok Bcc: evil@x.example\"");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<string> SendAsync(INotifier outbox) =>
        (await outbox.SendAsync(Cards.Approval, new("outbox", "ada", "ada"), TestContext.Current.CancellationToken)).Reference!;
}
