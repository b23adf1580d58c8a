namespace Infra.Tests;

public class EntraScriptTests
{
    // Remembers what was made; everything else is looked up by what the script asks.
    private const string _directory = """
        case "$*" in
          "ad app list"*) cat $STATE/app 2>/dev/null ;;
          "ad app create"*) echo object-1 | tee $STATE/app ;;
          "ad app show"*"--query appId"*) echo client-1 ;;
          "ad app show"*"--query appRoles[]."*) cat $STATE/roles.tsv 2>/dev/null ;;
          "ad app show"*"--query appRoles"*) cat $STATE/roles.json 2>/dev/null || echo [] ;;
          "ad app show"*"--query identifierUris"*) cat $STATE/uris 2>/dev/null ;;
          "ad app show"*"--query web.redirectUris"*) cat $STATE/replies 2>/dev/null ;;
          "ad app show"*) echo object-1 ;;
          "ad sp list"*client-1*) cat $STATE/ours 2>/dev/null ;;
          "ad sp list"*461e8683*) cat $STATE/theirs 2>/dev/null ;;
          "ad sp create --id client-1"*) echo principal-1 | tee $STATE/ours ;;
          "ad sp create --id 4962773b"*) echo principal-grid ;;
          "ad sp create"*) echo principal-azns | tee $STATE/theirs ;;
          "rest --method GET"*principal-grid*) ;;
          "rest --method GET"*) cat $STATE/granted 2>/dev/null ;;
          "rest --method POST"*) echo assignment-1 > $STATE/granted ;;
          "ad app federated-credential list"*) cat $STATE/trusted 2>/dev/null ;;
          "ad app federated-credential create"*) echo yes > $STATE/trusted ;;
          "identity show"*) echo subject-1 ;;
          "account show"*) echo tenant-1 ;;
          "ad signed-in-user show"*) cat $STATE/person 2>/dev/null || exit 1 ;;
          "ad app owner list"*) cat $STATE/owner 2>/dev/null ;;
          "ad app owner add"*) echo owner-1 > $STATE/owner ;;
        esac
        exit 0
        """;

