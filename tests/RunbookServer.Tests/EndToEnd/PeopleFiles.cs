using System.Text.Json;
using Runbooks.Notifications;

namespace RunbookServer.Tests.EndToEnd;

/// <summary>What a host outside practice reads about its people: <c>contacts.yaml</c>, and the settings file beside it.</summary>
internal sealed record PeopleFiles(string Contacts, object Settings)
{
    /// <summary>Ada is on call, Linus leads; both read mail from this server.</summary>
    public static PeopleFiles ByMail(int smtpPort) => new(
        """
        people:
          ada: { reach: [{ email: ada@example.com }] }
          linus: { reach: [{ email: linus@example.com }] }
        contacts: { oncall: ada, platform-lead: linus, fallback: linus }
        """,
        new { Email = new { Host = "127.0.0.1", Port = smtpPort, Security = "None", From = "runbooks@example.com" } });

    /// <returns>The settings file, as <c>--config</c> names it.</returns>
    public string WriteTo(string folder)
    {
        File.WriteAllText(Path.Combine(folder, ContactsFile.FileName), Contacts);
        var settings = Path.Combine(folder, "settings.json");
        File.WriteAllText(settings, JsonSerializer.Serialize(Settings));
        return settings;
    }
}
