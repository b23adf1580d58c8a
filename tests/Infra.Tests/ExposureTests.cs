using TestKit;

namespace Infra.Tests;

/// <summary>What must hold whatever is switched on: nothing open, nothing with a key, nothing unencrypted.</summary>
public class ExposureTests
{
    public static TheoryData<string> ParameterFiles => [Plan.Azd, Plan.Development, Plan.Production];

    [Theory, MemberData(nameof(ParameterFiles))]
    public async Task Storage_HasNoSharedKeyNoPublicBlobAndTls12(string parameters)
    {
        var accounts = (await Plan.OfAsync(parameters)).All("Microsoft.Storage/storageAccounts").ToList();

        accounts.ShouldNotBeEmpty();
        foreach (var account in accounts)
        {
            ((bool)account.Properties["allowSharedKeyAccess"]!).ShouldBeFalse(account.ToString());
            ((bool)account.Properties["allowBlobPublicAccess"]!).ShouldBeFalse(account.ToString());
            ((bool)account.Properties["supportsHttpsTrafficOnly"]!).ShouldBeTrue(account.ToString());
            ((string)account.Properties["minimumTlsVersion"]!).ShouldBeOneOf("TLS1_2", "TLS1_3");
        }
    }

    [Theory, MemberData(nameof(ParameterFiles))]
    public async Task Containers_AreNeverPublic(string parameters)
    {
        var containers = (await Plan.OfAsync(parameters)).All("Microsoft.Storage/storageAccounts/blobServices/containers").ToList();

        containers.Select(container => container.Id.Split('/')[^1]).Except(["durable-functions-monitor"])
            .ShouldBe(["app-package", "banner", "documents", "evidence", "runbooks"], ignoreOrder: true);
        containers.ShouldAllBe(container => (string)container.Properties["publicAccess"]! == "None");
    }

    [Theory, MemberData(nameof(ParameterFiles))]
    public async Task Apps_TakeOnlyHttpsWithTls12AndNoPasswords(string parameters)
    {
        var plan = await Plan.OfAsync(parameters);
        foreach (var site in plan.All("Microsoft.Web/sites"))
        {
            ((bool)site.Properties["httpsOnly"]!).ShouldBeTrue(site.ToString());
            var settings = site.Properties["siteConfig"]!;
            ((string)settings["minTlsVersion"]!).ShouldBeOneOf("1.2", "1.3");
            ((string)settings["scmMinTlsVersion"]!).ShouldBeOneOf("1.2", "1.3");
            if (!IsFlexConsumption(site))
            {
                ((string)settings["ftpsState"]!).ShouldBe("Disabled");
            }

            var passwords = plan.All("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
                .Where(policy => policy.Id.StartsWith(site.Id + "/", StringComparison.Ordinal)).ToList();
            passwords.Count.ShouldBe(2, "scm and ftp");
            passwords.ShouldAllBe(policy => !(bool)policy.Properties["allow"]!);
        }
    }

    /// <summary>
    /// Flex Consumption has no FTP, and keeps its runtime and scaling in <c>functionAppConfig</c>. What says the same as on other plans
    /// is refused in one region after the other (ExtendedCode 51021), and with it the deployment:
    /// https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations,
    /// https://github.com/Azure/terraform-azurerm-avm-res-web-site/issues/360.
    /// </summary>
    [Theory, MemberData(nameof(ParameterFiles))]
    public async Task FlexConsumption_IsToldNothingThatItRefuses(string parameters)
    {
        string[] properties =
        [
            "alwaysOn", "ftpsState", "linuxFxVersion", "windowsFxVersion", "netFrameworkVersion", "use32BitWorkerProcess", "preWarmedInstanceCount",
            "functionsRuntimeScaleMonitoringEnabled", "functionAppScaleLimit",
        ];
        string[] names =
        [
            "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_MAX_HTTP_CONCURRENCY", "FUNCTIONS_WORKER_PROCESS_COUNT",
            "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED", "WEBSITE_SKIP_CONTENTSHARE_VALIDATION", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
            "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT", "WEBSITE_NODE_DEFAULT_VERSION", "WEBSITE_CONTENTOVERVNET", "WEBSITE_VNET_ROUTE_ALL", "ENABLE_ORYX_BUILD", "SCM_DO_BUILD_DURING_DEPLOYMENT",
        ];
        var app = (await Plan.OfAsync(parameters)).All("Microsoft.Web/sites").Single(IsFlexConsumption);
        var config = app.Properties["siteConfig"]!.AsObject();

        config.Select(property => property.Key).Intersect(properties, StringComparer.OrdinalIgnoreCase).ShouldBeEmpty();
        config["appSettings"]!.AsArray().Select(setting => (string)setting!["name"]!).Intersect(names, StringComparer.OrdinalIgnoreCase).ShouldBeEmpty();
    }

    private static bool IsFlexConsumption(PlannedResource site) => site.Properties.ContainsKey("functionAppConfig");

    [Theory, MemberData(nameof(ParameterFiles))]
    public async Task VaultFlagsAndTelemetry_AcceptIdentitiesOnly(string parameters)
    {
        var plan = await Plan.OfAsync(parameters);

        var vault = plan.All("Microsoft.KeyVault/vaults").ShouldHaveSingleItem();
        ((bool)vault.Properties["enableRbacAuthorization"]!).ShouldBeTrue();
        ((bool)vault.Properties["enablePurgeProtection"]!).ShouldBeTrue();
        ((bool)plan.All("Microsoft.AppConfiguration/configurationStores").Single().Properties["disableLocalAuth"]!).ShouldBeTrue();
        ((bool)plan.All("Microsoft.Insights/components").Single().Properties["DisableLocalAuth"]!).ShouldBeTrue();
    }

    [Fact]
    public async Task PrivateNetwork_ClosesStorageVaultAndFlagsToThePublic()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var hub = plan.All("Microsoft.Storage/storageAccounts").Single(account => account.Name.StartsWith("strb", StringComparison.Ordinal));

        ((string)hub.Properties["publicNetworkAccess"]!).ShouldBe("Disabled");
        ((string)plan.All("Microsoft.KeyVault/vaults").Single().Properties["publicNetworkAccess"]!).ShouldBe("disabled");
        ((string)plan.All("Microsoft.AppConfiguration/configurationStores").Single().Properties["publicNetworkAccess"]!).ShouldBe("Disabled");
        plan.All("Microsoft.Network/privateEndpoints").Select(endpoint => endpoint.Name[(endpoint.Name.LastIndexOf('-') + 1)..])
            .ShouldBe(["blob", "queue", "table", "vault", "flags"], ignoreOrder: true);
    }

