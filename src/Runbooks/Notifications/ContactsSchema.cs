using System.Text.Json.Nodes;
using Runbooks.Catalog.Schema;

namespace Runbooks.Notifications;

/// <summary>JSON Schema of <c>contacts.yaml</c> with the registered channels. <see cref="ContactsFile"/> has the last word on what is valid.</summary>
public sealed class ContactsSchema(IEnumerable<INotifier> channels, IEnumerable<IOnCallSource> schedules)
{
    /// <param name="ofTeam">For the file in a team's folder, which may name people of the common file and needs no fallback.</param>
    public JsonObject Create(bool ofTeam = false)
    {
        var schema = SchemaParts.Document(
            ofTeam ? "Contacts of a team" : "Contacts",
            "Who is behind the names that runbooks use, and how they are reached.",
            new()
        {
            ["tenant"] = Guid("The Entra tenant of the object ids in this file: az account show --query tenantId."),
            ["people"] = SchemaParts.Named(SchemaParts.Mapping("A person.", new()
            {
                ["slackUser"] = SchemaParts.TextList("The id of the Slack user, such as U012AB3CD, who presses buttons."),
                ["signIn"] = SchemaParts.TextList("Object ids in Entra, as OBJECT with 'tenant' at the top or as TENANT/OBJECT."),
                ["onCallAs"] = SchemaParts.TextList(
                    "What schedules call them, where that is neither their name here nor a mail address of theirs: "
                    + "a mail address, an id, a user name."),
                ["reach"] = Reach(),
            }, "reach"), "By name; each name proves one person."),
            ["rooms"] = SchemaParts.Named(SchemaParts.Mapping("A channel or list that several read.", new()
            {
                ["members"] = SchemaParts.TextList("Who may decide for it; everybody in this file when left out."),
                ["reach"] = Reach(),
            }, "reach"), "By name."),
            ["groups"] = SchemaParts.Named(SchemaParts.Mapping("A group in Entra; runbooks name it group:NAME.", new()
            {
                ["id"] = Guid("The object id of the group."),
                ["reach"] = Reach(),
            }, "id", "reach"), "By name."),
            ["contacts"] = Contacts(ofTeam),
        }, ofTeam ? ["contacts"] : ["people", "contacts"]);
        return schema;
    }

    private JsonObject Contacts(bool ofTeam)
    {
        var behind = new JsonObject
        {
            ["anyOf"] = new JsonArray(SchemaParts.TextList("People, rooms and groups."), OnCallReader.Schema(schedules)),
        };
        var contacts = SchemaParts.Named(behind, "The names that runbooks use, and 'fallback', who hears of everything that reached nobody else.");
        if (!ofTeam)
        {
            contacts["required"] = SchemaParts.Strings([ContactBook.Fallback]);
        }

        return contacts;
    }

    private JsonObject Reach()
    {
        var known = channels.OrderBy(channel => channel.Channel, StringComparer.Ordinal).ToList();
        var item = SchemaParts.Mapping("A channel and the address on it.", []);
        foreach (var channel in known)
        {
            var address = SchemaParts.Text(channel.AddressIsSecret
                ? "The name of the setting that has the address, as ${NAME}: it is a secret."
                : "The address, or ${NAME} for the setting that has it.");
            if (channel.AddressIsSecret)
            {
                address["pattern"] = @"^\$\{[^}]+\}$";
            }

            item["properties"]![channel.Channel] = address;
        }

        (item["minProperties"], item["maxProperties"]) = (1, 1);
        return SchemaParts.List(item, "Tried in this order until one takes the message.");
    }

    private static JsonObject Guid(string description) => new() { ["type"] = "string", ["format"] = "uuid", ["description"] = description };
}