    [Fact]
    public async Task Webhook_OnAnEmptyTenant_MakesTheApplicationAndGrantsOnlyAzureMonitor()
    {
        using var shell = new Shell(_directory);

        var output = await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");

        output.ShouldBe("clientId=client-1\nobjectId=object-1\n");
        var calls = shell.TakeCalls();
        calls.ShouldContain(call => call.StartsWith("ad app create --display-name runbooks-prod-webhook --sign-in-audience AzureADMyOrg", StringComparison.Ordinal));
        calls.ShouldContain(call => call.Contains("\"identifierUris\":[\"api://client-1\"]", StringComparison.Ordinal));
        Roles(calls).ShouldBe(["ActionGroupsSecureWebhook", "AzureEventGridSecureWebhookSubscriber"]);
        calls.ShouldContain(call => call.Contains("\"appRoleAssignmentRequired\":true", StringComparison.Ordinal));
        calls.Where(call => call.StartsWith("rest --method POST", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldContain("\"principalId\":\"principal-azns\",\"resourceId\":\"principal-1\"");
    }

    /// <summary>App Service knows the issuer of these alone, and refuses others where it looks at tokens.</summary>
    [Fact]
    public async Task Webhook_AsksForTokensOfTheSecondVersion()
    {
        using var shell = new Shell(_directory);

        await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");

        shell.TakeCalls().ShouldContain(call => call.Contains("/applications/object-1 ", StringComparison.Ordinal) && call.Contains("\"api\":{\"requestedAccessTokenVersion\":2}", StringComparison.Ordinal));
    }

    /// <summary>Only an owner may put the application into an action group, and an administrator who made it is none by that.</summary>
    [Theory]
    [InlineData("ada", "", "ada")]
    [InlineData("ada", "pipeline", "pipeline")]
    [InlineData(null, "pipeline", "pipeline")]
    [InlineData(null, "", null)]
    public async Task Webhook_MakesWhoDeploysAnOwnerOnce(string? person, string deployer, string? owner)
    {
        using var shell = new Shell(_directory, ("DEPLOYER_OBJECT_ID", deployer));
        if (person is not null)
        {
            shell.Keep("person", person);
        }

        await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");
        await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");

        shell.TakeCalls().Where(call => call.StartsWith("ad app owner add", StringComparison.Ordinal)).ShouldBe(
            owner is null ? [] : [$"ad app owner add --id object-1 --owner-object-id {owner} --output none"]);
    }

    [Fact]
    public async Task Webhook_RunAgain_MakesNothingTwice()
    {
        using var shell = new Shell(_directory);
        var first = await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");
        shell.TakeCalls();

        (await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod")).ShouldBe(first);

        shell.TakeCalls().ShouldNotContain(call => call.Contains(" create", StringComparison.Ordinal)
            || call.Contains(" add ", StringComparison.Ordinal) || call.StartsWith("rest --method POST", StringComparison.Ordinal));
    }

    /// <summary>Graph refuses to drop an enabled role, so a list without it would end every later deployment.</summary>
    [Fact]
    public async Task Webhook_WithRolesMadeByHand_KeepsThemAndUsesTheirIds()
    {
        using var shell = new Shell(_directory);
        shell.Keep("roles.tsv", "AzureEventGridSecureWebhookSubscriber\tby-hand-1\nTheirOwn\tby-hand-2\n");
        shell.Keep("roles.json", """[{"id":"by-hand-1","value":"AzureEventGridSecureWebhookSubscriber","isEnabled":true},{"id":"by-hand-2","value":"TheirOwn","isEnabled":true}]""");
        shell.Keep("uris", "https://theirs.example\n");

        await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod", "--event-grid");

        var calls = shell.TakeCalls();
        Roles(calls).ShouldBe(["AzureEventGridSecureWebhookSubscriber", "TheirOwn", "ActionGroupsSecureWebhook"]);
        calls.ShouldContain(call => call.Contains("\"identifierUris\":[\"api://client-1\",\"https://theirs.example\"]", StringComparison.Ordinal));
        calls.Where(call => call.StartsWith("rest --method POST", StringComparison.Ordinal)).Last()
            .ShouldContain("\"principalId\":\"principal-grid\",\"resourceId\":\"principal-1\",\"appRoleId\":\"by-hand-1\"");
    }

    [Fact]
    public async Task Webhook_WithItsRoles_WritesNone()
    {
        using var shell = new Shell(_directory);
        shell.Keep("roles.tsv", "ActionGroupsSecureWebhook\t1\nAzureEventGridSecureWebhookSubscriber\t2\n");

        await shell.RunAsync("infra/entra/setup.sh", "webhook", "prod");

        var calls = shell.TakeCalls();
        calls.ShouldContain(call => call.Contains("--query appRoles[].[value,id]", StringComparison.Ordinal));
        calls.ShouldNotContain(call => call.Contains("\"appRoles\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SignIn_AsksForNoSecretAndNoPermission()
    {
        using var shell = new Shell(_directory);

        await shell.RunAsync("infra/entra/setup.sh", "sign-in", "prod");

        var calls = shell.TakeCalls();
        calls.ShouldNotContain(call => call.Contains("credential", StringComparison.Ordinal) || call.Contains("permission", StringComparison.Ordinal));
        calls.ShouldContain(call => call.Contains("enableIdTokenIssuance", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SignIn_MakesTheRolesThatTheAppKnowsAndAsksForTheGroups()
    {
        using var shell = new Shell(_directory);

        (await shell.RunAsync("infra/entra/setup.sh", "sign-in", "prod")).ShouldBe("clientId=client-1\nobjectId=object-1\n");

        var calls = shell.TakeCalls();
        calls.ShouldContain(call => call.Contains("applications/object-1", StringComparison.Ordinal) && call.Contains("\"groupMembershipClaims\":\"SecurityGroup\"", StringComparison.Ordinal));
        Roles(calls).ShouldBe(["Runbooks.Viewer", "Runbooks.Operator", "Runbooks.Admin"]);

        await shell.RunAsync("infra/entra/setup.sh", "monitor", "prod");
        calls = shell.TakeCalls();
        calls.ShouldContain(call => call.StartsWith("ad app ", StringComparison.Ordinal));
        calls.ShouldNotContain(call => call.Contains("appRoles", StringComparison.Ordinal), "the monitor has roles of its own kind: none");
    }

    [Fact]
    public async Task Trust_KeepsAddressesThatOthersRegistered()
    {
        using var shell = new Shell(_directory);
        shell.Keep("replies", "https://theirs.example/callback\n");

        await shell.RunAsync("infra/entra/setup.sh", "trust", "client-1", "rg", "id-runbooks-prod", "https://a.example");

        shell.TakeCalls().ShouldContain(call => call.Contains(
            "\"redirectUris\":[\"https://a.example/.auth/login/aad/callback\",\"https://theirs.example/callback\"]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Trust_RunTwice_AddsOneCredentialAndTheAddressesPeopleComeBackTo()
    {
        using var shell = new Shell(_directory);
        string[] arguments = ["trust", "client-1", "rg", "id-runbooks-prod", "https://a.example", "https://b.example/"];
        await shell.RunAsync("infra/entra/setup.sh", arguments);
        await shell.RunAsync("infra/entra/setup.sh", arguments);

        var calls = shell.TakeCalls();
        calls.ShouldContain(call => call.Contains(
            "\"redirectUris\":[\"https://a.example/.auth/login/aad/callback\",\"https://b.example/.auth/login/aad/callback\"]", StringComparison.Ordinal));
        calls.Where(call => call.StartsWith("ad app federated-credential create", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldContain("login.microsoftonline.com/tenant-1/v2.0");
    }

    /// <summary>What the application's list of roles is set to.</summary>
    private static List<string?> Roles(IEnumerable<string> calls)
    {
        var call = calls.Single(call => call.Contains("\"appRoles\":", StringComparison.Ordinal));
        using var body = System.Text.Json.JsonDocument.Parse(call[call.IndexOf('{', StringComparison.Ordinal)..(call.LastIndexOf('}') + 1)]);
        return [.. body.RootElement.GetProperty("appRoles").EnumerateArray().Select(role => role.GetProperty("value").GetString())];
    }
}
