using Microsoft.Extensions.Configuration;
using RunbookServer.Commands;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>Commands that take the settings of a host without one: what is wrong with them is said as the host would.</summary>
public sealed class SettingsOfCommandsTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("runbooks-").FullName;

    [Theory]
    [InlineData("oncall")]
    [InlineData("publish --list --to .")]
    [InlineData("simulate hanged-gpu --alert hanged-gpu --live")]
    public async Task FileThatCannotBeUsed_IsNamedWithWhatIsWrong(string command)
    {
        foreach (var (text, words) in new[]
        {
            ("{ \"OnCall\":\n { ", "settings.json cannot be read: Line 2 is not JSON"),
            ("""{ "OnCall": { "AlowedHosts": ["a"] } }""", "This host has no setting 'OnCall:AlowedHosts:0' (settings.json). Did you mean 'OnCall:AllowedHosts:0'?"),
            ("""{ "OnCall": { "AllowedHosts": "a" } }""", "The setting 'OnCall:AllowedHosts' (settings.json) is a list"),
            ("""{ "Storage": { "ConectionString": "a" } }""", "Did you mean 'Storage:ConnectionString'?"),
        })
        {
            var file = Path.Combine(_home, "settings.json");
            await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);

            var (code, _, error) = await ProgramRun.RunAsync([.. command.Split(' '), "--config", file]);

            error.ShouldContain(words);
            code.ShouldBe(2);
        }
    }

    /// <summary>What is no part of theirs is the host's to judge.</summary>
    [Fact]
    public async Task SettingsOfTheRestOfAHost_AreNotJudged()
    {
        var file = Path.Combine(_home, "settings.json");
        await File.WriteAllTextAsync(file, """
            { "Slack": { "SigningSecret": "8f742231b10e8888abcd99yyyzzz85a5", "BotToken": "x" }, "Outbox": { "Folder": "x" }, "SLACK_OF_OPS": "x", "Storms": { "MoreThan": 3 },
              "Runbooks": { "PublicUrl": "https://a.example", "Settings": { "cluster": "b" } }, "Telemetry": { "Metrics": "Off" }, "Mcp": { "Enabled": true }, "Watchdog": {} }
            """, TestContext.Current.CancellationToken);

        (await ProgramRun.RunAsync("publish", "--list", "--to", _home, "--config", file)).ShouldBe((0, $"Nothing was published to {_home}.\n", ""));
    }

    /// <summary>Where no system is named, a simulation asks the sandbox.</summary>
    [Theory]
    [InlineData("LINUS_PHONE", false)]
    [InlineData("Safety:Mode", false)]
    [InlineData("Kubernetes:Default", true)]
    [InlineData("prometheus:Endpoints:own:Url", true)]
    public void SecretOfAContact_NamesNoSystemToAsk(string setting, bool names) =>
        LiveOptions.NamesSystems(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { [setting] = "x" }).Build()).ShouldBe(names);

    public void Dispose() => Directory.Delete(_home, recursive: true);
}
