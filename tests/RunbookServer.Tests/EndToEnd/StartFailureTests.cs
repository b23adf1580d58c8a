using System.Net;
using System.Net.Sockets;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;
using RunbookServer.Terminal;
using Runbooks.Model.Storage;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>A start that cannot be: one sentence with the place and the remedy, no stack trace, exit code 2.</summary>
public sealed class StartFailureTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Theory]
    [InlineData("abc", "--port has to be a number from 0 to 65535.")]
    [InlineData("70000", "--port has to be a number from 0 to 65535.")]
    public Task PortThatIsNone_IsRefused(string port, string words) => ShouldSayAsync(words, "serve", "--port", port);

    [Fact]
    public async Task PortThatIsTaken_IsRefused()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        await ShouldSayAsync($"Port {port} is taken. Stop what listens there, or choose another with --port", "serve", "--port", $"{port}");
    }

    /// <summary>Some programs that listen on "localhost" have its newer address alone.</summary>
    [Fact]
    public async Task PortThatIsTakenOnTheNewerAddressAlone_IsRefused()
    {
        using var taken = new TcpListener(IPAddress.IPv6Loopback, 0);
        Assert.SkipUnless(Socket.OSSupportsIPv6, "Needs ::1.");
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        await ShouldSayAsync($"Port {port} is taken. Stop what listens there, or choose another with --port", "serve", "--port", $"{port}");
    }

    [Theory]
    [InlineData("{ \"Storms\": ", "Line 1 is not JSON")]
    [InlineData("{ \"Storms\": { \"MoreThn\": 3 } }", "This host has no setting 'Storms:MoreThn' (settings.json). Did you mean 'Storms:MoreThan'?")]
    [InlineData("{ \"Runbooks\": { \"RefreshEvery\": \"00:01:00\" } }", "This host has no setting 'Runbooks:RefreshEvery' (settings.json). Only the Functions app has it.")]
    [InlineData("{ \"Safety\": { \"Mode\": \"careful\" } }", "The setting 'Safety:Mode' (settings.json) has to be one of Normal, ApproveAll, DryRun.")]
    [InlineData("{ \"Safety\": { \"Windows\": [ { \"Name\": \"db patching\", \"Start\": \"2026-11-28T02:00:00\", \"Duration\": \"4h\", \"Runbooks\": \"database-*\" } ] } }", "The setting 'Safety:Windows:0:Runbooks' (settings.json) is a list, and one value in its place is not read: write it as 'Safety:Windows:0:Runbooks:0', in JSON in brackets.")]
    [InlineData("{ \"ApiKeys\": { \"Keys\": \"7Q2d9bXk4Tn8vR1mZs6Hc3Wf\" } }", "The setting 'ApiKeys:Keys' (settings.json) is a list")]
    [InlineData("{ \"Auth\": { \"AdminGroups\": \"00000000-0000-0000-0000-000000000001\" } }", "The setting 'Auth:AdminGroups' (settings.json) is a list")]
    [InlineData("{ \"Slack\": \"a-token\" }", "The setting 'Slack' (settings.json) has parts, and a value in its place is not read: write 'Slack:NAME'.")]
    [InlineData("{ \"ApiKeys\": { \"Keys\": [\"short\"] } }", "can be guessed: it has fewer than 24 characters. Make one with: openssl rand -hex 32")]
    [InlineData("{ \"LinkSigning\": { \"Keys\": [ { \"Id\": \"k1\", \"Secret\": \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\" } ] } }", "key 'k1' can be guessed: it repeats the same few characters. Make one with: openssl rand -base64 32")]
    [InlineData("{ \"Slack\": { \"SigningSecret\": \"a\" } }", "Slack:SigningSecret can be guessed: it has fewer than 24 characters. Copy the one that Slack shows")]
    [InlineData("{ \"Webhook\": { \"SigningSecret\": \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" } }", "Webhook:SigningSecret can be guessed: its characters follow one another. Make one with: openssl rand -base64 32")]
    [InlineData("{ \"LinkSigning\": { \"Keys\": [ { \"Id\": \"k1\", \"Secret\": \"@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/k1)\" } ] } }", "The setting 'LinkSigning:Keys:0:Secret' is still a reference to a vault")]
    [InlineData("{ \"Storms\": { \"MoreThan\": 0 } }", "The setting 'Storms:MoreThan' cannot be used: The field MoreThan must be between 1 and 10000.")]
    [InlineData("{ \"Prometheus\": { \"Default\": \"other\", \"Endpoints\": { \"here\": { \"Url\": \"http://127.0.0.1:9090\" } } } }", "error: Prometheus:Default names 'other', which is not among Prometheus:Endpoints.")]
    [InlineData("{ \"OutboundHttp\": { \"AttemptTimeout\": \"00:10:00\" } }", "error: The setting 'OutboundHttp:AttemptTimeout' cannot be used: ")]
    [InlineData("{ \"Safety\": { \"Windows\": [ { \"Name\": \"db patching\" } ] } }", "error: Safety:Windows:0 (db patching): ")]
    [InlineData("{ \"Runbooks\": { \"PublicUrl\": \"runbooks.example.com\" } }", "error: The setting 'Runbooks:PublicUrl' cannot be used: It has to be a whole address without a path, such as https://runbooks.example.com. docs/")]
    [InlineData("{ \"Runbooks\": { \"PublicUrl\": \"https://example.com/runbooks\" } }", "error: The setting 'Runbooks:PublicUrl' cannot be used: It has to be a whole address without a path")]
    [InlineData("{ \"Runbooks\": { \"PublicUrl\": \"https://runbooks.example.com?a=1\" } }", "error: The setting 'Runbooks:PublicUrl' cannot be used: It has to be a whole address without a path")]
    [InlineData("{ \"Runbooks\": { \"PublicUrl\": \"https://ada:secret@runbooks.example.com\" } }", "error: The setting 'Runbooks:PublicUrl' cannot be used: It has to be a whole address without a path")]
    [InlineData("{ \"Safety\": { \"MaxConcurrent\": { \"kubernetes.recyclePod\": 1, \"kubernetes_recyclPod\": 2 } } }", "error: Safety:MaxConcurrent:kubernetes_recyclPod is the name of no action. Did you mean 'kubernetes.recyclePod'?")]
    [InlineData("{ \"Auth\": { \"AdminGroups\": [ \"00000000-0000-0000-0000-000000000001\", \"admins\" ] } }", "error: Auth:AdminGroups has 'admins', which is not the object id of a group.")]
    public Task SettingsFileThatCannotBeUsed_IsRefused(string text, string words)
    {
        File.WriteAllText(Path.Combine(_home, "settings.json"), text);

        return ShouldSayAsync(words, "serve", "--port", "0", "--config", Path.Combine(_home, "settings.json"));
    }

    /// <summary>Contacts ask the settings of their channels before all settings are looked at.</summary>
    [Fact]
    public void SettingThatContactsCannotUse_IsNoFaultOfTheProgram() =>
        Failures.Describe(new OptionsValidationException("Webhook", typeof(object), ["Webhook:SigningSecret can be guessed. Make one with: openssl rand -base64 32"])).Message.ShouldBe("Webhook:SigningSecret can be guessed. Make one with: openssl rand -base64 32");

    /// <summary>Otherwise what is approved in practice acts on what they name, beside a badge that says that nothing real is touched.</summary>
    [Theory]
    [InlineData("""{ "Kubernetes": { "Clusters": { "prod": { "KubeConfig": "/root/.kube/config" } } } }""", "'Kubernetes:Clusters:prod:KubeConfig' (settings.json)")]
    [InlineData("""{ "Disk": { "ThisMachine": true } }""", "'Disk:ThisMachine' (settings.json)")]
    [InlineData("""{ "HttpRequest": { "AllowedHosts": ["internal.example"] } }""", "'HttpRequest:AllowedHosts:0' (settings.json)")]
    [InlineData("""{ "Azure": { "ManagementEndpoint": "https://management.azure.com" } }""", "'Azure:ManagementEndpoint' (settings.json)")]
    [InlineData("""{ "Tickets": { "Default": "itsm", "Systems": { "itsm": { "Kind": "Jira" } } } }""", "'Tickets:Default' (settings.json), 'Tickets:Systems:itsm:Kind' (settings.json) say which real systems to reach. Add --no-practice")]
    public Task SettingsOfRealSystems_AreRefusedInPractice(string text, string words) => SettingsFileThatCannotBeUsed_IsRefused(text, words);

    [Fact]
    public async Task SeveralSettingsThatCannotBeUsed_AreAllNamed()
    {
        File.WriteAllText(Path.Combine(_home, "settings.json"), """{ "Storms": { "MoreThan": 0 }, "ApiKeys": { "Keys": ["short"] } }""");

        var (code, _, error) = await ProgramRun.RunAsync("serve", "--port", "0", "--data", Data, "--config", Path.Combine(_home, "settings.json"));

        code.ShouldBe(2);
        error.TrimEnd().Split('\n').Length.ShouldBe(2);
        error.ShouldContain("fewer than 24 characters");
        error.ShouldContain("between 1 and 10000");
    }

    [Theory]
    [InlineData("runbooks.db", "runbooks.db is damaged or is no database of ours. Move it away with its -wal and -shm, then put a backup in its place")]
    [InlineData("api-key", "can be guessed: it repeats the same few characters. Make one with: openssl rand -hex 32")]
    [InlineData("link-key", "link-key holds no key: it has to be base64 of at least 32 random bytes.")]
    public Task FileOfTheDataFolderThatIsDamaged_IsRefused(string name, string words)
    {
        Directory.CreateDirectory(Data);
        File.WriteAllText(Path.Combine(Data, name), new string('!', 10_000));

        return ShouldSayAsync(words, "serve", "--port", "0");
    }

    /// <summary>What the second one says is asked before anything acts: found out at the start, and not by the first approved step.</summary>
    [Theory]
    [InlineData("api-key")]
    [InlineData("generation")]
    public Task FileOfTheDataFolderThatCannotBeRead_IsRefused(string name)
    {
        Directory.CreateDirectory(Path.Combine(Data, name));

        return ShouldSayAsync($"{name} cannot be read", "serve", "--port", "0");
    }

    /// <summary>SQLite makes the journal with the rights of the database, so that mending those of the one is not enough.</summary>
    [Fact]
    public void DatabaseThatCannotBeWritten_IsSaidWithAllItsFiles() =>
        Failures.Describe(new StoreUnavailableException("The database cannot be written.", new SqliteException("attempt to write a readonly database", 8)))
            .Message.ShouldContain("Give its owner the right to write it, its -wal and its -shm (chmod u+w)");

    [Fact]
    public Task DataFolderThatIsAFile_IsRefused()
    {
        File.WriteAllText(Data, "");

        return ShouldSayAsync($"The data folder {Data} cannot be used", "serve", "--port", "0");
    }

    [Fact]
    public async Task DataFolderThatCannotBeWritten_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Where root may write as well, only the system's own files are read-only.");
        var (code, _, error) = await ProgramRun.RunAsync("serve", "--port", "0", "--data", "/sys/runbooks");

        error.ShouldStartWith("error: The data folder /sys/runbooks cannot be used");
        error.TrimEnd().Split('\n').ShouldHaveSingleItem();
        code.ShouldBe(2);
    }

    [Theory]
    [InlineData("--config", "There is no file")]
    [InlineData("--runbooks", "There is no folder")]
    public Task PathThatIsMissing_IsRefused(string option, string words) => ShouldSayAsync(words, "serve", "--port", "0", option, Path.Combine(_home, "missing"));

    [Fact]
    public Task OptionThatIsMisspelt_IsRefusedWithWhatWasMeant() => ShouldSayAsync("Did you mean '--port'?", "serve", "--prot", "0");

    public void Dispose() => Directory.Delete(_home, recursive: true);

    private string Data => Path.Combine(_home, "data");

    private async Task ShouldSayAsync(string words, params string[] arguments)
    {
        var (code, output, error) = await ProgramRun.RunAsync([.. arguments, "--data", Data]);

        error.ShouldContain(words);
        error.ShouldStartWith("error: ");
        error.TrimEnd().Split('\n').ShouldHaveSingleItem();
        $"{output}{error}".ShouldNotContain("   at ");
        code.ShouldBe(2);
    }
}
