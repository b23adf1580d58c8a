using TestKit;

namespace Infra.Tests;

public class SigningKeyScriptTests
{
    // The vault refuses the first write, as it does while a role is still being made known.
    private const string _vault = """
        case "$*" in
          "keyvault secret list"*) [ -f $STATE/secret ] && echo link-signing-k1 ;;
          "keyvault secret set"*)
            [ -f $STATE/refused ] || { touch $STATE/refused; exit 1; }
            while [ "$1" != --file ]; do shift; done
            cp "$2" $STATE/secret ;;
        esac
        exit 0
        """;

    [Fact]
    public async Task NoKeyYet_MakesARandomOneThatNoCommandLineShows()
    {
        using var shell = new Shell(_vault);

        var output = await shell.RunAsync("infra/scripts/make-signing-key.sh", "kv-1", "k1");

        var key = shell.Kept("secret");
        Convert.FromBase64String(key).Length.ShouldBe(48);
        output.ShouldNotContain(key);
        shell.TakeCalls().ShouldEach(call => !call.Contains(key, StringComparison.Ordinal));
    }

    /// <summary>A new key would make every link that is under way worthless.</summary>
    [Fact]
    public async Task AKeyIsThere_LeavesIt()
    {
        using var shell = new Shell(_vault);
        await shell.RunAsync("infra/scripts/make-signing-key.sh", "kv-1", "k1");
        shell.TakeCalls();

        await shell.RunAsync("infra/scripts/make-signing-key.sh", "kv-1", "k1");

        shell.TakeCalls().ShouldEach(call => call.StartsWith("keyvault secret list", StringComparison.Ordinal));
    }

    /// <summary>A second person's role is seconds old: what the vault does not tell yet is no sign that there is no key.</summary>
    [Fact]
    public async Task VaultThatDoesNotAnswerAtFirst_KeepsTheKeyThatItHas()
    {
        using var shell = new Shell("""
            case "$*" in
              "keyvault secret list"*)
                echo . >> $STATE/asked
                [ $(wc -l < $STATE/asked) -gt 2 ] || exit 1
                echo link-signing-k1 ;;
            esac
            exit 0
            """);

        var output = await shell.RunAsync("infra/scripts/make-signing-key.sh", "kv-1", "k1");

        output.ShouldBe("link-signing-k1 is already in kv-1: left as it is.\n");
        shell.TakeCalls().ShouldEach(call => call.StartsWith("keyvault secret list", StringComparison.Ordinal));
    }

    /// <summary>The Azure CLI goes by a subscription of its own, where azd has made nothing.</summary>
    [Theory]
    [InlineData("before")]
    [InlineData("after")]
    public async Task ScriptOfAzd_WorksInItsSubscription(string when)
    {
        using var shell = new Shell(
            "exit 0", ("AZURE_SUBSCRIPTION_ID", "s-1"), ("AZURE_ENV_NAME", "dev"), ("KEY_VAULT_NAME", "kv-1"), ("AZURE_RESOURCE_GROUP", "rg-1"), ("APP_NAME", "func-1"));
        shell.Write("azd", "exit 0");

        await shell.RunAsync($"infra/scripts/{when}-provision.sh");

        var calls = shell.TakeCalls();
        calls.Count.ShouldBeGreaterThan(2);
        calls[0].ShouldBe("account set --subscription s-1");
    }

    /// <summary>The app may have read its reference before there was a key, and would keep that for a day.</summary>
    [Fact]
    public async Task AfterProvisioning_TheAppIsToldToReadTheKeyOnceItIsThere()
    {
        using var shell = new Shell(
            $"case \"$*\" in \"functionapp show\"*) echo /subscriptions/s/resourceGroups/rg-1/providers/Microsoft.Web/sites/func-1 ;; esac\n{_vault}",
            ("KEY_VAULT_NAME", "kv-1"), ("AZURE_RESOURCE_GROUP", "rg-1"), ("APP_NAME", "func-1"), ("ENTRA_SIGNIN_CLIENT_ID", ""), ("MONITOR_TEMPLATE_STORAGE", ""));

        await shell.RunAsync("infra/scripts/after-provision.sh");

        var calls = shell.TakeCalls().ToList();
        const string refresh = "rest --method POST --url /subscriptions/s/resourceGroups/rg-1/providers/Microsoft.Web/sites/func-1/config/configreferences/appsettings/refresh?api-version=2022-03-01 --output none";
        calls.ShouldContain(refresh);
        calls.IndexOf(refresh).ShouldBeGreaterThan(calls.FindLastIndex(call => call.StartsWith("keyvault secret set", StringComparison.Ordinal)));
        calls[^1].ShouldStartWith("functionapp restart", customMessage: "what runs has read its settings already");
    }
}
