using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Intake;
using Runbooks.Model.Alerts;
using Runbooks.Model.Definition;
using Runbooks.Model.Incidents;
using Runbooks.Tests.Intake.Parsing;
using Runbooks.Watchdog;
using TestKit.Incidents;

namespace Runbooks.Tests.Intake;

/// <summary>A whole incident's world with a way in, and posts as real senders make them.</summary>
internal sealed class IntakeWorld : IAsyncDisposable
{
    public IntakeWorld(params Runbook[] runbooks)
        : this(_ => { }, runbooks)
    {
    }

    public IntakeWorld(Action<IServiceCollection> more, params Runbook[] runbooks)
    {
        Runbooks.AddRange(runbooks);
        World = new IncidentWorld(configure: services =>
        {
            services.AddIncidentIntake().AddSingleton<LoadedRunbooks>(() => Runbooks);
            more(services);
        });
    }

    public List<Runbook> Runbooks { get; } = [];

    public IncidentWorld World { get; }

    public Incident Only => World.Store.All.ShouldHaveSingleItem();

    /// <summary>A runbook whose only check is <c>stuck</c>, for any of the named alerts.</summary>
    public static Runbook Runbook(string id, string target, string source, string alert, Dictionary<string, string>? labels = null, bool checks = true)
    {
        var runbook = TestKit.Incidents.Given.Runbook();
        return runbook with
        {
            Id = id,
            Hash = $"hash-of-{id}",
            Target = target,
            Trigger = [new(source, alert, [], labels ?? [])],
            Diagnosis = checks ? [TestKit.Incidents.Given.Check("stuck")] : [],
            Mitigation = runbook.Mitigation with { Verify = checks ? runbook.Mitigation.Verify : null },
            Resolution = new(),
        };
    }

    /// <summary>A runbook for any alert on a disk, whose step is about the folder that the alert names.</summary>
    public static Runbook Disk()
    {
        var runbook = Runbook("disk-full", "{{ labels.resourceName }}", "azure-monitor", "Disk*");
        return runbook with { Mitigation = runbook.Mitigation with { Steps = [TestKit.Incidents.Given.Step("fix", with: new { name = "fix", text = "{{ labels.folder }}" })] } };
    }

    public async Task<IntakeOutcome> PostAsync(string source, string file) => (await PostAllAsync(source, file))[0];

    public Task<IReadOnlyList<IntakeOutcome>> PostAllAsync(string source, string file, [CallerFilePath] string here = "") =>
        TakeAsync([.. Readers.Read(source, TextOf(file, here)).Alerts]);

    /// <summary>A post of the folder Posts beside the test.</summary>
    public static string TextOf(string file, [CallerFilePath] string here = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "Posts", file));

    public async Task<IReadOnlyList<IntakeOutcome>> TakeAsync(params Alert[] alerts)
    {
        var outcomes = await World.Get<IncidentIntake>().ReceiveAsync(alerts, TestContext.Current.CancellationToken);
        await World.Engine.SettleAsync();
        return outcomes;
    }

    /// <summary>The watch looks every minute; for a world that has one.</summary>
    public async Task WatchAsync(int minutes)
    {
        for (var minute = 0; minute < minutes; minute++)
        {
            World.Time.Advance(TimeSpan.FromMinutes(1));
            await World.Get<IncidentWatchdog>().CheckAsync(TestContext.Current.CancellationToken);
            await World.Engine.SettleAsync();
        }
    }

    public ValueTask DisposeAsync() => World.DisposeAsync();
}
