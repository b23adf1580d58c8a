using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Runbooks.Settings;

namespace Infra.Tests;

public class SettingsBindTests
{
    public static TheoryData<string, string> Sections =>
        [.. from found in OptionsClasses.Types
            where found.Section != "Outbox" // For development; its folder would keep every message in the app.
            from parameters in new[] { Plan.Development, Plan.Production }
            select (found.Type.FullName!, parameters)];

    /// <summary>The app checks its settings when it starts: one that does not fit keeps it from starting.</summary>
    [Theory, MemberData(nameof(Sections))]
    public async Task SettingsOfAPlan_PassTheChecksOfTheApp(string type, string parameters)
    {
        var (options, section) = OptionsClasses.Types.Single(found => found.Type.FullName == type);
        var bound = Activator.CreateInstance(options)!;
        (await ConfigurationAsync(parameters)).GetSection(section).Bind(bound);

        var problems = new List<ValidationResult>();
        Validator.TryValidateObject(bound, new ValidationContext(bound), problems, validateAllProperties: true);

        problems.Select(problem => problem.ErrorMessage).ShouldBeEmpty();
    }

    public static TheoryData<string> Plans => [Plan.Development, Plan.Production];

    /// <summary>The app refuses a misspelt setting. Those that only the app's own assembly reads are none to this test, and none of them is near another's name.</summary>
    [Theory, MemberData(nameof(Plans))]
    public async Task SettingsOfAPlan_AreRefusedByNoCheckOfTheApp(string parameters)
    {
        var sections = OptionsClasses.Types.Select(found => new SettingsSection(found.Section, found.Type));

        new SettingsChecker(sections, [], _ => null).Check(await ConfigurationAsync(parameters), onlyOurs: false).ShouldBeEmpty();
    }

    private static async Task<IConfiguration> ConfigurationAsync(string parameters) => new ConfigurationBuilder()
        .AddInMemoryCollection((await Plan.OfAsync(parameters)).AppSettings().Select(setting =>
            KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), (string?)Known(setting.Value))))
        .Build();

    /// <summary>What only Azure knows is an expression in a plan. All that is checked among it are addresses.</summary>
    private static string Known(string value) => value.StartsWith('[') ? "https://known.example.com" : value;
}
