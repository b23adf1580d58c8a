using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Catalog;
using Runbooks.Guardrails;
using Runbooks.Model.Definition;
using Runbooks.Publishing;
using Runbooks.Storage;
using TestKit.Storage;
using Given = TestKit.Incidents.Given;

namespace Runbooks.Tests.Publishing;

/// <summary>An action that is taken away from a team is gone, though the runbook that uses it stays in force in an earlier version.</summary>
public sealed class SetActionsTests : IDisposable
{
    private const string Narrow = "name: ml\nowner: lead\nactions: [notify]\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("published-").FullName;
    private readonly InMemorySharedState _state = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 26, 3, 0, 0, TimeSpan.Zero));

    public SetActionsTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "ml"));
        Team("name: ml\nowner: lead\n");
        File.WriteAllText(Path.Combine(_folder, "ml", "stuck.yaml"), """
            id: ml-stuck
            title: Stuck
            trigger: [{ alert: Stuck }]
            target: "{{ labels.pod }}"
            impact: { severity: low, users: Nobody notices. }
            diagnosis:
              stuck: { ask: "Is it stuck?", check: always, with: { finding: failing } }
            mitigation:
              approval: { ask: "Do it?", from: [oncall] }
              steps:
                tell: { do: note, with: { text: Hello. } }
            """);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PlainFiles_TakeItAwayAtOnceAndForEveryLaterStart()
    {
        using (var host = await HostAsync())
        {
            (await RefusalAsync(host)).ShouldBeNull();
            Team(Narrow);
            await LookAsync(host);
            (await RefusalAsync(host)).ShouldNotBeNull().ShouldContain("may not do note (step 'tell'). They may do: notify.");
            await host.GetRequiredService<FileVersions>().SaveAsync(Cancel);
        }

        foreach (var team in (string[])[Narrow, "name: ml\nowner: [\n"])
        {
            Team(team);
            using var late = await HostAsync();
            (await RefusalAsync(late)).ShouldNotBeNull(team);
        }

        Team("name: ml\nowner: lead\nactions: [note]\n");
        using var last = await HostAsync();
        (await RefusalAsync(last)).ShouldBeNull();
    }

    [Fact]
    public async Task PublicationThatIsRefused_TakesAwayAndGivesNothing()
    {
        await PublishAsync();
        using var host = await HostAsync();
        Team(Narrow);
        var refused = await PublishAsync();

        await LookAsync(host);

        host.GetRequiredService<RuleSetStatus>().Refused!.Publication.ShouldBe(refused);
        (await RefusalAsync(host)).ShouldNotBeNull();
        using (var late = await HostAsync())
        {
            (await RefusalAsync(late)).ShouldNotBeNull();
        }

        Team("name: ml\nowner: lead\nactions: [note]\n");
        await PublishAsync();
        await LookAsync(host);
        (await RefusalAsync(host)).ShouldBeNull();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Why the runbook, which stays in force whatever the team's file says, does nothing.</summary>
    private static async Task<string?> RefusalAsync(ServiceProvider host)
    {
        var runbook = host.GetRequiredService<RunbookCatalog>().Find("ml-stuck").ShouldNotBeNull();
        return (await host.GetRequiredService<IEnumerable<IGuardrail>>().OfType<TeamActionsGuardrail>().Single()
            .CheckAsync(new(Given.Incident(runbook), runbook, Phase.Mitigation, AboutToRun: true), Cancel))?.Why;
    }

    private static Task LookAsync(ServiceProvider host) => host.GetRequiredService<RuleSetRefresh>().RefreshAsync(Cancel);

    private void Team(string text) => File.WriteAllText(Path.Combine(_folder, "ml", "team.yaml"), text);

    private Task<Publication> PublishAsync() => PublishedFolder.PublishAsync(_folder, _time);

    private async Task<ServiceProvider> HostAsync()
    {
        var services = PublishedFolder.Services(_time, _state)
            .AddRuleSet(_ => new FolderPlace(_folder), _ => new NoContacts())
            .BuildServiceProvider();
        await services.GetRequiredService<RuleSetRefresh>().LoadAsync(Cancel);
        return services;
    }
}