    [Fact]
    public async Task Monitor_IsReadOnlyAndShowsNothingToStrangers()
    {
        var plan = await Plan.OfAsync(Plan.Production);
        var monitor = plan.All("Microsoft.Web/sites").Single(site => site.Name.StartsWith("dfm-", StringComparison.Ordinal));
        var settings = monitor.Properties["siteConfig"]!["appSettings"]!.AsArray()
            .ToDictionary(setting => (string)setting!["name"]!, setting => (string)setting!["value"]!);

        settings["DFM_MODE"].ShouldBe("ReadOnly");
        // Without the name of the connection it would be a hub of the monitor's own account, which has none.
        settings["DFM_HUB_NAME"].ShouldBe("RUNBOOKS-Runbooks");
        settings["DFM_ALTERNATIVE_CONNECTION_STRING_RUNBOOKS__tableServiceUri"].ShouldContain("strbprod");
        settings.Keys.ShouldNotContain("DFM_NONCE", "it switches sign-in off");
        var sign = plan.All("Microsoft.Web/sites/config").Single(config => config.Id.StartsWith(monitor.Id + "/", StringComparison.Ordinal));
        ((bool)sign.Properties["globalValidation"]!["requireAuthentication"]!).ShouldBeTrue();
    }

    /// <summary>Outputs are kept with the deployment for everyone who may read it.</summary>
    [Fact]
    public void Outputs_CarryNamesAndAddressesOnly()
    {
        foreach (var file in Directory.EnumerateFiles(RepositoryRoot.Of("infra", "bicep"), "*.bicep", SearchOption.AllDirectories))
        {
            foreach (var line in File.ReadLines(file).Where(line => line.StartsWith("output ", StringComparison.Ordinal)))
            {
                // Telemetry's connection string opens nothing: its resource takes identities only, see above.
                if (line.StartsWith("output connectionString string = insights.", StringComparison.Ordinal))
                {
                    continue;
                }

                foreach (var word in (string[])["key(", "keys(", "listKeys", "secret", "password", "token", "connectionString"])
                {
                    line.Contains(word, StringComparison.OrdinalIgnoreCase).ShouldBeFalse($"{Path.GetFileName(file)}: {line}");
                }
            }
        }
    }
}
