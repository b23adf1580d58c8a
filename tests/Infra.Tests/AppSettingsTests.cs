using System.Text.Json;
using Runbooks.Web.SignIn;
using TestKit;

namespace Infra.Tests;

public class AppSettingsTests
{
    private static readonly IReadOnlyList<DeclaredSetting> _declared = JsonSerializer.Deserialize<List<DeclaredSetting>>(
        File.ReadAllText(RepositoryRoot.Of("infra", "app-settings.json")), JsonSerializerOptions.Web)!;

    /// <summary>Why a setting that the code reads, and that has no default, is not set: by its name or what its name begins with.</summary>
    private static readonly IReadOnlyDictionary<string, string> _leftOut = JsonSerializer.Deserialize<Dictionary<string, string>>(
        File.ReadAllText(RepositoryRoot.Of("infra", "settings-left-out.json")), JsonSerializerOptions.Web)!;

    /// <summary>Read by the Functions host, its Durable extension, or App Service.</summary>
    private static readonly string[] _platform =
    [
        "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__tableServiceUri",
        "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "AzureWebJobsDisableHomepage",
        "DURABLE_TASK_SCHEDULER_CONNECTION_STRING", "OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID", "WEBSITE_AUTH_AAD_ALLOWED_TENANTS",
    ];

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
    public void EveryDeclaredSetting_IsReadByTheCodeOrThePlatform()
    {
        var telemetry = File.ReadAllText(RepositoryRoot.Of("src", "RunbookFunctions", "FunctionsApp.cs"));

        _declared.Select(setting => setting.Name)
            .Except(OptionsClasses.All.Select(setting => setting.Name))
            .Except(_platform)
            .Where(name => !telemetry.Contains($"\"{name}\"", StringComparison.Ordinal))
            .ShouldBeEmpty();
    }

    [Fact]
    public void EverySettingWithoutADefault_IsSetOrLeftOutForAReason()
    {
        var set = _declared.Select(setting => setting.Name).ToList();

        OptionsClasses.All.Where(setting => setting.Default.Length == 0).Select(setting => setting.Name)
            .Where(name => !set.Contains(name) && !_leftOut.Keys.Any(key => IsOrIsBelow(name, key)))
            .ShouldBeEmpty();
    }

    [Fact]
    public void EverySettingThatIsLeftOut_ExistsAndIsNotSet()
    {
        foreach (var (key, reason) in _leftOut)
        {
            OptionsClasses.All.ShouldContain(setting => IsOrIsBelow(setting.Name, key), key);
            _declared.ShouldNotContain(setting => IsOrIsBelow(setting.Name, key), key);
            reason.ShouldEndWith(".");
        }
    }

    /// <summary>App Service takes letters, digits, points and underscores in a name; anything else is lost on the way to the process.</summary>
    [Fact]
    public async Task Names_SurviveTheWayIntoTheProcess() =>
        (await Plan.OfAsync(Plan.Production)).AppSettings().Keys
            .ShouldEach(name => name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '_' || letter == '.'));

    [Fact]
    public async Task AChannelThatIsOff_LeavesNoSettingBehind()
    {
        var names = (await Plan.OfAsync(Plan.Development)).AppSettings().Keys.ToList();

        names.ShouldContain("Teams__WorkflowUrl");
        names.ShouldNotContain(name => name.StartsWith("Slack__", StringComparison.Ordinal)
            || name.StartsWith("Email__", StringComparison.Ordinal) || name.StartsWith("PagerDuty__", StringComparison.Ordinal));
    }

    /// <summary>Believing the platform's headers where no platform stands in front would let everybody be anybody.</summary>
    [Fact]
    public async Task SignedInPeople_AreBelievedOnlyWhereThePlatformSignsIn()
    {
        foreach (var (parameters, signsIn) in new[] { (Plan.Production, true), (Plan.Development, false) })
        {
            var plan = await Plan.OfAsync(parameters);

            plan.All("Microsoft.Web/sites/config").Any(config => config.Name.EndsWith("/authsettingsV2", StringComparison.Ordinal)).ShouldBe(signsIn);
            plan.AppSettings().ContainsKey("Auth__TrustPlatformPrincipal").ShouldBe(signsIn);
        }
    }

    /// <summary>Where App Service looks at tokens, it lets in what the app would: the sign-in's own, and those of the webhook's two callers.</summary>
    [Theory]
    [InlineData("", SecureWebhookOptions.EventGrid)]
    [InlineData("param extraSettings = { Intake__EventGridCaller: '00000000-0000-0000-0000-0000000000f1' }", "00000000-0000-0000-0000-0000000000f1")]
    public async Task SignIn_LetsTheWebhooksCallersPass(string more, string eventGrid)
    {
        var plan = await Plan.OfAsync(Plan.Production, text => $"{text}\n{more}\n");
        var signIn = plan.All("Microsoft.Web/sites/config").Single(config => config.Name.StartsWith("func-", StringComparison.Ordinal));

        signIn.Properties["identityProviders"]!["azureActiveDirectory"]!["validation"]!["defaultAuthorizationPolicy"]!["allowedApplications"]!.AsArray().Select(id => (string)id!)
            .ShouldBe(["00000000-0000-0000-0000-0000000000c1", SecureWebhookOptions.AzureMonitor, eventGrid], ignoreOrder: true);
    }

    [Fact]
    public async Task Storage_IsReachedByIdentityAndTheTelemetryToo()
    {
        var settings = (await Plan.OfAsync(Plan.Production)).AppSettings();

        settings["AzureWebJobsStorage__credential"].ShouldBe("managedidentity");
        settings.Keys.ShouldNotContain("AzureWebJobsStorage");
        settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].ShouldContain("Authorization=AAD");
    }

    /// <summary>The platform scales for the hub of the file host.json: a setting that says otherwise leaves incidents in a hub to which nobody comes.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("param durableTaskScheduler = true")]
    public async Task HowTheEngineRuns_IsSaidInHostJsonAlone(string more) =>
        (await Plan.OfAsync(Plan.Production, text => $"{text}\n{more}\n")).AppSettings().Keys.ShouldNotContain(name => name.StartsWith("AzureFunctionsJobHost__", StringComparison.Ordinal));

    [Fact]
    public async Task Scheduler_HasTheHubOfHostJson()
    {
        var plan = await Plan.OfAsync(Plan.Development, text => $"{text}\nparam durableTaskScheduler = true\n");
        using var host = JsonDocument.Parse(await File.ReadAllTextAsync(RepositoryRoot.Of("host.json"), TestContext.Current.CancellationToken));
        var hub = host.RootElement.GetProperty("extensions").GetProperty("durableTask").GetProperty("hubName").GetString()!;

        plan.All("Microsoft.DurableTask/schedulers/taskHubs").ShouldHaveSingleItem().Name.ShouldEndWith($"/{hub}");
        plan.AppSettings()["DURABLE_TASK_SCHEDULER_CONNECTION_STRING"].ShouldContain($", '{hub}', ");
    }

    private static bool IsOrIsBelow(string name, string key) => name == key || name.StartsWith($"{key}__", StringComparison.Ordinal);

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
