using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;

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

    private static async Task<IConfiguration> ConfigurationAsync(string parameters) => new ConfigurationBuilder()
        .AddInMemoryCollection((await Plan.OfAsync(parameters)).AppSettings().Select(setting =>
            KeyValuePair.Create(setting.Key.Replace("__", ":", StringComparison.Ordinal), (string?)Known(setting.Value))))
        .Build();

    /// <summary>What only Azure knows is an expression in a plan. All that is checked among it are addresses.</summary>
    private static string Known(string value) => value.StartsWith('[') ? "https://known.example.com" : value;
}
