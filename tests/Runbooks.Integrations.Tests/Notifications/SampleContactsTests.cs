using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Runbooks.Notifications;

namespace Runbooks.Integrations.Tests.Notifications;

public sealed class SampleContactsTests
{
    [Theory]
    [InlineData("contacts.sample.yaml")]
    [InlineData("docs/contacts.md")]
    public void ShippedSample_IsGoodOnceItsSettingsAreThere(string file)
    {
        var result = Contacts(
            ("Slack:BotToken", "xoxb-1"), ("Slack:SigningSecret", "s"), ("Email:Host", "mail.example.com"), ("Email:From", "runbooks@example.com"),
            ("PagerDuty:RoutingKey", new string('k', 32)), ("Teams:WorkflowUrl", "https://prod-1.example.com/workflows/1")).Read(file, Text(file));

        result.Errors.ShouldBeEmpty(string.Join('\n', result.Errors));
        result.Book!.Missing(["oncall", ContactBook.Fallback]).ShouldBeEmpty();
        result.Warnings.ShouldAllBe(warning => warning.Code != "rings-last");
        result.Book.RecipientsOf([ContactBook.Fallback]).ShouldContain(recipient => recipient.Addresses[0].Channel == "pagerduty", "a mail is taken and wakes nobody");
    }

    [Fact]
    public void MissingSettings_AreAllNamed()
    {
        var errors = string.Join('\n', Contacts().Read("contacts.sample.yaml", Text("contacts.sample.yaml")).Errors);

        foreach (var name in new[] { "Slack:BotToken", "Email:Host", "PagerDuty:RoutingKey", "Teams:WorkflowUrl" })
        {
            errors.ShouldContain(name);
        }
    }

    private static ContactsFile Contacts(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());
        services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton<AddressSecrets>().AddSingleton<ContactsFile>();
        return services.AddTeams().AddSlack().AddEmail().AddPagerDuty().AddWebhook().BuildServiceProvider().GetRequiredService<ContactsFile>();
    }

    /// <summary>A YAML file, or the first YAML block of a page.</summary>
    private static string Text(string file)
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "contacts", Path.GetFileName(file)));
        return file.EndsWith(".md", StringComparison.Ordinal) ? text.Split("```yaml")[1].Split("```")[0] : text;
    }
}
