using System.Text.Json;

namespace Infra.Tests;

public class AppSettingsTests
{
    private static readonly IReadOnlyList<DeclaredSetting> _declared = JsonSerializer.Deserialize<List<DeclaredSetting>>(
        File.ReadAllText(RepositoryRoot.Of("infra", "app-settings.json")), JsonSerializerOptions.Web)!;

    /// <summary>Sections whose options class and whose place in the template are both there. Add one when both are.</summary>
    private static readonly string[] _settled = ["Runbooks", "LinkSigning", "AzureStorage", "Watch"];

    /// <summary>Read by the Functions app, which these tests cannot load: its packages are not in every registry.</summary>
    private static readonly string[] _readElsewhere = ["Runbooks__RunbooksContainer"];

    [Theory]
    [InlineData(Plan.Azd)]
    [InlineData(Plan.Development)]
    [InlineData(Plan.Production)]
    public async Task EverySettingOfAPlan_IsDeclared(string parameters)
    {
        foreach (var name in (await Plan.OfAsync(parameters)).AppSettings().Keys)
        {
            _declared.Count(setting => setting.Covers(name)).ShouldBe(1, name);
        }
    }

    /// <summary>Production switches everything on but the scheduler, which excludes the monitor.</summary>
    [Fact]
    public async Task EveryDeclaredSetting_IsSetInProduction()
    {
        var names = (await Plan.OfAsync(Plan.Production)).AppSettings().Keys.ToList();

        _declared.Where(setting => setting.From is not ("scheduler" or "extraSettings") && !names.Any(setting.Covers))
            .Select(setting => setting.Name).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(Plan.Azd)]
    [InlineData(Plan.Development)]
    [InlineData(Plan.Production)]
    public async Task Secrets_AreReferencesToTheVaultAndNothingElseIs(string parameters)
    {
        foreach (var (name, value) in (await Plan.OfAsync(parameters)).AppSettings())
        {
            var declared = _declared.Single(setting => setting.Covers(name));
            value.Contains("Microsoft.KeyVault", StringComparison.Ordinal).ShouldBe(declared.Secret, name);
        }
    }

    /// <summary>A setting that no code reads is a switch that does nothing.</summary>
    [Fact]
    public void EveryDeclaredSettingOfASettledSection_IsReadByItsOptionsClass()
    {
        _declared.Where(setting => _settled.Contains(setting.Name.Split("__")[0]) && OptionsClasses.Settings.ContainsKey(setting.Name.Split("__")[0]))
            .Select(setting => setting.Name)
            .Except(OptionsClasses.Settings.Values.SelectMany(settings => settings).Select(setting => setting.Name).Concat(_readElsewhere))
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task AChannelThatIsOff_LeavesNoSettingBehind()
    {
        var names = (await Plan.OfAsync(Plan.Development)).AppSettings().Keys.ToList();

        names.ShouldContain("Teams__WorkflowUrl");
        names.ShouldNotContain(name => name.StartsWith("Slack__", StringComparison.Ordinal)
            || name.StartsWith("Email__", StringComparison.Ordinal) || name.StartsWith("PagerDuty__", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Storage_IsReachedByIdentityAndTheTelemetryToo()
    {
        var settings = (await Plan.OfAsync(Plan.Production)).AppSettings();

        settings["AzureWebJobsStorage__credential"].ShouldBe("managedidentity");
        settings.Keys.ShouldNotContain("AzureWebJobsStorage");
        settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].ShouldContain("Authorization=AAD");
    }

    /// <summary>Flex Consumption takes these from functionAppConfig and refuses them as settings.</summary>
    [Fact]
    public async Task SettingsThatFlexConsumptionRefuses_AreNotSet()
    {
        var names = (await Plan.OfAsync(Plan.Production)).AppSettings().Keys;

        names.ShouldNotContain(name => name == "FUNCTIONS_WORKER_RUNTIME" || name == "FUNCTIONS_EXTENSION_VERSION"
            || name.StartsWith("WEBSITE_CONTENT", StringComparison.Ordinal) || name == "WEBSITE_RUN_FROM_PACKAGE");
    }

    private sealed record DeclaredSetting(string Name, string From, bool Secret, string Means)
    {
        /// <summary>A star stands for an index or a key of a list.</summary>
        public bool Covers(string name)
        {
            var (mine, theirs) = (Name.Split("__"), name.Split("__"));
            return mine.Length == theirs.Length && mine.Zip(theirs).All(pair => pair.First == "*" || pair.First == pair.Second);
        }
    }
}
