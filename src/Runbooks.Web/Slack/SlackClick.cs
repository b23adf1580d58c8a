using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Runbooks.Model.Incidents;
using Runbooks.Web.Decisions;

namespace Runbooks.Web.Slack;

/// <summary>One press of a button that decides.</summary>
/// <param name="UserId">Slack's id of whoever pressed it, signed by Slack.</param>
/// <param name="UserName">For practice and for words; it proves nothing.</param>
/// <param name="ResponseUrl">Where a private answer goes; null where Slack gave none that is Slack's.</param>
internal sealed record SlackClick(string UserId, string UserName, Verb Verb, string IncidentId, string GateId, string PlanHash, Uri? ResponseUrl)
{
    /// <returns>Null for everything else that Slack reports: links that were opened, other apps' buttons.</returns>
    public static SlackClick? Read(string form)
    {
        try
        {
            if (!QueryHelpers.ParseQuery(form).TryGetValue("payload", out var text))
            {
                return null;
            }

            using var payload = JsonDocument.Parse(text.ToString());
            return Read(payload.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static SlackClick? Read(JsonElement payload)
    {
        if (Text(payload, "type") != "block_actions" || !Has(payload, "actions", JsonValueKind.Array, out var actions) || !Has(payload, "user", JsonValueKind.Object, out var user))
        {
            return null;
        }

        var action = actions.EnumerateArray().FirstOrDefault();
        var value = Text(action, "value")?.Split('|');
        return value is [var incident, var gate, var plan] && VerbWords.TryParse(Text(action, "action_id"), out var verb) && Text(user, "id") is { Length: > 0 } id
            ? new(id, Text(user, "username") ?? Text(user, "name") ?? id, verb, incident, gate, plan, SlackReply.Address(Text(payload, "response_url")))
            : null;
    }

    private static string? Text(JsonElement json, string name) => Has(json, name, JsonValueKind.String, out var text) ? text.GetString() : null;

    private static bool Has(JsonElement json, string name, JsonValueKind kind, out JsonElement found)
    {
        found = default;
        return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out found) && found.ValueKind == kind;
    }
}
