namespace Infra.Tests;

public class EntraScriptTests
{
    // Remembers what was made; everything else is looked up by what the script asks.
    private const string _directory = """
        case "$*" in
          "ad app list"*) cat $STATE/app 2>/dev/null ;;
          "ad app create"*) echo object-1 | tee $STATE/app ;;
          "ad app show"*"--query appId"*) echo client-1 ;;
          "ad app show"*) echo object-1 ;;
          "ad sp list"*client-1*) cat $STATE/ours 2>/dev/null ;;
          "ad sp list"*461e8683*) cat $STATE/theirs 2>/dev/null ;;
          "ad sp create --id client-1"*) echo principal-1 | tee $STATE/ours ;;
          "ad sp create"*) echo principal-azns | tee $STATE/theirs ;;
          "rest --method GET"*) cat $STATE/granted 2>/dev/null ;;
          "rest --method POST"*) echo assignment-1 > $STATE/granted ;;
          "ad app federated-credential list"*) cat $STATE/trusted 2>/dev/null ;;
          "ad app federated-credential create"*) echo yes > $STATE/trusted ;;
          "identity show"*) echo subject-1 ;;
          "account show"*) echo tenant-1 ;;
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
        calls.ShouldContain(call => call.Contains("api://client-1", StringComparison.Ordinal) && call.Contains("ActionGroupsSecureWebhook", StringComparison.Ordinal));
        calls.ShouldContain(call => call.Contains("\"appRoleAssignmentRequired\":true", StringComparison.Ordinal));
        calls.Where(call => call.StartsWith("rest --method POST", StringComparison.Ordinal)).ShouldHaveSingleItem()
            .ShouldContain("\"principalId\":\"principal-azns\",\"resourceId\":\"principal-1\"");
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

        var call = shell.TakeCalls().Single(call => call.Contains("appRoles", StringComparison.Ordinal));
        call.ShouldContain("applications/object-1");
        call.ShouldContain("\"groupMembershipClaims\":\"SecurityGroup\"");
        using var body = System.Text.Json.JsonDocument.Parse(call[call.IndexOf('{', StringComparison.Ordinal)..(call.LastIndexOf('}') + 1)]);
        body.RootElement.GetProperty("appRoles").EnumerateArray().Select(role => role.GetProperty("value").GetString())
            .ShouldBe(["Runbooks.Viewer", "Runbooks.Operator", "Runbooks.Admin"]);

        await shell.RunAsync("infra/entra/setup.sh", "monitor", "prod");
        shell.TakeCalls().ShouldNotContain(call => call.Contains("appRoles", StringComparison.Ordinal), "the monitor has roles of its own kind: none");
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
}
