using Runbooks.Integrations.Http;
using Runbooks.Model.Storage;
using Runbooks.Sandbox;
using Runbooks.Settings;

namespace RunbookServer.Hosting;

/// <summary>Keeps practice away from real systems: it takes no settings of theirs, and shares no record with a host that acts on them.</summary>
internal static class PracticeGuard
{
    private const string Key = "practice";

    /// <summary>The sections that say which systems are asked and changed.</summary>
    internal static IReadOnlySet<string> Outside { get; } = new ServiceCollection().AddIntegrations()
        .Where(service => service.ServiceType == typeof(SettingsSection)).Select(service => service.ImplementationInstance).OfType<SettingsSection>().Select(section => section.Name)
        .Concat(SandboxSettings.For(new Uri("http://localhost")).Keys.Select(setting => setting.Split(':')[0]))
        .Except([OutboundHttpOptions.SectionName])
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Laying the sandbox's own values over them would not be enough: a step may name a system that stands beside the default one.</summary>
    /// <param name="given">The settings that people gave, each with where it comes from.</param>
    /// <exception cref="CommandException">One of them names a real system.</exception>
    public static void RefuseRealSystems(IEnumerable<(string Setting, string Origin)> given)
    {
        var real = given.Where(one => Outside.Contains(one.Setting.Split(':')[0])).Select(one => $"'{one.Setting}' ({one.Origin})").ToList();
        if (real.Count > 0)
        {
            throw new CommandException($"Practice reaches the sandbox alone, and {string.Join(", ", real)} {(real.Count == 1 ? "says" : "say")} which real systems to reach. Add --no-practice to act on them, or leave {(real.Count == 1 ? "it" : "them")} out.");
        }
    }

    /// <summary>An incident goes on wherever its record is opened next: what waits for approval in practice must not be run on real systems, nor the other way round.</summary>
    /// <exception cref="CommandException">The record belongs to the other kind of host.</exception>
    public static async Task KeepApartAsync(IServiceProvider services, ServerSettings settings, CancellationToken cancellationToken)
    {
        // A record that is in use and has no mark comes from a host that acts on real systems, such as the Functions app, for all that can be known.
        var isUsed = (await services.GetRequiredService<IIncidentStore>().ListAsync(new IncidentQuery(Limit: 1), cancellationToken)).Items.Count > 0;
        var (mark, _) = await services.GetRequiredService<ISharedState>().UpdateAsync<PracticeMark, bool>(
            Key, known => (known ?? new(settings.Practice && !isUsed), true), cancellationToken);
        if (mark.IsPractice == settings.Practice)
        {
            return;
        }

        var (place, remedy) = settings.Storage == StorageKind.Azure
            ? ("The storage account", "Name another account in the section Storage")
            : ($"The data folder {settings.DataDirectory}", "Name another folder with --data");
        throw new CommandException(settings.Practice
            ? $"{place} holds incidents of real systems, which must not go on in a sandbox. {remedy}, or add --no-practice."
            : $"{place} was used to practise, and its incidents must not go on on real systems. {remedy}.");
    }
}

/// <summary>In the record itself, so that it is in every backup and for every process that shares it.</summary>
internal sealed record PracticeMark(bool IsPractice);
