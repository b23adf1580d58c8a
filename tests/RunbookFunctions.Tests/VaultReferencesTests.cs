using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Runbooks.Notifications;
using Runbooks.Web.Slack;
using TestKit.Engine;
using TestKit.People;

namespace RunbookFunctions.Tests;

/// <summary>What App Service leaves in a setting whose secret it did not find is no secret: everybody can know it.</summary>
public sealed class VaultReferencesTests : IDisposable
{
    private const string Reference = "@Microsoft.KeyVault(SecretUri=https://kv-rb-prod-abc.vault.azure.net/secrets/any)";

    private readonly ListLogger _log = new();
    private readonly List<IHost> _apps = [];

    /// <summary>Otherwise the key that the setting is about would be named nowhere, and may everything.</summary>
    [Theory]
    [InlineData("ApiKeys:Named:dashboard:Key")]
    [InlineData("ApiKeys:Keys:0")]
    [InlineData("LinkSigning:Keys:0:Secret")]
    public void WhatLetsPeopleIn_KeepsTheAppFromStarting(string name)
    {
        var (_, problems) = Build((name, Reference), ("ApiKeys:Named:dashboard:Role", "Viewer"));

        problems.ShouldBe([$"The setting '{name}' is still a reference to a vault, so App Service has not read it from there. Is the secret there, and may the app's identity read it? Then have it asked again with infra/scripts/refresh-secrets.sh."]);
    }

    /// <summary>Its text was made by the template, and the name of the vault stands in its outputs.</summary>
    [Fact]
    public async Task ClickSignedWithTheTextOfTheReference_IsNoClickOfSlack()
    {
        var (app, problems) = Build(("Slack:SigningSecret", Reference));
        problems.ShouldBeEmpty();
        var body = Encoding.UTF8.GetBytes("payload={}");
        var at = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var context = new DefaultHttpContext { RequestServices = app.Services };
        context.Request.Body = new MemoryStream(body);
        context.Request.Headers["X-Slack-Request-Timestamp"] = at;
        context.Request.Headers["X-Slack-Signature"] = $"v0={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Reference), (byte[])[.. Encoding.ASCII.GetBytes($"v0:{at}:"), .. body]))}";

        var answer = await app.Services.GetRequiredService<SlackInteractionsHandler>().PostAsync(context.Request);

        ((IStatusCodeHttpResult)answer).StatusCode.ShouldBe(401);
    }

    /// <summary>Not at night, by the first question.</summary>
    [Theory]
    [InlineData("Slack:BotToken", "slack: C012AB3CD", "Set Slack:BotToken")]
    [InlineData("Slack:SigningSecret", "slack: C012AB3CD", "Set Slack:SigningSecret")]
    [InlineData("Teams:WorkflowUrl", "teams: ${Teams:WorkflowUrl}", "Teams:WorkflowUrl")]
    [InlineData("Webhook:SigningSecret", "webhook: ${Hook}", "Set Webhook:SigningSecret")]
    [InlineData("Email:Password", "email: ada@example.com", "Set Email:Password")]
    public void ContactsThatNeedWhatIsMissing_AreRefusedWithItsName(string name, string address, string words)
    {
        var text = $"people:\n  ada:\n    reach:\n      - {address}\ncontacts:\n  fallback: [ada]\n";
        (string, string)[] settings =
            [("Slack:BotToken", "xoxb-1"), ("Slack:SigningSecret", "8f742231b10e8888abcd99yyyzzz85a5"), ("Teams:WorkflowUrl", "https://example.com/w"), ("Webhook:SigningSecret", ApprovalOffice.LinkSecret("hook")), ("Hook", "https://example.com/hook"),
             ("Email:Host", "mail.example.com"), ("Email:From", "r@example.com"), ("Email:User", "bot"), ("Email:Password", "p")];
        var (whole, _) = Build(settings);
        whole.Services.GetRequiredService<ContactsFile>().Read("contacts.yaml", text).Errors.ShouldBeEmpty();

        var (app, problems) = Build([.. settings.Where(setting => setting.Item1 != name), (name, Reference)]);

        problems.ShouldBeEmpty();
        app.Services.GetRequiredService<ContactsFile>().Read("contacts.yaml", text).Errors.ShouldHaveSingleItem().ToString().ShouldContain(words);
        _log.Lines.Where(line => line.StartsWith("Error:", StringComparison.Ordinal)).ShouldHaveSingleItem().ShouldContain($"The setting {name} is still a reference to a vault and counts as empty");
    }

    /// <summary>Whoever guesses it decides, or speaks in our name.</summary>
    [Theory]
    [InlineData("LinkSigning:Keys:0:Secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "key 'k1' can be guessed")]
    [InlineData("Slack:SigningSecret", "changemechangemechangemechangeme", "Slack:SigningSecret can be guessed")]
    [InlineData("Webhook:SigningSecret", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "Webhook:SigningSecret can be guessed")]
    public void SecretThatCanBeGuessed_KeepsTheAppFromStarting(string name, string value, string words) =>
        Build((name, value)).Problems.ShouldHaveSingleItem().ShouldContain(words);

    private (IHost App, IReadOnlyList<string> Problems) Build(params IReadOnlyList<(string Name, string Value)> settings)
    {
        var builder = FunctionsApplication.CreateBuilder([]);
        builder.Services.AddSingleton<ILoggerFactory>(_log);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AzureStorage:ConnectionString"] = "UseDevelopmentStorage=true",
            ["Runbooks:PublicUrl"] = "https://runbooks.example.com",
            ["LinkSigning:Keys:0:Id"] = "k1",
            ["LinkSigning:Keys:0:Secret"] = Convert.ToBase64String(SHA256.HashData([1])),
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
        var built = FunctionsApp.Build(builder);
        _apps.Add(built.App);
        return built;
    }

    public void Dispose()
    {
        _apps.ForEach(app => app.Dispose());
        _log.Dispose();
    }
}
